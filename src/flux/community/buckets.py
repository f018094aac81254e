"""The published rate-limit buckets: `limit` requests in each window of `seconds`, per caller.

A route's bucket is counted apart for each guild, channel or webhook named in its path.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bucket:
    name: str
    limit: int
    seconds: float


DEFAULT = Bucket("", 60, 10)
"""Counted apart for each route."""

REGISTER = Bucket("register", 10, 10)
LOGIN = Bucket("login", 10, 10)
AUTHORIZE_ADDRESS = Bucket("authorize-ip", 5, 60)
MAIL_TOKEN = Bucket("mail-token", 10, 60)
CAPTCHA = Bucket("captcha", 30, 10)
LOGIN_MFA = Bucket("login-mfa", 5, 60)
LOGIN_MFA_TEXT = Bucket("login-mfa-text", 5, 60)
PASSKEY_OPTIONS = Bucket("passkey-options", 20, 10)
PASSKEY_WRITE = Bucket("passkey-write", 20, 10)
PASSKEY_LOGIN = Bucket("passkey-login", 10, 10)
PHONE_SEND = Bucket("phone-send", 5, 60)
PHONE_VERIFY = Bucket("phone-verify", 10, 60)
TOTP = Bucket("totp", 10, 60)
BACKUP_CODES = Bucket("backup-codes", 6, 60)
EMAIL_CHANGE = Bucket("email-change", 10, 60)
EMAIL_CHANGE_START = Bucket("email-change-start", 3, 3600)
PASSWORD_CHANGE = Bucket("password-change", 10, 60)
ACK = Bucket("ack", 100, 10)
ACK_BULK = Bucket("ack-bulk", 20, 10)
SESSIONS = Bucket("sessions", 40, 10)
LOGOUT = Bucket("logout", 20, 10)

CHANNEL_READ = Bucket("channel-read", 100, 10)
MESSAGE_READ = Bucket("message-read", 100, 10)
MEMBER_READ = Bucket("member-read", 100, 10)
GUILD_READ = Bucket("guild-read", 100, 10)
USER_READ = Bucket("user-read", 100, 10)
INVITE_READ = Bucket("invite-read", 100, 10)

MESSAGE_CREATE = Bucket("message-create", 20, 10)
MESSAGE_UPDATE = Bucket("message-update", 20, 10)
MESSAGE_DELETE = Bucket("message-delete", 20, 10)
BULK_DELETE = Bucket("bulk-delete", 10, 10)
TYPING = Bucket("typing", 20, 10)
PINS = Bucket("pins", 20, 10)
REACTIONS = Bucket("reactions", 30, 10)
CHANNEL_WRITE = Bucket("channel-write", 20, 10)
GUILD_UPDATE = Bucket("guild-update", 20, 10)
ROLE_UPDATE = Bucket("role-update", 20, 10)
MEMBER_WRITE = Bucket("member-write", 20, 10)

GUILD_CREATE = Bucket("guild-create", 10, 60)
GUILD_DELETE = Bucket("guild-delete", 10, 60)
CHANNEL_CREATE = Bucket("channel-create", 10, 60)
ROLE_CREATE = Bucket("role-create", 10, 60)
ROLE_DELETE = Bucket("role-delete", 10, 60)

EXPRESSION_WRITE = Bucket("expression-write", 20, 10)
EMOJI_LIST = Bucket("emoji-list", 60, 10)
STICKER_LIST = Bucket("sticker-list", 60, 10)
WEBHOOK_READ = Bucket("webhook-read", 100, 10)
WEBHOOK_LIST = Bucket("webhook-list", 40, 10)
WEBHOOK_CREATE = Bucket("webhook-create", 10, 60)
WEBHOOK_WRITE = Bucket("webhook-write", 20, 10)
WEBHOOK_EXECUTE = Bucket("webhook-execute", 60, 60)
WEBHOOK_GITHUB = Bucket("webhook-github", 200, 60)

CHANNEL_LIST = Bucket("channel-list", 60, 10)
ROLE_LIST = Bucket("role-list", 60, 10)
GUILD_LIST = Bucket("guild-list", 40, 10)
MEMBER_LIST = Bucket("member-list", 40, 10)
INVITE_LIST = Bucket("invite-list", 40, 10)
RELATIONSHIP_LIST = Bucket("relationship-list", 40, 10)
SETTINGS_READ = Bucket("settings-read", 40, 10)

INVITE_ACCEPT = Bucket("invite-accept", 10, 10)
INVITE_CREATE = Bucket("invite-create", 20, 60)
INVITE_DELETE = Bucket("invite-delete", 20, 10)
FRIEND_REQUEST = Bucket("friend-request", 10, 60)
FRIEND_ANSWER = Bucket("friend-answer", 20, 10)
FRIEND_REMOVE = Bucket("friend-remove", 30, 10)

PROFILE_UPDATE = Bucket("profile-update", 20, 60)
OAUTH_TOKEN = Bucket("oauth-token", 120, 60)
OAUTH_CONSENT = Bucket("oauth-consent", 60, 60)
APPLICATION_WRITE = Bucket("application-write", 10, 3600)
APPLICATION_UPDATE = Bucket("application-update", 30, 60)
GATEWAY_BOT = Bucket("gateway-bot", 60, 60)
