"""`/users/@me/settings`."""

from __future__ import annotations

from flux.community import buckets
from flux.community.account.preferences import PreferenceService
from flux.community.principals import ANYBODY
from flux.community.users.schemas import SettingsUpdate, UserSettings
from flux.community.users.service import UserService
from flux.kernel.wire import Call, Routes

routes = Routes(tag="users")


@routes.get("/users/@me/settings", auth=ANYBODY, bucket=buckets.SETTINGS_READ)
async def read_settings(call: Call) -> UserSettings:
    """Your settings."""
    return await call.use(UserService).settings(call.principal.user.id)


@routes.patch("/users/@me/settings", auth=ANYBODY)
async def change_settings(call: Call, body: SettingsUpdate) -> UserSettings:
    """Change some of your settings."""
    return await call.use(PreferenceService).change(call.principal.user, body)
