"""`/users/@me/mfa/webauthn/credentials`."""

from __future__ import annotations

from typing import Any

from flux.community import buckets, faults
from flux.community.auth.schemas import SudoProof
from flux.community.auth.sudo import REFUSALS as SUDO
from flux.community.auth.sudo import SudoService
from flux.community.mfa.schemas import PasskeyRegister, PasskeyRename
from flux.community.passkeys.schemas import PasskeyAnswer, PasskeyView
from flux.community.passkeys.service import PasskeyService
from flux.community.principals import ANYBODY
from flux.kernel.wire import Call, Routes

routes = Routes(tag="users", prefix="/users/@me/mfa/webauthn/credentials")
CHANGE = (*SUDO, faults.UNKNOWN_WEBAUTHN_CREDENTIAL, faults.UNKNOWN_USER)


@routes.get("", auth=ANYBODY, raises=[faults.PASSKEYS_DISABLED])
async def list_passkeys(call: Call) -> list[PasskeyView]:
    """Your passkeys, oldest first."""
    return await call.use(PasskeyService).listing(call.principal.user.id)


@routes.post(
    "/registration-options",
    auth=ANYBODY,
    bucket=buckets.PASSKEY_OPTIONS,
    raises=[*SUDO, faults.WEBAUTHN_CREDENTIAL_LIMIT_REACHED],
)
async def registration_options(call: Call, body: SudoProof = SudoProof()) -> dict[str, Any]:
    """What the browser needs to make a passkey."""
    call.use(PasskeyService).demand_enabled()
    await call.use(SudoService).prove_call(call, body)
    return await call.use(PasskeyService).registration_options(call.principal.user)


@routes.post(
    "",
    auth=ANYBODY,
    bucket=buckets.PASSKEY_WRITE,
    raises=[
        *SUDO, faults.INVALID_WEBAUTHN_CREDENTIAL, faults.WEBAUTHN_CREDENTIAL_LIMIT_REACHED, faults.UNKNOWN_USER,
    ],
)  # fmt: skip
async def register(call: Call, body: PasskeyRegister) -> None:
    """Keep the passkey that the authenticator made."""
    service = call.use(PasskeyService)
    service.demand_enabled()
    await call.use(SudoService).prove_call(call, body)
    await service.register(call.principal.user, PasskeyAnswer(body.response, body.challenge), body.name)


@routes.patch("/{credential_id}", auth=ANYBODY, bucket=buckets.PASSKEY_WRITE, raises=CHANGE)
async def rename(call: Call, credential_id: str, body: PasskeyRename) -> None:
    """Call a passkey something else."""
    service = call.use(PasskeyService)
    service.demand_enabled()
    await call.use(SudoService).prove_call(call, body)
    await service.rename(call.principal.user.id, credential_id, body.name)


@routes.delete("/{credential_id}", auth=ANYBODY, bucket=buckets.PASSKEY_WRITE, raises=CHANGE)
async def delete(call: Call, credential_id: str, body: SudoProof = SudoProof()) -> None:
    """Forget a passkey."""
    service = call.use(PasskeyService)
    service.demand_enabled()
    await call.use(SudoService).prove_call(call, body)
    await service.delete(call.principal.user.id, credential_id)
