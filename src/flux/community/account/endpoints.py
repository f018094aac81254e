"""`/users/@me`: reading, changing, disabling and deleting one's account."""

from __future__ import annotations

from flux.community import buckets, faults
from flux.community.account.service import AccountService
from flux.community.auth.schemas import SudoProof
from flux.community.auth.sudo import REFUSALS as SUDO
from flux.community.auth.sudo import SudoService
from flux.community.media.rules import BODY_BYTES
from flux.community.principals import ANYBODY, Auth, scoped
from flux.community.realtime.statuses import Statuses
from flux.community.users.schemas import UserPartial, UserPrivate, UserUpdate
from flux.community.users.service import UserService
from flux.kernel.wire import Call, Routes

routes = Routes(tag="users")


@routes.get("/users/@me", auth=scoped("identify", lenient=True), bucket=buckets.USER_READ)
async def read_me(call: Call) -> UserPrivate:
    """Your own account; a bearer without the scope `email` does not see the address."""
    principal = call.principal
    return call.use(UserService).private(
        principal.user, email=principal.kind != "bearer" or "email" in principal.scopes
    )


@routes.patch(
    "/users/@me",
    auth=Auth(lenient=True),
    bucket=buckets.PROFILE_UPDATE,
    body_limit=2 * BODY_BYTES,
    raises=[
        *SUDO, faults.CONTENT_BLOCKED, faults.TAG_ALREADY_TAKEN, faults.UNKNOWN_USER, faults.FILE_SIZE_TOO_LARGE,
        faults.EXPLICIT_CONTENT_CANNOT_BE_SENT,
    ],
)  # fmt: skip
async def change_me(call: Call, body: UserUpdate) -> UserPrivate:
    """Change your account. Username, e-mail and password need a sudo proof."""
    service = call.use(AccountService)
    if service.needs_proof(body):
        proof = SudoProof(
            password=body.password, mfa_method=body.mfa_method, mfa_code=body.mfa_code,
            webauthn_response=body.webauthn_response, webauthn_challenge=body.webauthn_challenge,
        )  # fmt: skip
        await call.use(SudoService).prove_call(call, proof)
    before = call.principal.user
    changed = await service.change(before, body, call.principal.session)
    if UserPartial.of(changed) != UserPartial.of(before):
        await call.use(Statuses).tell(changed.id, ())
    return call.use(UserService).private(changed)


@routes.post("/users/@me/disable", auth=ANYBODY, raises=[*SUDO, faults.USER_OWNS_GUILDS, faults.UNKNOWN_USER])
async def disable_me(call: Call, body: SudoProof) -> None:
    """Disable your account until you log in again."""
    await call.use(SudoService).prove_call(call, body)
    await call.use(AccountService).disable(call.principal.user)


@routes.post("/users/@me/delete", auth=ANYBODY, raises=[*SUDO, faults.USER_OWNS_GUILDS, faults.UNKNOWN_USER])
async def delete_me(call: Call, body: SudoProof) -> None:
    """Delete your account in fourteen days, unless you log in again."""
    await call.use(SudoService).prove_call(call, body)
    await call.use(AccountService).delete(call.principal.user)
