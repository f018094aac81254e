"""Finer codes of the wire contract about phones, text messages and new addresses. All are extensions."""

from flux.community.faults.table import community
from flux.kernel.faults import Retry

IP_AUTHORIZATION_RESEND_COOLDOWN = community.declare(
    "IP_AUTHORIZATION_RESEND_COOLDOWN", 429, "The mail was sent a moment ago", retry=Retry.LATER,
    advice="Wait `resend_available_in` seconds, then ask for the mail again.",
    params={"resend_available_in": int}, sample={"resend_available_in": 30},
)  # fmt: skip
IP_AUTHORIZATION_RESEND_LIMIT_EXCEEDED = community.declare(
    "IP_AUTHORIZATION_RESEND_LIMIT_EXCEEDED", 429, "The mail was sent again already", retry=Retry.AFTER_FIX,
    advice="A ticket sends its mail twice at most. Look into the spam folder, or log in again for a new ticket.",
)  # fmt: skip
SMS_MFA_REQUIRES_TOTP = community.declare(
    "SMS_MFA_REQUIRES_TOTP", 400, "Set up an authenticator app first", retry=Retry.AFTER_FIX,
    advice="Text messages are a second way beside one-time codes: `POST /users/@me/mfa/totp/enable`, then repeat.",
)  # fmt: skip
PHONE_REQUIRED_FOR_SMS_MFA = community.declare(
    "PHONE_REQUIRED_FOR_SMS_MFA", 400, "Add a phone number first", retry=Retry.AFTER_FIX,
    advice="Verify a number and add it with `POST /users/@me/phone`, then repeat.",
)  # fmt: skip
SMS_MFA_NOT_ENABLED = community.declare(
    "SMS_MFA_NOT_ENABLED", 400, "Codes by text message are not switched on",
    advice="The account does not use text messages as a second factor; offer another method.",
)  # fmt: skip
PHONE_ALREADY_USED = community.declare(
    "PHONE_ALREADY_USED", 400, "This phone number belongs to another account", retry=Retry.AFTER_FIX,
    advice="A number stands for one account. Remove it there first, or use another.",
)  # fmt: skip
INVALID_PHONE_NUMBER = community.declare(
    "INVALID_PHONE_NUMBER", 400, "This is not a phone number", retry=Retry.AFTER_FIX,
    advice="Send the number in international form: a plus sign, the country code, at most fifteen digits.",
)  # fmt: skip
INVALID_PHONE_VERIFICATION_CODE = community.declare(
    "INVALID_PHONE_VERIFICATION_CODE", 400, "The code is wrong or has expired", retry=Retry.AFTER_FIX,
    advice="Codes live ten minutes and bear five tries. Type it again, or ask for a new one.",
)  # fmt: skip
PHONE_RATE_LIMIT_EXCEEDED = community.declare(
    "PHONE_RATE_LIMIT_EXCEEDED", 429, "Too many text messages", retry=Retry.LATER,
    advice="Texts cost money: an account and a number get few of them in an hour. Wait `retry_after` seconds.",
    params={"retry_after": float}, sample={"retry_after": 1800.0}, headers={"Retry-After": "{retry_after}"},
)  # fmt: skip
