"""The SQL of sessions, mail tokens and addresses."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from flux.kernel.store import Reader, Transaction


class SessionRow(Struct, frozen=True):
    token_hash: bytes
    user_id: int
    address: str
    platform: str | None
    user_agent: str | None
    created_at: int
    last_used_at: int


class TicketRow(Struct, frozen=True):
    ticket_hash: bytes
    user_id: int
    address: str
    expires_at: int
    sent_at: int
    resent: int
    completed: int


class MailToken(Struct, frozen=True):
    user_id: int
    email: str
    expires_at: int


SESSION_COLUMNS = "token_hash, user_id, address, platform, user_agent, created_at, last_used_at"
TICKET_COLUMNS = "ticket_hash, user_id, address, expires_at, sent_at, resent, completed"

ADD_SESSION = """
INSERT INTO community_sessions (token_hash, user_id, address, platform, user_agent, created_at, last_used_at)
VALUES (:token_hash, :user_id, :address, :platform, :user_agent, :now, :now)
"""
LIST_SESSIONS = f"SELECT {SESSION_COLUMNS} FROM community_sessions WHERE user_id = :user_id ORDER BY last_used_at DESC LIMIT 100"
DROP_SESSION = "DELETE FROM community_sessions WHERE token_hash = :hash AND user_id = :user_id"
REPLACE = "UPDATE community_sessions SET token_hash = :fresh WHERE token_hash = :hash"
DROP_OTHERS = """
DELETE FROM community_sessions WHERE user_id = :user_id AND token_hash <> :hash RETURNING token_hash
"""
TRIM = """
DELETE FROM community_sessions WHERE user_id = :user_id AND token_hash NOT IN (
    SELECT token_hash FROM community_sessions WHERE user_id = :user_id ORDER BY last_used_at DESC, token_hash LIMIT :most
) RETURNING token_hash
"""
DROP_SESSIONS = "DELETE FROM community_sessions WHERE user_id = :user_id"
TOUCH_SESSION = "UPDATE community_sessions SET last_used_at = :now WHERE token_hash = :hash"

KNOWN = "SELECT since FROM community_known_addresses WHERE user_id = :user_id AND address = :address"
KNOW = """
INSERT INTO community_known_addresses (user_id, address, since) VALUES (:user_id, :address, :now)
ON CONFLICT (user_id, address) DO NOTHING
"""

ADD_TICKET = """
INSERT INTO community_address_tickets (ticket_hash, token_hash, user_id, address, expires_at, sent_at)
VALUES (:ticket_hash, :token_hash, :user_id, :address, :expires_at, :now)
"""
TICKET_BY_TOKEN = f"SELECT {TICKET_COLUMNS} FROM community_address_tickets WHERE token_hash = :hash"
TICKET_BY_HASH = f"SELECT {TICKET_COLUMNS} FROM community_address_tickets WHERE ticket_hash = :hash"
COMPLETE_TICKET = "UPDATE community_address_tickets SET completed = 1 WHERE ticket_hash = :hash"
RESEND = """
UPDATE community_address_tickets SET token_hash = :token_hash, sent_at = :now, resent = resent + 1
WHERE ticket_hash = :hash AND sent_at <= :cooled AND resent < :most AND completed = 0
"""
FORGET = """
DELETE FROM community_known_addresses WHERE user_id = :user_id
    AND address NOT IN (SELECT address FROM community_sessions WHERE user_id = :user_id)
"""
DROP_TICKETS = "DELETE FROM community_address_tickets WHERE user_id = :user_id"
DROP_TICKET = "DELETE FROM community_address_tickets WHERE ticket_hash = :hash"

ADD_LETTER = """
INSERT INTO community_email_tokens (token_hash, user_id, purpose, email, expires_at)
VALUES (:hash, :user_id, :purpose, :email, :expires_at)
"""
USE_LETTER = """
DELETE FROM community_email_tokens WHERE token_hash = :hash AND purpose = :purpose RETURNING user_id, email, expires_at
"""
DROP_LETTERS = "DELETE FROM community_email_tokens WHERE user_id = :user_id AND purpose = :purpose"
FORGET_ALL = (
    "DELETE FROM community_known_addresses WHERE user_id = :user_id",
    "DELETE FROM community_address_tickets WHERE user_id = :user_id",
    "DELETE FROM community_email_tokens WHERE user_id = :user_id",
)
SWEEP = (
    "DELETE FROM community_email_tokens WHERE expires_at < :now",
    "DELETE FROM community_address_tickets WHERE expires_at < :now",
)


async def add_session(tx: Transaction, values: dict[str, Any]) -> None:
    await tx.run(ADD_SESSION, values)


async def sessions(reader: Reader, user_id: int) -> list[SessionRow]:
    return await reader.all(LIST_SESSIONS, {"user_id": user_id}, SessionRow)


async def drop_session(tx: Transaction, user_id: int, token_hash: bytes) -> bool:
    return await tx.run(DROP_SESSION, {"hash": token_hash, "user_id": user_id}) > 0


async def replace_session(tx: Transaction, token_hash: bytes, fresh_hash: bytes) -> bool:
    return await tx.run(REPLACE, {"hash": token_hash, "fresh": fresh_hash}) > 0


async def drop_other_sessions(tx: Transaction, user_id: int, token_hash: bytes) -> list[bytes]:
    """The hashes of those that ended."""
    return await tx.all(DROP_OTHERS, {"user_id": user_id, "hash": token_hash}, bytes)


async def trim_sessions(tx: Transaction, user_id: int, most: int) -> list[bytes]:
    """Only the `most` last used stay; the hashes of those that ended."""
    return await tx.all(TRIM, {"user_id": user_id, "most": most}, bytes)


async def drop_sessions(tx: Transaction, user_id: int) -> int:
    return await tx.run(DROP_SESSIONS, {"user_id": user_id})


async def touch_session(tx: Transaction, token_hash: bytes, now: int) -> None:
    await tx.run(TOUCH_SESSION, {"hash": token_hash, "now": now})


async def knows_address(reader: Reader, user_id: int, address: str) -> bool:
    return await reader.value(KNOWN, {"user_id": user_id, "address": address}) is not None


async def know_address(tx: Transaction, user_id: int, address: str, now: int) -> None:
    await tx.run(KNOW, {"user_id": user_id, "address": address, "now": now})


async def add_ticket(tx: Transaction, values: dict[str, Any]) -> None:
    await tx.run(ADD_TICKET, values)


async def ticket_by_token(reader: Reader, token_hash: bytes) -> TicketRow | None:
    return await reader.one(TICKET_BY_TOKEN, {"hash": token_hash}, TicketRow)


async def ticket(reader: Reader, ticket_hash: bytes) -> TicketRow | None:
    return await reader.one(TICKET_BY_HASH, {"hash": ticket_hash}, TicketRow)


async def complete_ticket(tx: Transaction, ticket_hash: bytes) -> None:
    await tx.run(COMPLETE_TICKET, {"hash": ticket_hash})


async def resend(
    tx: Transaction, ticket_hash: bytes, fresh_token_hash: bytes, now: int, cooled: int, most: int
) -> bool:
    """False while the last mail is younger than `cooled`, or when it was sent again `most` times."""
    values = {"hash": ticket_hash, "token_hash": fresh_token_hash, "now": now, "cooled": cooled, "most": most}
    return await tx.run(RESEND, values) > 0


async def forget_addresses(tx: Transaction, user_id: int) -> None:
    await tx.run(FORGET, {"user_id": user_id})


async def drop_ticket(tx: Transaction, ticket_hash: bytes) -> bool:
    return await tx.run(DROP_TICKET, {"hash": ticket_hash}) > 0


async def drop_tickets(tx: Transaction, user_id: int) -> None:
    await tx.run(DROP_TICKETS, {"user_id": user_id})


async def add_mail_token(tx: Transaction, values: dict[str, Any]) -> None:
    await tx.run(ADD_LETTER, values)


async def use_mail_token(tx: Transaction, token_hash: bytes, purpose: str) -> MailToken | None:
    """Each token works once; of two that use it at the same time only one gets it."""
    return await tx.one(USE_LETTER, {"hash": token_hash, "purpose": purpose}, MailToken)


async def drop_mail_tokens(tx: Transaction, user_id: int, purpose: str) -> None:
    await tx.run(DROP_LETTERS, {"user_id": user_id, "purpose": purpose})


async def sweep(tx: Transaction, now: int) -> None:
    for statement in SWEEP:
        await tx.run(statement, {"now": now})


async def forget_all(tx: Transaction, user_id: int) -> None:
    """Where the account logged in from, and every letter that could still let somebody in."""
    for statement in FORGET_ALL:
        await tx.run(statement, {"user_id": user_id})
