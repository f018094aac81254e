"""`/oauth2/@me/authorizations`: the applications one has let act for oneself."""

from __future__ import annotations

from flux.community import faults
from flux.community.oauth2.schemas import Authorization
from flux.community.oauth2.tokens import TokenService
from flux.community.principals import ANYBODY
from flux.kernel.wire import Call, Routes, Snowflake

routes = Routes(tag="oauth2", prefix="/oauth2/@me/authorizations")


@routes.get("", auth=ANYBODY)
async def list_authorizations(call: Call) -> list[Authorization]:
    """The applications that hold tokens of yours, oldest first."""
    return await call.use(TokenService).authorizations(call.principal.user.id)


@routes.delete("/{application_id}", auth=ANYBODY, raises=[faults.UNKNOWN_APPLICATION])
async def withdraw_authorization(call: Call, application_id: Snowflake) -> None:
    """Take back what you granted an application; its tokens end."""
    await call.use(TokenService).withdraw(call.principal.user.id, application_id)
