"""The SQL of membership."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flux.community.standing.records import MEMBER_COLUMNS, MemberRow
from flux.kernel.store import Database, Reader, Sql, Transaction

FIND = f"SELECT {MEMBER_COLUMNS} FROM community_guild_members m WHERE m.guild_id = :guild_id AND m.user_id = :user_id"
PAGE = f"""
SELECT {MEMBER_COLUMNS} FROM community_guild_members m
WHERE m.guild_id = :guild_id AND m.user_id > :after ORDER BY m.user_id LIMIT :limit
"""
SOME = f"SELECT {MEMBER_COLUMNS} FROM community_guild_members m WHERE m.guild_id = :guild_id AND m.user_id IN :users"
MATCHING = f"""
SELECT {MEMBER_COLUMNS} FROM community_guild_members m JOIN community_users u ON u.id = m.user_id
WHERE m.guild_id = :guild_id AND (SUBSTR(u.username_folded, 1, LENGTH(:prefix)) = :prefix
    OR SUBSTR(LOWER(u.global_name), 1, LENGTH(:prefix)) = :prefix OR SUBSTR(LOWER(m.nick), 1, LENGTH(:prefix)) = :prefix)
ORDER BY m.user_id LIMIT :limit
"""
ROLES_OF = """
SELECT mr.user_id, mr.role_id FROM community_member_roles mr JOIN community_guild_roles r ON r.id = mr.role_id
WHERE mr.guild_id = :guild_id AND mr.user_id IN :users ORDER BY r.position, r.id
"""
ROLES_IN = """
SELECT m.guild_id, mr.role_id FROM community_guild_members m
LEFT JOIN community_member_roles mr ON mr.guild_id = m.guild_id AND mr.user_id = m.user_id
WHERE m.user_id = :user_id AND m.guild_id IN :guilds
"""
_USER = "SELECT id FROM community_users WHERE id = :user_id"
USER_TURN = Sql(sqlite=_USER, postgres=f"{_USER} FOR NO KEY UPDATE")
COUNT_GUILDS = """
SELECT COUNT(*) FROM community_guild_members WHERE user_id = :user_id AND guild_id <> :but
"""
GUILD_IDS = "SELECT guild_id FROM community_guild_members WHERE user_id = :user_id ORDER BY guild_id"
ROLE_IDS = """
SELECT role_id FROM community_member_roles WHERE user_id = :user_id
    AND guild_id IN (SELECT guild_id FROM community_guild_members WHERE user_id = :user_id)
"""
TAKE_PLACE = "UPDATE community_guilds SET member_count = member_count + 1 WHERE id = :guild_id AND member_count < :most"
GIVE_PLACE = "UPDATE community_guilds SET member_count = member_count - 1 WHERE id = :guild_id"
INSERT = """
INSERT INTO community_guild_members (guild_id, user_id, joined_at, join_source, source_invite, inviter_id, temporary)
VALUES (:guild_id, :user_id, :joined_at, :join_source, :source_invite, :inviter_id, :temporary)
ON CONFLICT (guild_id, user_id) DO NOTHING
"""
DELETE = "DELETE FROM community_guild_members WHERE guild_id = :guild_id AND user_id = :user_id"
DROP_OVERWRITES = """
DELETE FROM community_channel_overwrites WHERE kind = 1 AND target_id = :user_id
AND channel_id IN (SELECT id FROM community_channels WHERE guild_id = :guild_id)
"""
ADD_ROLE = """
INSERT INTO community_member_roles (guild_id, user_id, role_id) VALUES (:guild_id, :user_id, :role_id)
ON CONFLICT (guild_id, user_id, role_id) DO NOTHING
"""
DROP_ROLE = "DELETE FROM community_member_roles WHERE guild_id = :guild_id AND user_id = :user_id AND role_id = :role_id"
DROP_ROLES = "DELETE FROM community_member_roles WHERE guild_id = :guild_id AND user_id = :user_id"
TEMPORARY = """
SELECT m.guild_id FROM community_guild_members m WHERE m.user_id = :user_id AND m.temporary = 1
AND NOT EXISTS (SELECT 1 FROM community_member_roles r WHERE r.guild_id = m.guild_id AND r.user_id = m.user_id)
"""
IN_COMMON = """
SELECT a.guild_id FROM community_guild_members a JOIN community_guild_members b ON b.guild_id = a.guild_id
WHERE a.user_id = :one AND b.user_id = :other
"""
_CHANGEABLE = frozenset(
    {
        "nick",
        "mute",
        "deaf",
        "timed_out_until",
        "avatar",
        "banner",
        "bio",
        "pronouns",
        "accent_color",
        "profile_flags",
    }
)


async def find(reader: Reader, guild_id: int, user_id: int) -> MemberRow | None:
    return await reader.one(FIND, {"guild_id": guild_id, "user_id": user_id}, MemberRow)


async def page(reader: Reader, guild_id: int, after: int, limit: int) -> list[MemberRow]:
    return await reader.all(PAGE, {"guild_id": guild_id, "after": after, "limit": limit}, MemberRow)


async def some(reader: Reader, guild_id: int, user_ids: list[int]) -> list[MemberRow]:
    return await reader.all(SOME, {"guild_id": guild_id, "users": user_ids}, MemberRow)


async def matching(db: Database, guild_id: int, prefix: str, limit: int) -> list[MemberRow]:
    return await db.scan(MATCHING, {"guild_id": guild_id, "prefix": prefix, "limit": limit}, MemberRow)


async def roles_of(reader: Reader, guild_id: int, user_ids: Iterable[int]) -> dict[int, list[int]]:
    """Role ids by user, lowest first; users without roles are absent."""
    found: dict[int, list[int]] = {}
    users = list(user_ids)
    for user_id, role_id in await reader.all(
        ROLES_OF, {"guild_id": guild_id, "users": users}, lambda *row: row
    ):
        found.setdefault(user_id, []).append(role_id)
    return found


async def roles_in(reader: Reader, user_id: int, guild_ids: list[int]) -> dict[int, list[int]]:
    """Role ids by guild the user is a member of."""
    found: dict[int, list[int]] = {}
    values = {"user_id": user_id, "guilds": guild_ids}
    for guild_id, role_id in await reader.all(ROLES_IN, values, lambda *row: row):
        roles = found.setdefault(guild_id, [])
        if role_id is not None:
            roles.append(role_id)
    return found


async def user_turn(tx: Transaction, user_id: int) -> None:
    """Wait until no other unit of work has the account's turn; it ends with the unit."""
    await tx.value(USER_TURN, {"user_id": user_id})


async def count_guilds(reader: Reader, user_id: int, but: int = 0) -> int:
    """Without the guild `but`."""
    return int(await reader.value(COUNT_GUILDS, {"user_id": user_id, "but": but}))


async def guild_ids(reader: Reader, user_id: int) -> list[int]:
    return await reader.all(GUILD_IDS, {"user_id": user_id}, int)


async def role_ids(reader: Reader, user_id: int) -> list[int]:
    """In every guild."""
    return await reader.all(ROLE_IDS, {"user_id": user_id}, int)


async def in_common(reader: Reader, one: int, other: int) -> list[int]:
    return await reader.all(IN_COMMON, {"one": one, "other": other}, int)


async def temporary_guilds(reader: Reader, user_id: int) -> list[int]:
    """Where the user is a member only as long as they are connected."""
    return await reader.all(TEMPORARY, {"user_id": user_id}, int)


async def take_place(tx: Transaction, guild_id: int, most: int) -> bool:
    """False when the guild is full; of two at the last place one gets it."""
    return await tx.run(TAKE_PLACE, {"guild_id": guild_id, "most": most}) > 0


async def insert(tx: Transaction, values: dict[str, Any]) -> bool:
    """False when they were a member already."""
    return await tx.run(INSERT, values) > 0


async def delete(tx: Transaction, guild_id: int, user_id: int) -> bool:
    if not await tx.run(DELETE, {"guild_id": guild_id, "user_id": user_id}):
        return False
    await tx.run(DROP_OVERWRITES, {"guild_id": guild_id, "user_id": user_id})
    await tx.run(GIVE_PLACE, {"guild_id": guild_id})
    return True


async def update(tx: Transaction, guild_id: int, user_id: int, values: dict[str, Any]) -> None:
    if not values:
        return
    assert values.keys() <= _CHANGEABLE
    assignments = ", ".join(f"{name} = :{name}" for name in sorted(values))
    sql = (
        f"UPDATE community_guild_members SET {assignments} WHERE guild_id = :guild_id AND user_id = :user_id"
    )
    await tx.run(sql, {**values, "guild_id": guild_id, "user_id": user_id})


async def add_role(tx: Transaction, guild_id: int, user_id: int, role_id: int) -> None:
    await tx.run(ADD_ROLE, {"guild_id": guild_id, "user_id": user_id, "role_id": role_id})


async def drop_role(tx: Transaction, guild_id: int, user_id: int, role_id: int) -> None:
    await tx.run(DROP_ROLE, {"guild_id": guild_id, "user_id": user_id, "role_id": role_id})


async def set_roles(tx: Transaction, guild_id: int, user_id: int, role_ids: Iterable[int]) -> None:
    await tx.run(DROP_ROLES, {"guild_id": guild_id, "user_id": user_id})
    for role_id in role_ids:
        await add_role(tx, guild_id, user_id, role_id)
