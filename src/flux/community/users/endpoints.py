"""Looking people up."""

from __future__ import annotations

from flux.community import buckets, faults
from flux.community.principals import ANYBODY
from flux.community.users.schemas import TagCheck, TagQuery, UserPartial
from flux.community.users.service import UserService
from flux.kernel.wire import Call, Routes, Snowflake

routes = Routes(tag="users")


@routes.get("/users/check-tag", auth=ANYBODY)
async def check_tag(call: Call, query: TagQuery) -> TagCheck:
    """Whether a username and discriminator are taken."""
    found = await call.use(UserService).by_tag(query.username.strip(), int(query.discriminator))
    return TagCheck(found is not None)


@routes.get("/users/{user_id}", auth=ANYBODY, bucket=buckets.USER_READ, raises=[faults.UNKNOWN_USER])
async def read_user(call: Call, user_id: Snowflake) -> UserPartial:
    """Anybody's public face."""
    return UserPartial.of(await call.use(UserService).require(user_id))
