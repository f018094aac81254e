"""Every refusal of the community plane. Written by `python -m flux.client.generate` from the declared faults: do not edit.

`CommunityError` takes what has no class here; a code that this client does not know comes as the class of its status.
"""

from flux.client.errors.planes import CommunityError


class CommunityBadRequest(CommunityError, kind=(400,)):
    """Any 400 of the community plane."""


class CommunityUnauthorized(CommunityError, kind=(401,)):
    """Any 401 of the community plane."""


class CommunityForbidden(CommunityError, kind=(403,)):
    """Any 403 of the community plane."""


class CommunityNotFound(CommunityError, kind=(404,)):
    """Any 404 of the community plane."""


class CommunityMethodNotAllowed(CommunityError, kind=(405,)):
    """Any 405 of the community plane."""


class CommunityRequestTimeout(CommunityError, kind=(408,), retry="later"):
    """Any 408 of the community plane."""


class CommunityConflict(CommunityError, kind=(409,)):
    """Any 409 of the community plane."""


class CommunityTooLarge(CommunityError, kind=(413,)):
    """Any 413 of the community plane."""


class CommunityTooManyRequests(CommunityError, kind=(429,), retry="later"):
    """Any 429 of the community plane."""


class CommunityHeadersTooLarge(CommunityError, kind=(431,)):
    """Any 431 of the community plane."""


class CommunityServerError(CommunityError, kind=range(500, 600), retry="later"):
    """Any 5xx of the community plane."""


class Unauthorized(CommunityUnauthorized, code="UNAUTHORIZED", status=401, retry="after-fix"):
    """Send `Authorization: flx_…` (a session), `Bot <id>.<secret>` or `Bearer <token>`. If you did, the
    token was revoked or mistyped: log in again.
    """


class Forbidden(CommunityForbidden, code="FORBIDDEN", status=403):
    """The resource belongs to somebody else, or the instance reserves this operation to admins. Use an
    account that owns it.
    """


class MissingPermissions(CommunityForbidden, code="MISSING_PERMISSIONS", status=403, retry="after-fix"):
    """You are in the guild and see the channel, but a permission bit is missing or the target stands
    higher than you. Ask for a role that has it.
    """


class MissingAccess(CommunityForbidden, code="MISSING_ACCESS", status=403, retry="after-fix"):
    """Join the guild, or ask for VIEW_CHANNEL on the channel. Forget cached objects of it: you should not
    see them any more.
    """


class UnknownUser(CommunityNotFound, code="UNKNOWN_USER", status=404):
    """No account has that id. Check that you did not send a guild or channel id."""


class UnknownGuild(CommunityNotFound, code="UNKNOWN_GUILD", status=404):
    """No guild has that id; it may have been deleted. Drop it from your cache."""


class UnknownChannel(CommunityNotFound, code="UNKNOWN_CHANNEL", status=404):
    """No channel has that id, or it is a private conversation without you. Drop it from your cache."""


class UnknownMessage(CommunityNotFound, code="UNKNOWN_MESSAGE", status=404):
    """The message was deleted or is in another channel. Treat it as gone."""


class UnknownMember(CommunityNotFound, code="UNKNOWN_MEMBER", status=404):
    """That user is not in the guild (any more)."""


class UnknownRole(CommunityNotFound, code="UNKNOWN_ROLE", status=404):
    """The guild has no such role. Fetch `GET /guilds/{id}/roles` again."""


class RateLimited(CommunityTooManyRequests, code="RATE_LIMITED", status=429, retry="later"):
    """Wait `retry_after` seconds (also in `Retry-After`), then repeat. With `global: true` hold back every
    request, not only this route. `X-RateLimit-Remaining` on allowed answers lets you avoid it.
    """


class SlowmodeRateLimited(CommunityTooManyRequests, code="SLOWMODE_RATE_LIMITED", status=429, retry="later"):
    """The channel lets each person speak once in a while. Wait `retry_after` seconds; other channels are
    not affected.
    """


class AccountDisabled(CommunityForbidden, code="ACCOUNT_DISABLED", status=403):
    """An admin disabled the account. Only an admin can undo it; contact the operator."""


class AccountSuspendedTemporarily(
    CommunityForbidden, code="ACCOUNT_SUSPENDED_TEMPORARILY", status=403, retry="after-fix"
):
    """The account is suspended until a date. Log in again after it; every session has been ended."""


class AccountSuspendedPermanently(CommunityForbidden, code="ACCOUNT_SUSPENDED_PERMANENTLY", status=403):
    """The account is suspended for good. Contact the operator if you think this is a mistake."""


class AccountScheduledForDeletion(CommunityForbidden, code="ACCOUNT_SCHEDULED_FOR_DELETION", status=403):
    """An admin scheduled the account for deletion. Contact the operator before the date if this is a
    mistake.
    """


class AccountSuspiciousActivity(
    CommunityForbidden, code="ACCOUNT_SUSPICIOUS_ACTIVITY", status=403, retry="after-fix"
):
    """The account must prove itself first: `data.suspicious_activity_flags` says with what (1, 2: e-mail;
    4, 8: phone). `GET /users/@me`, the verification routes and logout still work.
    """


class EmailVerificationRequired(
    CommunityForbidden, code="EMAIL_VERIFICATION_REQUIRED", status=403, retry="after-fix"
):
    """Open the link in the verification mail (`POST /auth/verify/resend` sends another), then repeat."""


class PhoneVerificationRequired(
    CommunityForbidden, code="PHONE_VERIFICATION_REQUIRED", status=403, retry="after-fix"
):
    """Verify the number with `/users/@me/phone/send-verification` and `/verify` and send the `phone_token`
    they give you.
    """


class GuildPhoneVerificationRequired(
    CommunityForbidden, code="GUILD_PHONE_VERIFICATION_REQUIRED", status=403, retry="after-fix"
):
    """This guild lets only members with a verified phone number speak. Add one to the account, or ask for
    a role.
    """


class IpAuthorizationRequired(
    CommunityForbidden, code="IP_AUTHORIZATION_REQUIRED", status=403, retry="after-fix"
):
    """A mail with a link is on its way. Ask `/auth/ip-authorization/poll?ticket=…` until it says
    completed, or log in again after the link was opened.
    """


class TwoFactorRequired(CommunityForbidden, code="TWO_FACTOR_REQUIRED", status=403, retry="after-fix"):
    """Switch on two-factor authentication for the account; some guilds ask it of everybody who moderates."""


class InvalidClient(CommunityUnauthorized, code="INVALID_CLIENT", status=401):
    """No application has this client id. Copy it from `GET /oauth2/applications/@me`."""


class InvalidClientSecret(CommunityUnauthorized, code="INVALID_CLIENT_SECRET", status=401):
    """The client id is right, the secret is wrong or missing. If it was lost, reset it: the old one cannot
    be shown again.
    """


class InvalidGrant(CommunityBadRequest, code="INVALID_GRANT", status=400):
    """Codes work once, for ten minutes, for the application and redirect URI they were made for; a refresh
    token is replaced each time it is used. Start the authorization again.
    """


class InvalidScope(CommunityBadRequest, code="INVALID_SCOPE", status=400):
    """Ask for one or more of `identify email guilds connections bot`, separated by spaces."""


class MissingOauthScope(CommunityForbidden, code="MISSING_OAUTH_SCOPE", status=403, retry="after-fix"):
    """Send the user through authorization again and ask for the scope in `required_scope` too."""


class MissingOauthAdminScope(
    CommunityForbidden, code="MISSING_OAUTH_ADMIN_SCOPE", status=403, retry="after-fix"
):
    """Admin routes take a session of an admin, an admin key, or a bearer with the `admin` scope."""


class InvalidRedirectUri(CommunityBadRequest, code="INVALID_REDIRECT_URI", status=400):
    """The redirect URI must be one of the application's, character for character, trailing slash included."""


class UnsupportedResponseType(CommunityBadRequest, code="UNSUPPORTED_RESPONSE_TYPE", status=400):
    """Only `response_type=code` exists. It may be left out when the scope is `bot` alone."""


class ValidationError(CommunityBadRequest, code="VALIDATION_ERROR", status=400):
    """`errors` lists every field that does not fit, as `{path, message, code}`; show the messages beside
    the fields. `X-Error-Format: tree` gives the same as an object tree.
    """


class MaxGuilds(CommunityBadRequest, code="MAX_GUILDS", status=400, retry="after-fix"):
    """Leave a guild before you create or join another."""


class MaxGuildMembers(CommunityBadRequest, code="MAX_GUILD_MEMBERS", status=400, retry="after-fix"):
    """The guild is full; ask its owner to make room."""


class MaxGuildChannels(CommunityBadRequest, code="MAX_GUILD_CHANNELS", status=400, retry="after-fix"):
    """Delete a channel or category first; both count."""


class MaxGuildRoles(CommunityBadRequest, code="MAX_GUILD_ROLES", status=400, retry="after-fix"):
    """Delete a role first; `@everyone` counts too."""


class MaxCategoryChannels(CommunityBadRequest, code="MAX_CATEGORY_CHANNELS", status=400, retry="after-fix"):
    """Put the channel into another category, or into none."""


class MaxPinsPerChannel(CommunityBadRequest, code="MAX_PINS_PER_CHANNEL", status=400, retry="after-fix"):
    """Unpin a message first."""


class MaxWebhooksPerChannel(
    CommunityBadRequest, code="MAX_WEBHOOKS_PER_CHANNEL", status=400, retry="after-fix"
):
    """Delete or move a webhook of the channel first."""


class MaxInvites(CommunityBadRequest, code="MAX_INVITES", status=400, retry="after-fix"):
    """Delete invites that are not used, or create without `unique`."""


class MaxFriends(CommunityBadRequest, code="MAX_FRIENDS", status=400, retry="after-fix"):
    """Requests and blocks count too: remove some first. It may be the other account that is full."""


class MaxGroupDms(CommunityBadRequest, code="MAX_GROUP_DMS", status=400, retry="after-fix"):
    """Leave a group conversation first; it may be a recipient who is in too many."""


class MaxGroupDmRecipients(
    CommunityBadRequest, code="MAX_GROUP_DM_RECIPIENTS", status=400, retry="after-fix"
):
    """A group conversation holds this many people, you included. For more, make a guild."""


class MaxBookmarks(CommunityBadRequest, code="MAX_BOOKMARKS", status=400, retry="after-fix"):
    """Remove a saved message first."""


class MaxEmojis(CommunityBadRequest, code="MAX_EMOJIS", status=400, retry="after-fix"):
    """Delete a static emoji first; animated ones are counted apart."""


class MaxAnimatedEmojis(CommunityBadRequest, code="MAX_ANIMATED_EMOJIS", status=400, retry="after-fix"):
    """Delete an animated emoji first; static ones are counted apart."""


class MaxStickers(CommunityBadRequest, code="MAX_STICKERS", status=400, retry="after-fix"):
    """Delete a sticker first."""


class MaxReactions(CommunityBadRequest, code="MAX_REACTIONS", status=400, retry="after-fix"):
    """Use a reaction that is already there."""


class CannotSendEmptyMessage(CommunityBadRequest, code="CANNOT_SEND_EMPTY_MESSAGE", status=400):
    """Send content, an embed, a file or a sticker; blanks alone do not count."""


class CannotSendMessagesToUser(CommunityForbidden, code="CANNOT_SEND_MESSAGES_TO_USER", status=403):
    """They do not take messages from you: a block on either side, or no friendship and no shared guild
    that allows it. Do not retry.
    """


class CannotSendMessagesInNonTextChannel(
    CommunityBadRequest, code="CANNOT_SEND_MESSAGES_IN_NON_TEXT_CHANNEL", status=400
):
    """Only text channels and conversations carry messages (types 0, 1, 3, 999)."""


class CannotEditOtherUserMessage(CommunityForbidden, code="CANNOT_EDIT_OTHER_USER_MESSAGE", status=403):
    """Only the author edits. With MANAGE_MESSAGES you may delete it or suppress its embeds."""


class FileSizeTooLarge(CommunityTooLarge, code="FILE_SIZE_TOO_LARGE", status=413):
    """Make the file smaller or link to it. `/.well-known/fluxer` has the limits."""


class MessageTotalAttachmentSizeTooLarge(
    CommunityTooLarge, code="MESSAGE_TOTAL_ATTACHMENT_SIZE_TOO_LARGE", status=413
):
    """Spread the files over several messages."""


class ContentBlocked(CommunityForbidden, code="CONTENT_BLOCKED", status=403):
    """The instance does not carry this text or file. Do not retry it unchanged."""


class ExplicitContentCannotBeSent(CommunityForbidden, code="EXPLICIT_CONTENT_CANNOT_BE_SENT", status=403):
    """The image was judged explicit (`probability`). Post it where such images are allowed, or not at all."""


class InvalidPermissionsInteger(CommunityBadRequest, code="INVALID_PERMISSIONS_INTEGER", status=400):
    """Send the bitfield as a decimal string, e.g. `"3072"`; fractions, letters and more than 63 bits do
    not work.
    """


class InvalidPermissionsNegative(CommunityBadRequest, code="INVALID_PERMISSIONS_NEGATIVE", status=400):
    """You probably inverted a mask with signed arithmetic. Send zero or a positive number."""


class InvalidChannelType(CommunityBadRequest, code="INVALID_CHANNEL_TYPE", status=400):
    """Guild channels are text (0), voice (2), category (4) or link (998), and not every operation exists
    for each.
    """


class InvalidChannelTypeForCall(CommunityBadRequest, code="INVALID_CHANNEL_TYPE_FOR_CALL", status=400):
    """Call in a direct or group conversation; in a guild, join a voice channel instead."""


class CannotExecuteOnDm(CommunityBadRequest, code="CANNOT_EXECUTE_ON_DM", status=400):
    """This works in guild channels only."""


class UnknownVoiceRegion(CommunityNotFound, code="UNKNOWN_VOICE_REGION", status=404):
    """Take the id from `GET /channels/{id}/rtc-regions`, or null for automatic."""


class UnknownVoiceServer(CommunityNotFound, code="UNKNOWN_VOICE_SERVER", status=404):
    """List the region's servers and take the id from there."""


class VoiceChannelFull(CommunityBadRequest, code="VOICE_CHANNEL_FULL", status=400, retry="after-fix"):
    """Wait until somebody leaves, or choose another channel."""


class UserNotInVoice(CommunityBadRequest, code="USER_NOT_IN_VOICE", status=400, retry="after-fix"):
    """Only members who are in a voice channel can be moved or muted there."""


class CannotModifyVoiceState(CommunityForbidden, code="CANNOT_MODIFY_VOICE_STATE", status=403):
    """The member stands as high as you or higher, or owns the guild."""


class NoActiveCall(CommunityNotFound, code="NO_ACTIVE_CALL", status=404):
    """Start a call with `POST /channels/{id}/call/ring` first."""


class UnknownInvite(CommunityNotFound, code="UNKNOWN_INVITE", status=404):
    """The invite expired, was used up or deleted. Ask for a new one."""


class InvitesDisabled(CommunityForbidden, code="INVITES_DISABLED", status=403, retry="after-fix"):
    """The guild takes nobody in for now. Try again later or ask its owner."""


class UserBannedFromGuild(CommunityForbidden, code="USER_BANNED_FROM_GUILD", status=403):
    """This guild has banned you; only its moderators can undo that."""


class UserIpBannedFromGuild(CommunityForbidden, code="USER_IP_BANNED_FROM_GUILD", status=403):
    """Somebody with your address is banned from this guild; only its moderators can undo that."""


class TemporaryInviteRequiresPresence(
    CommunityBadRequest, code="TEMPORARY_INVITE_REQUIRES_PRESENCE", status=400, retry="after-fix"
):
    """Connect to the realtime gateway first: membership by a temporary invite lasts as long as the
    connection.
    """


class ConnectionNotFound(CommunityNotFound, code="CONNECTION_NOT_FOUND", status=404):
    """The account has no such connection. Fetch the list again."""


class ConnectionAlreadyExists(CommunityConflict, code="CONNECTION_ALREADY_EXISTS", status=409):
    """The identifier is connected already; nothing is left to do."""


class ConnectionVerificationFailed(
    CommunityBadRequest, code="CONNECTION_VERIFICATION_FAILED", status=400, retry="after-fix"
):
    """The proof is not visible yet. Check the DNS record or file named in the instructions; DNS may take a
    while.
    """


class ConnectionInvalidType(CommunityBadRequest, code="CONNECTION_INVALID_TYPE", status=400):
    """Use `domain`, or `bsky` where the instance has it on."""


class ConnectionInvalidIdentifier(CommunityBadRequest, code="CONNECTION_INVALID_IDENTIFIER", status=400):
    """Send a bare domain name such as `example.org`: no scheme, no path, no address."""


class ConnectionLimitReached(
    CommunityBadRequest, code="CONNECTION_LIMIT_REACHED", status=400, retry="after-fix"
):
    """Remove a connection first."""


class StripeError(CommunityBadRequest, code="STRIPE_ERROR", status=400):
    """The payment provider refused. Nothing was charged; try another card, or later."""


class StripeInvalidProduct(CommunityBadRequest, code="STRIPE_INVALID_PRODUCT", status=400):
    """Take the price from `GET /premium/price-ids`."""


class StripeNoActiveSubscription(CommunityNotFound, code="STRIPE_NO_ACTIVE_SUBSCRIPTION", status=404):
    """There is no subscription to change; offer to start one."""


class PremiumPurchaseBlocked(CommunityForbidden, code="PREMIUM_PURCHASE_BLOCKED", status=403):
    """This account cannot buy premium. Contact the operator."""


class UnknownGiftCode(CommunityNotFound, code="UNKNOWN_GIFT_CODE", status=404):
    """Check the code for typing errors."""


class GiftCodeAlreadyRedeemed(CommunityBadRequest, code="GIFT_CODE_ALREADY_REDEEMED", status=400):
    """A gift works once. Ask the giver who used it."""


class InternalServerError(CommunityServerError, code="INTERNAL_SERVER_ERROR", status=500):
    """A bug or a broken store. Report the `X-Request-Id`: the log has the cause under it. Repeating a read
    is safe; check whether a write happened before you repeat it.
    """


class ServiceUnavailable(CommunityServerError, code="SERVICE_UNAVAILABLE", status=503, retry="later"):
    """A needed part is down, the server is restarting, or an operator switched on maintenance. Repeat with
    exponential backoff, honouring `Retry-After`.
    """


class BadGateway(CommunityServerError, code="BAD_GATEWAY", status=502, retry="later"):
    """A part behind the API (realtime, mail, payments, voice) failed or answered nonsense. Repeat with
    exponential backoff.
    """


class GatewayTimeout(CommunityServerError, code="GATEWAY_TIMEOUT", status=504, retry="later"):
    """A part behind the API did not answer in time. Repeat with exponential backoff; check first whether a
    write happened.
    """


class NotImplementedHere(CommunityServerError, code="NOT_IMPLEMENTED", status=501):
    """This instance has the feature switched off. `GET /.well-known/fluxer` tells what is on; ask the
    operator.
    """


class CaptchaRequired(CommunityBadRequest, code="CAPTCHA_REQUIRED", status=400, retry="after-fix"):
    """Solve the captcha that `/.well-known/fluxer` names and repeat with the solution in
    `X-Captcha-Token`.
    """


class InvalidCaptcha(CommunityBadRequest, code="INVALID_CAPTCHA", status=400, retry="after-fix"):
    """Solutions work once and not for long. Fetch a new challenge and solve that."""


class IpBanned(CommunityForbidden, code="IP_BANNED", status=403):
    """The operator has banned this address or network. Nothing works from here; contact the operator."""


class SudoModeRequired(CommunityForbidden, code="SUDO_MODE_REQUIRED", status=403, retry="after-fix"):
    """Ask the person again: with `has_mfa` for a code (`mfa_method`, `mfa_code`), otherwise for the
    `password`; repeat with it in the body. Keep the `X-Fluxer-Sudo-Mode-JWT` you get for five minutes.
    """


class InvalidSudoToken(CommunityUnauthorized, code="INVALID_SUDO_TOKEN", status=401, retry="after-fix"):
    """Sudo tokens live five minutes and belong to one user. Throw this one away and prove identity again."""


class PasskeysDisabled(CommunityForbidden, code="PASSKEYS_DISABLED", status=403):
    """This instance does not use passkeys; hide the option."""


class NoPasskeysRegistered(CommunityNotFound, code="NO_PASSKEYS_REGISTERED", status=404, retry="after-fix"):
    """The account has none. Offer another method, or register one first."""


class PasskeyAuthenticationFailed(
    CommunityUnauthorized, code="PASSKEY_AUTHENTICATION_FAILED", status=401, retry="after-fix"
):
    """Fetch new options and try again: a challenge works once, for five minutes, with a passkey of this
    account.
    """


class UnknownWebauthnCredential(CommunityNotFound, code="UNKNOWN_WEBAUTHN_CREDENTIAL", status=404):
    """The account has no such passkey. Fetch the list again."""


class InvalidWebauthnCredential(CommunityBadRequest, code="INVALID_WEBAUTHN_CREDENTIAL", status=400):
    """The authenticator's answer does not verify. Fetch new registration options and pass the answer on
    unchanged.
    """


class WebauthnCredentialLimitReached(
    CommunityBadRequest, code="WEBAUTHN_CREDENTIAL_LIMIT_REACHED", status=400, retry="after-fix"
):
    """Delete a passkey that is not used any more, then add the new one."""


class NotFound(CommunityNotFound, code="NOT_FOUND", status=404):
    """No route has that path. Check the base URL: paths are relative to `/community/v1`."""


class MethodNotAllowed(CommunityMethodNotAllowed, code="METHOD_NOT_ALLOWED", status=405):
    """The path is right, the method is not; the `Allow` header lists those that work."""


class RequestTimeout(CommunityRequestTimeout, code="REQUEST_TIMEOUT", status=408, retry="later"):
    """The connection stalled in the middle of the body. Send it again over a fresh connection."""


class RequestBodyTooLarge(CommunityTooLarge, code="REQUEST_BODY_TOO_LARGE", status=413):
    """Send less at once. Files belong in multipart parts, up to the limits of `/.well-known/fluxer`."""


class UriTooLong(CommunityError, code="URI_TOO_LONG", status=414):
    """Move what is in the query string into a body, or ask for less at once."""


class RangeNotSatisfiable(CommunityError, code="RANGE_NOT_SATISFIABLE", status=416):
    """`Content-Range` tells how long the file is. Ask for bytes it has, or for all of it without `Range`."""


class HeadersTooLarge(CommunityHeadersTooLarge, code="HEADERS_TOO_LARGE", status=431):
    """Usually a cookie jar out of hand. Send fewer or shorter headers."""


class SimulationRefused(CommunityBadRequest, code="SIMULATION_REFUSED", status=400):
    """`X-Flux-Simulate` works on a server started with `--sandbox` and takes a code of this reference, as
    `CODE` or `CODE@STATUS`.
    """


class AccessDenied(CommunityForbidden, code="ACCESS_DENIED", status=403):
    """This kind of token cannot be used here: bots cannot do what only people do, and OAuth2 bearers reach
    only the routes that name a scope.
    """


class CommunicationDisabled(CommunityForbidden, code="COMMUNICATION_DISABLED", status=403, retry="after-fix"):
    """Wait until `communication_disabled_until` of your member object has passed."""


class AccountTooNewForGuild(
    CommunityForbidden, code="ACCOUNT_TOO_NEW_FOR_GUILD", status=403, retry="after-fix"
):
    """Wait until the account is five minutes old, or ask for a role."""


class GuildVerificationRequired(
    CommunityForbidden, code="GUILD_VERIFICATION_REQUIRED", status=403, retry="after-fix"
):
    """Wait until you have been a member for ten minutes, or ask for a role."""


class UnknownApplication(CommunityNotFound, code="UNKNOWN_APPLICATION", status=404):
    """No application has that id; `GET /oauth2/applications/@me` lists yours."""


class UnknownWebhook(CommunityNotFound, code="UNKNOWN_WEBHOOK", status=404):
    """The webhook was deleted, or the token in the URL is not its token. Make a new one."""


class UnknownSticker(CommunityNotFound, code="UNKNOWN_STICKER", status=404):
    """List the guild's stickers and take the id from there; those of other guilds need
    USE_EXTERNAL_STICKERS.
    """


class MaxWebhooksPerGuild(CommunityBadRequest, code="MAX_WEBHOOKS_PER_GUILD", status=400, retry="after-fix"):
    """Delete a webhook of any of the guild's channels first."""


class VanityUrlTaken(CommunityConflict, code="VANITY_URL_TAKEN", status=409):
    """Another guild or invite has it. Choose another."""


class CannotTransferOwnershipToBot(CommunityBadRequest, code="CANNOT_TRANSFER_OWNERSHIP_TO_BOT", status=400):
    """Choose a member who is no bot."""


class TagAlreadyTaken(CommunityBadRequest, code="TAG_ALREADY_TAKEN", status=400):
    """Choose another username or discriminator; `GET /users/check-tag` tells whether one is free."""


class UserOwnsGuilds(CommunityBadRequest, code="USER_OWNS_GUILDS", status=400, retry="after-fix"):
    """An account that owns guilds cannot be disabled or deleted. Hand them over or delete them, then
    repeat.
    """


class UnclaimedAccountCannotCreateApplications(
    CommunityBadRequest, code="UNCLAIMED_ACCOUNT_CANNOT_CREATE_APPLICATIONS", status=400, retry="after-fix"
):
    """Set an e-mail and a password with `PATCH /users/@me`, then create the application."""


class BotIsPrivate(CommunityForbidden, code="BOT_IS_PRIVATE", status=403):
    """Ask the bot's owner to add it or to make it public."""


class BotAlreadyInGuild(CommunityBadRequest, code="BOT_ALREADY_IN_GUILD", status=400):
    """Nothing is left to do; change its roles instead."""


class UnsupportedGrantType(CommunityBadRequest, code="UNSUPPORTED_GRANT_TYPE", status=400):
    """Send `grant_type=authorization_code` or `refresh_token`."""


class UnknownEmoji(CommunityNotFound, code="UNKNOWN_EMOJI", status=404):
    """Send a Unicode emoji, percent-encoded, or `name:id` of a custom one you may use."""


class AlreadyFriends(CommunityBadRequest, code="ALREADY_FRIENDS", status=400):
    """Nothing is left to do."""


class FriendRequestBlocked(CommunityBadRequest, code="FRIEND_REQUEST_BLOCKED", status=400):
    """They have blocked you. Do not retry."""


class CannotSendFriendRequestToSelf(
    CommunityBadRequest, code="CANNOT_SEND_FRIEND_REQUEST_TO_SELF", status=400
):
    """Send the id or tag of somebody else."""


class CannotSendFriendRequestToBlockedUser(
    CommunityBadRequest, code="CANNOT_SEND_FRIEND_REQUEST_TO_BLOCKED_USER", status=400, retry="after-fix"
):
    """Lift your block first (`DELETE /users/@me/relationships/{id}`)."""


class BotsCannotSendFriendRequests(CommunityBadRequest, code="BOTS_CANNOT_SEND_FRIEND_REQUESTS", status=400):
    """Add the bot to a guild instead."""


class NoUsersWithFluxertagExist(CommunityBadRequest, code="NO_USERS_WITH_FLUXERTAG_EXIST", status=400):
    """Check the spelling and the four digits."""


class NotFriendsWithUser(CommunityBadRequest, code="NOT_FRIENDS_WITH_USER", status=400, retry="after-fix"):
    """Groups are for friends: send a friend request first."""


class IpAuthorizationResendCooldown(
    CommunityTooManyRequests, code="IP_AUTHORIZATION_RESEND_COOLDOWN", status=429, retry="later"
):
    """Wait `resend_available_in` seconds, then ask for the mail again."""


class IpAuthorizationResendLimitExceeded(
    CommunityTooManyRequests, code="IP_AUTHORIZATION_RESEND_LIMIT_EXCEEDED", status=429, retry="after-fix"
):
    """A ticket sends its mail twice at most. Look into the spam folder, or log in again for a new ticket."""


class SmsMfaRequiresTotp(CommunityBadRequest, code="SMS_MFA_REQUIRES_TOTP", status=400, retry="after-fix"):
    """Text messages are a second way beside one-time codes: `POST /users/@me/mfa/totp/enable`, then
    repeat.
    """


class PhoneRequiredForSmsMfa(
    CommunityBadRequest, code="PHONE_REQUIRED_FOR_SMS_MFA", status=400, retry="after-fix"
):
    """Verify a number and add it with `POST /users/@me/phone`, then repeat."""


class SmsMfaNotEnabled(CommunityBadRequest, code="SMS_MFA_NOT_ENABLED", status=400):
    """The account does not use text messages as a second factor; offer another method."""


class PhoneAlreadyUsed(CommunityBadRequest, code="PHONE_ALREADY_USED", status=400, retry="after-fix"):
    """A number stands for one account. Remove it there first, or use another."""


class InvalidPhoneNumber(CommunityBadRequest, code="INVALID_PHONE_NUMBER", status=400, retry="after-fix"):
    """Send the number in international form: a plus sign, the country code, at most fifteen digits."""


class InvalidPhoneVerificationCode(
    CommunityBadRequest, code="INVALID_PHONE_VERIFICATION_CODE", status=400, retry="after-fix"
):
    """Codes live ten minutes and bear five tries. Type it again, or ask for a new one."""


class PhoneRateLimitExceeded(
    CommunityTooManyRequests, code="PHONE_RATE_LIMIT_EXCEEDED", status=429, retry="later"
):
    """Texts cost money: an account and a number get few of them in an hour. Wait `retry_after` seconds."""
