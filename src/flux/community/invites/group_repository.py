"""The SQL of the invites of groups."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from flux.community.invites.repository import ALIVE
from flux.kernel.store import Reader, Transaction


class GroupInviteRow(Struct, frozen=True):
    code: str
    channel_id: int
    inviter_id: int
    max_age: int
    max_uses: int
    uses: int
    created_at: int
    expires_at: int | None


COLUMNS = "code, channel_id, inviter_id, max_age, max_uses, uses, created_at, expires_at"
FIND = f"SELECT {COLUMNS} FROM community_group_invites WHERE code = :code AND {ALIVE}"
SIMILAR = f"""
SELECT {COLUMNS} FROM community_group_invites WHERE channel_id = :channel_id AND inviter_id = :inviter_id
AND max_age = :max_age AND max_uses = :max_uses AND {ALIVE} ORDER BY created_at DESC LIMIT 1
"""
OF_CHANNEL = (
    f"SELECT {COLUMNS} FROM community_group_invites WHERE channel_id = :id AND {ALIVE} ORDER BY created_at"
)
COUNT = f"SELECT COUNT(*) FROM community_group_invites WHERE channel_id = :channel_id AND {ALIVE}"
INSERT = """
INSERT INTO community_group_invites (code, channel_id, inviter_id, max_age, max_uses, created_at, expires_at)
VALUES (:code, :channel_id, :inviter_id, :max_age, :max_uses, :created_at, :expires_at)
"""
USE = f"UPDATE community_group_invites SET uses = uses + 1 WHERE code = :code AND {ALIVE}"
DELETE = "DELETE FROM community_group_invites WHERE code = :code"
SWEEP = "DELETE FROM community_group_invites WHERE expires_at < :now"


async def find(reader: Reader, code: str, now: int) -> GroupInviteRow | None:
    """None when it expired or was used up."""
    return await reader.one(FIND, {"code": code, "now": now}, GroupInviteRow)


async def similar(reader: Reader, values: dict[str, Any]) -> GroupInviteRow | None:
    wanted = ("channel_id", "inviter_id", "max_age", "max_uses")
    params = {name: values[name] for name in wanted} | {"now": values["created_at"]}
    return await reader.one(SIMILAR, params, GroupInviteRow)


async def of_channel(reader: Reader, channel_id: int, now: int) -> list[GroupInviteRow]:
    return await reader.all(OF_CHANNEL, {"id": channel_id, "now": now}, GroupInviteRow)


async def count(reader: Reader, channel_id: int, now: int) -> int:
    return int(await reader.value(COUNT, {"channel_id": channel_id, "now": now}))


async def insert(tx: Transaction, values: dict[str, Any]) -> None:
    await tx.run(INSERT, values)


async def use(tx: Transaction, code: str, now: int) -> bool:
    """False when somebody else took the last use."""
    return await tx.run(USE, {"code": code, "now": now}) > 0


async def delete(tx: Transaction, code: str) -> None:
    await tx.run(DELETE, {"code": code})


async def sweep(tx: Transaction, now: int) -> None:
    await tx.run(SWEEP, {"now": now})
