"""`/oauth2/applications/{application_id}/bot`: how one's bot looks. A bot is an account; its owner changes it."""

from __future__ import annotations

from msgspec import Struct

from flux.community import buckets, faults
from flux.community.account.service import AccountService
from flux.community.inputs import filled
from flux.community.media.rules import BODY_BYTES
from flux.community.oauth2.applications import ApplicationService
from flux.community.principals import ANYBODY
from flux.community.realtime.statuses import Statuses
from flux.community.users.records import UserRow
from flux.community.users.schemas import BotUpdate, UserPartial, UserUpdate
from flux.kernel.wire import Call, Routes, Snowflake

routes = Routes(tag="oauth2")


class BotProfile(Struct, frozen=True):
    id: str
    username: str
    discriminator: str
    avatar: str | None
    banner: str | None
    bio: str | None

    @classmethod
    def of(cls, row: UserRow) -> BotProfile:
        return cls(str(row.id), row.username, row.tag, row.avatar, row.banner, row.bio)


@routes.patch(
    "/oauth2/applications/{application_id}/bot",
    auth=ANYBODY,
    bucket=buckets.APPLICATION_UPDATE,
    body_limit=2 * BODY_BYTES,
    raises=[
        faults.UNKNOWN_APPLICATION, faults.FORBIDDEN, faults.UNKNOWN_USER, faults.CONTENT_BLOCKED, faults.TAG_ALREADY_TAKEN,
        faults.FILE_SIZE_TOO_LARGE, faults.EXPLICIT_CONTENT_CANNOT_BE_SENT,
    ],
)  # fmt: skip
async def change_bot(call: Call, application_id: Snowflake, body: BotUpdate) -> BotProfile:
    """Change the name, pictures and words of your application's bot; its guilds hear of it."""
    applications = call.use(ApplicationService)
    before = await applications.bot(await applications.own(call.principal.user, application_id))
    sent = filled(body)
    flags = sent.pop("bot_flags", None)
    changed = await call.use(AccountService).change(before, UserUpdate(**sent), None, flags)
    if UserPartial.of(changed) != UserPartial.of(before):
        await call.use(Statuses).tell(changed.id, ())
    return BotProfile.of(changed)
