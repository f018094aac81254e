"""Account status and proofs, OAuth2, captcha, sudo, passkeys, connections, payments."""

from flux.community.faults.table import community
from flux.kernel.faults import Retry

ACCOUNT_DISABLED = community.declare(
    "ACCOUNT_DISABLED",
    403,
    "Account has been disabled",
    advice="An admin disabled the account. Only an admin can undo it; contact the operator.",
)
ACCOUNT_SUSPENDED_TEMPORARILY = community.declare(
    "ACCOUNT_SUSPENDED_TEMPORARILY", 403, "Account temporarily suspended", retry=Retry.AFTER_FIX,
    advice="The account is suspended until a date. Log in again after it; every session has been ended.",
)  # fmt: skip
ACCOUNT_SUSPENDED_PERMANENTLY = community.declare(
    "ACCOUNT_SUSPENDED_PERMANENTLY", 403, "Account permanently suspended",
    advice="The account is suspended for good. Contact the operator if you think this is a mistake.",
)  # fmt: skip
ACCOUNT_SCHEDULED_FOR_DELETION = community.declare(
    "ACCOUNT_SCHEDULED_FOR_DELETION", 403, "Account pending deletion",
    advice="An admin scheduled the account for deletion. Contact the operator before the date if this is a mistake.",
)  # fmt: skip
ACCOUNT_SUSPICIOUS_ACTIVITY = community.declare(
    "ACCOUNT_SUSPICIOUS_ACTIVITY", 403, "Suspicious activity detected", retry=Retry.AFTER_FIX,
    advice="The account must prove itself first: `data.suspicious_activity_flags` says with what (1, 2: e-mail; 4, 8: phone). `GET /users/@me`, the verification routes and logout still work.",
    params={"data": dict}, sample={"data": {"suspicious_activity_flags": 1}},
)  # fmt: skip

EMAIL_VERIFICATION_REQUIRED = community.declare(
    "EMAIL_VERIFICATION_REQUIRED", 403, "Email verification required", retry=Retry.AFTER_FIX,
    advice="Open the link in the verification mail (`POST /auth/verify/resend` sends another), then repeat.",
)  # fmt: skip
PHONE_VERIFICATION_REQUIRED = community.declare(
    "PHONE_VERIFICATION_REQUIRED", 403, "Phone verification required", retry=Retry.AFTER_FIX,
    advice="Verify the number with `/users/@me/phone/send-verification` and `/verify` and send the `phone_token` they give you.",
)  # fmt: skip
GUILD_PHONE_VERIFICATION_REQUIRED = community.declare(
    "GUILD_PHONE_VERIFICATION_REQUIRED", 403, "Guild requires phone verification", retry=Retry.AFTER_FIX,
    advice="This guild lets only members with a verified phone number speak. Add one to the account, or ask for a role.",
)  # fmt: skip
IP_AUTHORIZATION_REQUIRED = community.declare(
    "IP_AUTHORIZATION_REQUIRED", 403, "New IP requires authorization", retry=Retry.AFTER_FIX,
    advice="A mail with a link is on its way. Ask `/auth/ip-authorization/poll?ticket=…` until it says completed, or log in again after the link was opened.",
    params={"ip_authorization_required": bool, "ticket": str, "email": str, "resend_available_in": int},
    sample={"ip_authorization_required": True, "ticket": "sample-ticket", "email": "ada@example.org", "resend_available_in": 30},
)  # fmt: skip
TWO_FACTOR_REQUIRED = community.declare(
    "TWO_FACTOR_REQUIRED", 403, "Two-factor authentication required", retry=Retry.AFTER_FIX,
    advice="Switch on two-factor authentication for the account; some guilds ask it of everybody who moderates.",
)  # fmt: skip

INVALID_CLIENT = community.declare(
    "INVALID_CLIENT", 401, "Invalid OAuth2 client ID", headers={"WWW-Authenticate": 'Basic realm="oauth2"'},
    advice="No application has this client id. Copy it from `GET /oauth2/applications/@me`.",
)  # fmt: skip
INVALID_CLIENT_SECRET = community.declare(
    "INVALID_CLIENT_SECRET", 401, "Invalid client secret", headers={"WWW-Authenticate": 'Basic realm="oauth2"'},
    advice="The client id is right, the secret is wrong or missing. If it was lost, reset it: the old one cannot be shown again.",
)  # fmt: skip
INVALID_GRANT = community.declare(
    "INVALID_GRANT", 400, "Invalid authorization code or refresh token",
    advice="Codes work once, for ten minutes, for the application and redirect URI they were made for; a refresh token is replaced each time it is used. Start the authorization again.",
)  # fmt: skip
INVALID_SCOPE = community.declare(
    "INVALID_SCOPE", 400, "Invalid or unknown scope",
    advice="Ask for one or more of `identify email guilds connections bot`, separated by spaces.",
)  # fmt: skip
MISSING_OAUTH_SCOPE = community.declare(
    "MISSING_OAUTH_SCOPE", 403, "Missing required OAuth2 scope", retry=Retry.AFTER_FIX,
    advice="Send the user through authorization again and ask for the scope in `required_scope` too.",
    params={"required_scope": str}, sample={"required_scope": "guilds"},
)  # fmt: skip
MISSING_OAUTH_ADMIN_SCOPE = community.declare(
    "MISSING_OAUTH_ADMIN_SCOPE", 403, "Missing admin scope", retry=Retry.AFTER_FIX,
    advice="Admin routes take a session of an admin, an admin key, or a bearer with the `admin` scope.",
    params={"required_scope": str}, sample={"required_scope": "admin"},
)  # fmt: skip
INVALID_REDIRECT_URI = community.declare(
    "INVALID_REDIRECT_URI", 400, "Invalid redirect URI",
    advice="The redirect URI must be one of the application's, character for character, trailing slash included.",
)  # fmt: skip
UNSUPPORTED_RESPONSE_TYPE = community.declare(
    "UNSUPPORTED_RESPONSE_TYPE", 400, "Unsupported response type",
    advice="Only `response_type=code` exists. It may be left out when the scope is `bot` alone.",
)  # fmt: skip
UNSUPPORTED_GRANT_TYPE = community.declare(
    "UNSUPPORTED_GRANT_TYPE", 400, "Unsupported grant type",
    advice="Send `grant_type=authorization_code` or `refresh_token`.",
)  # fmt: skip

CAPTCHA_REQUIRED = community.declare(
    "CAPTCHA_REQUIRED", 400, "CAPTCHA verification required", retry=Retry.AFTER_FIX,
    advice="Solve the captcha that `/.well-known/fluxer` names and repeat with the solution in `X-Captcha-Token`.",
)  # fmt: skip
INVALID_CAPTCHA = community.declare(
    "INVALID_CAPTCHA", 400, "Invalid CAPTCHA response", retry=Retry.AFTER_FIX,
    advice="Solutions work once and not for long. Fetch a new challenge and solve that.",
)  # fmt: skip
IP_BANNED = community.declare(
    "IP_BANNED",
    403,
    "IP address is banned",
    advice="The operator has banned this address or network. Nothing works from here; contact the operator.",
)
SUDO_MODE_REQUIRED = community.declare(
    "SUDO_MODE_REQUIRED", 403, "Sudo mode required for operation", retry=Retry.AFTER_FIX,
    advice="Ask the person again: with `has_mfa` for a code (`mfa_method`, `mfa_code`), otherwise for the `password`; repeat with it in the body. Keep the `X-Fluxer-Sudo-Mode-JWT` you get for five minutes.",
    params={"has_mfa": bool}, sample={"has_mfa": False},
)  # fmt: skip
INVALID_SUDO_TOKEN = community.declare(
    "INVALID_SUDO_TOKEN", 401, "Invalid sudo token", retry=Retry.AFTER_FIX,
    advice="Sudo tokens live five minutes and belong to one user. Throw this one away and prove identity again.",
)  # fmt: skip

PASSKEYS_DISABLED = community.declare(
    "PASSKEYS_DISABLED",
    403,
    "Passkeys disabled",
    advice="This instance does not use passkeys; hide the option.",
)
NO_PASSKEYS_REGISTERED = community.declare(
    "NO_PASSKEYS_REGISTERED", 404, "No passkeys registered", retry=Retry.AFTER_FIX,
    advice="The account has none. Offer another method, or register one first.",
)  # fmt: skip
PASSKEY_AUTHENTICATION_FAILED = community.declare(
    "PASSKEY_AUTHENTICATION_FAILED", 401, "Passkey authentication failed", retry=Retry.AFTER_FIX,
    advice="Fetch new options and try again: a challenge works once, for five minutes, with a passkey of this account.",
)  # fmt: skip
UNKNOWN_WEBAUTHN_CREDENTIAL = community.declare(
    "UNKNOWN_WEBAUTHN_CREDENTIAL",
    404,
    "Unknown WebAuthn credential",
    advice="The account has no such passkey. Fetch the list again.",
)
INVALID_WEBAUTHN_CREDENTIAL = community.declare(
    "INVALID_WEBAUTHN_CREDENTIAL", 400, "Invalid credential",
    advice="The authenticator's answer does not verify. Fetch new registration options and pass the answer on unchanged.",
)  # fmt: skip
WEBAUTHN_CREDENTIAL_LIMIT_REACHED = community.declare(
    "WEBAUTHN_CREDENTIAL_LIMIT_REACHED", 400, "Credential limit reached ({max})", retry=Retry.AFTER_FIX,
    advice="Delete a passkey that is not used any more, then add the new one.",
    params={"max": int}, sample={"max": 10},
)  # fmt: skip

CONNECTION_NOT_FOUND = community.declare(
    "CONNECTION_NOT_FOUND",
    404,
    "Connection not found",
    advice="The account has no such connection. Fetch the list again.",
)
CONNECTION_ALREADY_EXISTS = community.declare(
    "CONNECTION_ALREADY_EXISTS",
    409,
    "Connection already exists",
    advice="The identifier is connected already; nothing is left to do.",
)
CONNECTION_VERIFICATION_FAILED = community.declare(
    "CONNECTION_VERIFICATION_FAILED", 400, "Connection verification failed", retry=Retry.AFTER_FIX,
    advice="The proof is not visible yet. Check the DNS record or file named in the instructions; DNS may take a while.",
)  # fmt: skip
CONNECTION_INVALID_TYPE = community.declare(
    "CONNECTION_INVALID_TYPE",
    400,
    "Invalid connection type",
    advice="Use `domain`, or `bsky` where the instance has it on.",
)
CONNECTION_INVALID_IDENTIFIER = community.declare(
    "CONNECTION_INVALID_IDENTIFIER", 400, "Invalid connection identifier",
    advice="Send a bare domain name such as `example.org`: no scheme, no path, no address.",
)  # fmt: skip
CONNECTION_LIMIT_REACHED = community.declare(
    "CONNECTION_LIMIT_REACHED", 400, "Connection limit reached ({max})", retry=Retry.AFTER_FIX,
    advice="Remove a connection first.", params={"max": int}, sample={"max": 20},
)  # fmt: skip

STRIPE_ERROR = community.declare(
    "STRIPE_ERROR", 400, "Stripe payment error",
    advice="The payment provider refused. Nothing was charged; try another card, or later.",
)  # fmt: skip
STRIPE_INVALID_PRODUCT = community.declare(
    "STRIPE_INVALID_PRODUCT",
    400,
    "Invalid product ID",
    advice="Take the price from `GET /premium/price-ids`.",
)
STRIPE_NO_ACTIVE_SUBSCRIPTION = community.declare(
    "STRIPE_NO_ACTIVE_SUBSCRIPTION",
    404,
    "No active subscription",
    advice="There is no subscription to change; offer to start one.",
)
PREMIUM_PURCHASE_BLOCKED = community.declare(
    "PREMIUM_PURCHASE_BLOCKED",
    403,
    "Premium purchase blocked",
    advice="This account cannot buy premium. Contact the operator.",
)
UNKNOWN_GIFT_CODE = community.declare(
    "UNKNOWN_GIFT_CODE", 404, "Gift code not found", advice="Check the code for typing errors."
)
GIFT_CODE_ALREADY_REDEEMED = community.declare(
    "GIFT_CODE_ALREADY_REDEEMED",
    400,
    "Gift code already redeemed",
    advice="A gift works once. Ask the giver who used it.",
)

TAG_ALREADY_TAKEN = community.declare(
    "TAG_ALREADY_TAKEN", 400, "That username and discriminator are taken",
    advice="Choose another username or discriminator; `GET /users/check-tag` tells whether one is free.",
)  # fmt: skip
USER_OWNS_GUILDS = community.declare(
    "USER_OWNS_GUILDS", 400, "Transfer or delete the guilds you own first", retry=Retry.AFTER_FIX,
    advice="An account that owns guilds cannot be disabled or deleted. Hand them over or delete them, then repeat.",
)  # fmt: skip
UNCLAIMED_ACCOUNT_CANNOT_CREATE_APPLICATIONS = community.declare(
    "UNCLAIMED_ACCOUNT_CANNOT_CREATE_APPLICATIONS", 400, "Claim your account with an email and password first",
    advice="Set an e-mail and a password with `PATCH /users/@me`, then create the application.", retry=Retry.AFTER_FIX,
)  # fmt: skip
BOT_IS_PRIVATE = community.declare(
    "BOT_IS_PRIVATE",
    403,
    "Only its owner may add this bot",
    advice="Ask the bot's owner to add it or to make it public.",
)
BOT_ALREADY_IN_GUILD = community.declare(
    "BOT_ALREADY_IN_GUILD",
    400,
    "The bot is already in this guild",
    advice="Nothing is left to do; change its roles instead.",
)
