"""`/users/@me`: reading, changing, disabling and deleting one's account."""

from __future__ import annotations

from flux.community import buckets, faults
from flux.community.account.service import AccountService
from flux.community.auth.schemas import SudoProof
from flux.community.auth.sudo import HEADER, SudoService
from flux.community.auth.sudo import REFUSALS as SUDO
from flux.community.principals import ANYBODY, Auth, scoped
from flux.community.users.schemas import UserPrivate, UserUpdate
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
    raises=[*SUDO, faults.CONTENT_BLOCKED, faults.TAG_ALREADY_TAKEN, faults.UNKNOWN_USER],
)
async def change_me(call: Call, body: UserUpdate) -> UserPrivate:
    """Change your account. Username, e-mail and password need a sudo proof."""
    changed = await call.use(AccountService).change(call.principal.user, body, call.header(HEADER.lower()))
    return call.use(UserService).private(changed)


@routes.post("/users/@me/disable", auth=ANYBODY, raises=[*SUDO, faults.USER_OWNS_GUILDS, faults.UNKNOWN_USER])
async def disable_me(call: Call, body: SudoProof) -> None:
    """Disable your account until you log in again."""
    await _prove(call, body)
    await call.use(AccountService).disable(call.principal.user)


@routes.post("/users/@me/delete", auth=ANYBODY, raises=[*SUDO, faults.USER_OWNS_GUILDS, faults.UNKNOWN_USER])
async def delete_me(call: Call, body: SudoProof) -> None:
    """Delete your account in fourteen days, unless you log in again."""
    await _prove(call, body)
    await call.use(AccountService).delete(call.principal.user)


async def _prove(call: Call, body: SudoProof) -> None:
    await call.use(SudoService).demand(
        call.principal.user, call.header(HEADER.lower()), body.password or None
    )
