"""`/users/@me/phone`."""

from __future__ import annotations

from flux.community import buckets, faults
from flux.community.auth.schemas import SudoProof
from flux.community.auth.sudo import REFUSALS as SUDO
from flux.community.auth.sudo import SudoService
from flux.community.phones.schemas import PhoneAdd, PhoneSend, PhoneToken, PhoneVerify
from flux.community.phones.service import PhoneService
from flux.community.principals import Auth
from flux.kernel.wire import Call, Routes

routes = Routes(tag="users", prefix="/users/@me/phone")
LENIENT = Auth(lenient=True)
"""These routes are how an account that owes a proof gives it."""


@routes.post(
    "/send-verification",
    auth=LENIENT,
    bucket=buckets.PHONE_SEND,
    raises=[faults.INVALID_PHONE_NUMBER, faults.PHONE_ALREADY_USED, faults.PHONE_RATE_LIMIT_EXCEEDED],
)
async def send(call: Call, body: PhoneSend) -> None:
    """Send a code to a phone number."""
    await call.use(PhoneService).send(call.principal.user, body.phone)


@routes.post(
    "/verify",
    auth=LENIENT,
    bucket=buckets.PHONE_VERIFY,
    raises=[faults.INVALID_PHONE_NUMBER, faults.INVALID_PHONE_VERIFICATION_CODE],
)
async def verify(call: Call, body: PhoneVerify) -> PhoneToken:
    """Turn the code into a token that stands for the number."""
    return PhoneToken(await call.use(PhoneService).verify(call.principal.user, body.phone, body.code))


@routes.post(
    "",
    auth=LENIENT,
    bucket=buckets.PHONE_VERIFY,
    raises=[*SUDO, faults.PHONE_VERIFICATION_REQUIRED, faults.PHONE_ALREADY_USED, faults.UNKNOWN_USER],
)
async def add(call: Call, body: PhoneAdd) -> None:
    """Add the number behind the token to your account; needs a sudo proof."""
    await call.use(SudoService).prove_call(call, body)
    await call.use(PhoneService).add(call.principal.user, body.phone_token)


@routes.delete("", auth=LENIENT, bucket=buckets.PHONE_VERIFY, raises=[*SUDO, faults.UNKNOWN_USER])
async def remove(call: Call, body: SudoProof = SudoProof()) -> None:
    """Remove your number; needs a sudo proof."""
    await call.use(SudoService).prove_call(call, body)
    await call.use(PhoneService).remove(call.principal.user)
