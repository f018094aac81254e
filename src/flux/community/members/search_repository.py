"""The SQL of searching members: conditions are added as they are asked for."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from flux.kernel.store import Database


class Found(Struct, frozen=True):
    user_id: int
    username: str
    discriminator: int
    global_name: str | None
    bot: int
    nick: str | None
    joined_at: int
    join_source: int
    source_invite: str | None
    inviter_id: int | None


FROM = (
    "FROM community_guild_members m JOIN community_users u ON u.id = m.user_id WHERE m.guild_id = :guild_id"
)
COLUMNS = (
    "m.user_id, u.username, u.discriminator, u.global_name, u.bot, m.nick, m.joined_at, m.join_source, m.source_invite, "
    "m.inviter_id"
)
CONDITIONS = {
    "query": """(SUBSTR(u.username_folded, 1, LENGTH(:query)) = :query
        OR SUBSTR(LOWER(u.global_name), 1, LENGTH(:query)) = :query OR SUBSTR(LOWER(m.nick), 1, LENGTH(:query)) = :query)""",
    "user_id": "m.user_id = :user_id",
    "joined_from": "m.joined_at >= :joined_from",
    "joined_to": "m.joined_at <= :joined_to",
    "made_from": "u.created_at >= :made_from",
    "made_to": "u.created_at <= :made_to",
    "bot": "u.bot = :bot",
    "sources": "m.join_source IN :sources",
    "invites": "m.source_invite IN :invites",
    "roles": """EXISTS (SELECT 1 FROM community_member_roles r WHERE r.guild_id = m.guild_id AND r.user_id = m.user_id
        AND r.role_id IN :roles)""",
}


async def search(
    db: Database, values: dict[str, Any], *, newest_first: bool, limit: int, offset: int
) -> tuple[list[Found], int]:
    """A page, and how many there are in all. `values` has `guild_id` and the conditions that are asked for."""
    wanted = " AND ".join(CONDITIONS[name] for name in values if name != "guild_id")
    where = f"{FROM} AND {wanted}" if wanted else FROM
    order = "DESC" if newest_first else "ASC"
    page = f"SELECT {COLUMNS} {where} ORDER BY m.joined_at {order}, m.user_id {order} LIMIT :limit OFFSET :offset"
    rows = await db.scan(page, {**values, "limit": limit, "offset": offset}, Found)
    count = await db.scan(f"SELECT COUNT(*) {where}", values, int)
    return rows, count[0]
