"""The SQL of address bans and of searching accounts."""

from __future__ import annotations

from flux.community.users.records import COLUMNS, UserRow
from flux.kernel.store import Reader, Transaction

BANS = "SELECT network FROM community_address_bans"
BAN = "INSERT INTO community_address_bans (network, created_at) VALUES (:network, :now) ON CONFLICT (network) DO NOTHING"
UNBAN = "DELETE FROM community_address_bans WHERE network = :network"
SEARCH = f"""
SELECT {COLUMNS} FROM community_users u WHERE u.username_folded = :text OR u.email_folded = :text ORDER BY u.id LIMIT 100
"""


async def address_bans(reader: Reader) -> list[str]:
    return await reader.all(BANS, {}, str)


async def ban_address(tx: Transaction, network: str, now: int) -> None:
    await tx.run(BAN, {"network": network, "now": now})


async def unban_address(tx: Transaction, network: str) -> None:
    await tx.run(UNBAN, {"network": network})


async def search_users(reader: Reader, text: str) -> list[UserRow]:
    """By username or address, exactly."""
    return await reader.all(SEARCH, {"text": text}, UserRow)
