"""The SQL of roles."""

from __future__ import annotations

from typing import Any

from flux.community.standing.records import ROLE_COLUMNS, RoleRow
from flux.kernel.store import Reader, Transaction

LIST_MANY = f"SELECT {ROLE_COLUMNS} FROM community_guild_roles r WHERE r.guild_id IN :guilds ORDER BY r.position, r.id"
LIST = f"SELECT {ROLE_COLUMNS} FROM community_guild_roles r WHERE r.guild_id = :guild_id ORDER BY r.position, r.id"
FIND = f"SELECT {ROLE_COLUMNS} FROM community_guild_roles r WHERE r.id = :id AND r.guild_id = :guild_id"
COUNT = "SELECT COUNT(*) FROM community_guild_roles WHERE guild_id = :guild_id"
INSERT = """
INSERT INTO community_guild_roles (id, guild_id, name, color, position, hoist, mentionable, permissions)
VALUES (:id, :guild_id, :name, :color, :position, :hoist, :mentionable, :permissions)
"""
RAISE = "UPDATE community_guild_roles SET position = position + 1 WHERE guild_id = :guild_id AND position >= :position"
HOLDERS = "SELECT user_id FROM community_member_roles WHERE role_id = :id ORDER BY user_id LIMIT :limit"
DELETE = "DELETE FROM community_guild_roles WHERE id = :id AND guild_id = :guild_id"
DELETE_OVERWRITES = "DELETE FROM community_channel_overwrites WHERE target_id = :id AND kind = 0"
MOVE = "UPDATE community_guild_roles SET position = :position WHERE id = :id AND guild_id = :guild_id"
HOIST = "UPDATE community_guild_roles SET hoist_position = :position WHERE id = :id AND guild_id = :guild_id"
FLATTEN = "UPDATE community_guild_roles SET hoist_position = NULL WHERE guild_id = :guild_id"
_CHANGEABLE = frozenset({"name", "color", "permissions", "hoist", "hoist_position", "mentionable"})


async def list_many(reader: Reader, guild_ids: list[int]) -> list[RoleRow]:
    """Of all these guilds, lowest first."""
    return await reader.all(LIST_MANY, {"guilds": guild_ids}, RoleRow)


async def list_roles(reader: Reader, guild_id: int) -> list[RoleRow]:
    """Lowest first."""
    return await reader.all(LIST, {"guild_id": guild_id}, RoleRow)


async def find(reader: Reader, guild_id: int, role_id: int) -> RoleRow | None:
    return await reader.one(FIND, {"id": role_id, "guild_id": guild_id}, RoleRow)


async def count(reader: Reader, guild_id: int) -> int:
    return int(await reader.value(COUNT, {"guild_id": guild_id}))


async def insert(tx: Transaction, values: dict[str, Any]) -> None:
    await tx.run(INSERT, values)


async def make_room(tx: Transaction, guild_id: int, position: int) -> int:
    """Move the roles at `position` and above up by one; how many moved."""
    return await tx.run(RAISE, {"guild_id": guild_id, "position": position})


async def update(tx: Transaction, guild_id: int, role_id: int, values: dict[str, Any]) -> None:
    if not values:
        return
    assert values.keys() <= _CHANGEABLE
    assignments = ", ".join(f"{name} = :{name}" for name in sorted(values))
    sql = f"UPDATE community_guild_roles SET {assignments} WHERE id = :role_id AND guild_id = :guild_id"
    await tx.run(sql, {**values, "role_id": role_id, "guild_id": guild_id})


async def move(tx: Transaction, guild_id: int, positions: dict[int, int]) -> None:
    await tx.run_many(
        MOVE, [{"guild_id": guild_id, "id": role, "position": at} for role, at in positions.items()]
    )


async def hoist(tx: Transaction, guild_id: int, positions: dict[int, int] | None) -> None:
    """None forgets them all."""
    if positions is None:
        await tx.run(FLATTEN, {"guild_id": guild_id})
        return
    values = [{"guild_id": guild_id, "id": role, "position": at} for role, at in positions.items()]
    await tx.run_many(HOIST, values)


async def holders(reader: Reader, role_id: int, limit: int) -> list[int]:
    """The users who have it."""
    return await reader.all(HOLDERS, {"id": role_id, "limit": limit}, int)


async def delete(tx: Transaction, guild_id: int, role_id: int) -> None:
    """With its overwrites; members lose it by the foreign key."""
    await tx.run(DELETE_OVERWRITES, {"id": role_id})
    await tx.run(DELETE, {"id": role_id, "guild_id": guild_id})
