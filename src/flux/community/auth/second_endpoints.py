"""The second step of a login, and logging in with a passkey alone."""

from __future__ import annotations

from typing import Any

from flux.community import buckets, faults
from flux.community.auth.endpoints import REFUSALS, origin
from flux.community.auth.schemas import Issued, MfaCode, MfaPasskey, Ticket
from flux.community.auth.secondstep import SecondStep
from flux.community.passkeys.schemas import PasskeyAnswer
from flux.community.passkeys.service import PasskeyService
from flux.community.principals import OPEN
from flux.kernel.wire import Call, Routes

routes = Routes(tag="auth", prefix="/auth")
PASSKEY = (faults.PASSKEYS_DISABLED, faults.PASSKEY_AUTHENTICATION_FAILED)


@routes.post("/login/mfa/totp", auth=OPEN, bucket=buckets.LOGIN_MFA, raises=REFUSALS)
async def login_with_code(call: Call, body: MfaCode) -> Issued:
    """Finish a login with a one-time code or a backup code."""
    return await call.use(SecondStep).code(body.ticket, body.code, origin(call))


@routes.post("/login/mfa/sms", auth=OPEN, bucket=buckets.LOGIN_MFA, raises=REFUSALS)
async def login_with_text(call: Call, body: MfaCode) -> Issued:
    """Finish a login with the code of a text message."""
    return await call.use(SecondStep).text(body.ticket, body.code, origin(call))


@routes.post(
    "/login/mfa/sms/send",
    auth=OPEN,
    bucket=buckets.LOGIN_MFA_TEXT,
    raises=[faults.SMS_MFA_NOT_ENABLED, faults.PHONE_RATE_LIMIT_EXCEEDED, faults.UNKNOWN_USER],
)
async def send_text(call: Call, body: Ticket) -> None:
    """Send that code to the account's phone."""
    await call.use(SecondStep).send_text(body.ticket)


@routes.post(
    "/login/mfa/webauthn/authentication-options",
    auth=OPEN,
    bucket=buckets.PASSKEY_OPTIONS,
    raises=[faults.PASSKEYS_DISABLED, faults.NO_PASSKEYS_REGISTERED, faults.UNKNOWN_USER],
)
async def second_step_options(call: Call, body: Ticket) -> dict[str, Any]:
    """What the browser needs to ask for one of the account's passkeys."""
    return await call.use(SecondStep).passkey_options(body.ticket)


@routes.post("/login/mfa/webauthn", auth=OPEN, bucket=buckets.LOGIN_MFA, raises=[*REFUSALS, *PASSKEY])
async def login_with_passkey_after(call: Call, body: MfaPasskey) -> Issued:
    """Finish a login with a passkey."""
    return await call.use(SecondStep).passkey(body, origin(call))


@routes.post(
    "/webauthn/authentication-options",
    auth=OPEN,
    bucket=buckets.PASSKEY_OPTIONS,
    raises=[faults.PASSKEYS_DISABLED],
)
async def passkey_options(call: Call) -> dict[str, Any]:
    """What the browser needs to ask for any passkey of this instance."""
    return await call.use(PasskeyService).login_options()


@routes.post("/webauthn/authenticate", auth=OPEN, bucket=buckets.PASSKEY_LOGIN, raises=[*REFUSALS, *PASSKEY])
async def login_with_passkey(call: Call, body: PasskeyAnswer) -> Issued:
    """Log in with a passkey and nothing else."""
    return await call.use(SecondStep).passkey_alone(body, origin(call))
