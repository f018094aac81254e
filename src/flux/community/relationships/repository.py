"""The SQL of relationships."""

from __future__ import annotations

from msgspec import Struct

from flux.kernel.store import Reader, Transaction


class RelationshipRow(Struct, frozen=True):
    user_id: int
    other_id: int
    type: int
    since: int
    nickname: str | None


COLUMNS = "user_id, other_id, type, since, nickname"
FIND = f"SELECT {COLUMNS} FROM community_relationships WHERE user_id = :user_id AND other_id = :other_id"
LIST = f"SELECT {COLUMNS} FROM community_relationships WHERE user_id = :user_id ORDER BY since, other_id"
COUNT = "SELECT COUNT(*) FROM community_relationships WHERE user_id = :user_id"
PUT = """
INSERT INTO community_relationships (user_id, other_id, type, since) VALUES (:user_id, :other_id, :type, :since)
ON CONFLICT (user_id, other_id) DO UPDATE SET type = excluded.type, since = excluded.since
"""
DROP = "DELETE FROM community_relationships WHERE user_id = :user_id AND other_id = :other_id"
MUTUAL = """
SELECT a.other_id FROM community_relationships a
JOIN community_relationships b ON b.user_id = :other_id AND b.other_id = a.other_id
WHERE a.user_id = :user_id AND a.type = 1 AND b.type = 1 ORDER BY a.other_id LIMIT 200
"""
FORGET = """
DELETE FROM community_relationships WHERE user_id = :user_id OR other_id = :user_id RETURNING user_id, other_id
"""
NICKNAME = "UPDATE community_relationships SET nickname = :nickname WHERE user_id = :user_id AND other_id = :other_id"


async def find(reader: Reader, user_id: int, other_id: int) -> RelationshipRow | None:
    return await reader.one(FIND, {"user_id": user_id, "other_id": other_id}, RelationshipRow)


async def list_of(reader: Reader, user_id: int) -> list[RelationshipRow]:
    return await reader.all(LIST, {"user_id": user_id}, RelationshipRow)


async def count(reader: Reader, user_id: int) -> int:
    return int(await reader.value(COUNT, {"user_id": user_id}))


async def put(tx: Transaction, user_id: int, other_id: int, kind: int, now: int) -> None:
    await tx.run(PUT, {"user_id": user_id, "other_id": other_id, "type": kind, "since": now})


async def drop(tx: Transaction, user_id: int, other_id: int) -> bool:
    return await tx.run(DROP, {"user_id": user_id, "other_id": other_id}) > 0


async def set_nickname(tx: Transaction, user_id: int, other_id: int, nickname: str | None) -> None:
    await tx.run(NICKNAME, {"user_id": user_id, "other_id": other_id, "nickname": nickname})


async def forget(tx: Transaction, user_id: int) -> list[tuple[int, int]]:
    """Every relationship of the account, on both sides: (whose, to whom)."""
    return await tx.all(FORGET, {"user_id": user_id}, lambda one, other: (one, other))


async def mutual_friends(reader: Reader, user_id: int, other_id: int) -> list[int]:
    return await reader.all(MUTUAL, {"user_id": user_id, "other_id": other_id}, int)
