"""Looking people up, and one's own settings."""

from __future__ import annotations

from flux.community import buckets, faults
from flux.community.principals import ANYBODY
from flux.community.users.schemas import (
    SettingsUpdate,
    TagCheck,
    TagQuery,
    UserPartial,
    UserSettings,
)
from flux.community.users.service import UserService
from flux.kernel.wire import Call, Routes, Snowflake

routes = Routes(tag="users")


@routes.get("/users/check-tag", auth=ANYBODY)
async def check_tag(call: Call, query: TagQuery) -> TagCheck:
    """Whether a username and discriminator are taken."""
    found = await call.use(UserService).by_tag(query.username.strip(), int(query.discriminator))
    return TagCheck(found is not None)


@routes.get("/users/@me/settings", auth=ANYBODY, bucket=buckets.SETTINGS_READ)
async def read_settings(call: Call) -> UserSettings:
    """Your settings."""
    return await call.use(UserService).settings(call.principal.user.id)


@routes.patch("/users/@me/settings", auth=ANYBODY)
async def change_settings(call: Call, body: SettingsUpdate) -> UserSettings:
    """Change some of your settings."""
    return await call.use(UserService).change_settings(call.principal.user.id, body)


@routes.get("/users/{user_id}", auth=ANYBODY, bucket=buckets.USER_READ, raises=[faults.UNKNOWN_USER])
async def read_user(call: Call, user_id: Snowflake) -> UserPartial:
    """Anybody's public face."""
    return UserPartial.of(await call.use(UserService).require(user_id))
