"""The only SQL about calls."""

from __future__ import annotations

from typing import Any

import msgspec

from flux.kernel.store import Database, Reader, Transaction
from flux.paygate.history.analytics import Sale
from flux.paygate.history.model import CallRow

_COLUMNS = ", ".join(CallRow.__struct_fields__)
_PLACES = ", ".join(f":{name}" for name in CallRow.__struct_fields__)


def _row(*values: Any) -> CallRow:
    return CallRow(**dict(zip(CallRow.__struct_fields__, values, strict=True)))


_INSERT = f"INSERT INTO paygate_calls ({_COLUMNS}) VALUES ({_PLACES})"
_AMEND = (
    "UPDATE paygate_calls SET status = :status, http_status = :http_status, error_code = :error_code,"
    " latency_ms = :latency_ms, response_bytes = :response_bytes, payment_status = :payment_status,"
    " completed_at = :completed_at WHERE id = :id"
)
_CLOSE = f"{_AMEND} AND status = 'in_progress'"


async def insert(tx: Transaction, row: CallRow) -> None:
    await tx.run(_INSERT, msgspec.structs.asdict(row))


async def close(tx: Transaction, call_id: str, values: dict[str, Any]) -> None:
    """Only a call that is still open."""
    await tx.run(_CLOSE, {"id": call_id, **values})


async def amend(tx: Transaction, call_id: str, values: dict[str, Any]) -> None:
    """A call that was closed in its absence."""
    await tx.run(_AMEND, {"id": call_id, **values})


async def finish(tx: Transaction, call_id: str, status: str, response_bytes: int, now: int) -> None:
    """A stream that was decided at its first byte has come to its end."""
    await tx.run(
        "UPDATE paygate_calls SET status = :status, response_bytes = :response_bytes, completed_at = :now"
        " WHERE id = :id",
        {"id": call_id, "status": status, "response_bytes": response_bytes, "now": now},
    )


async def set_payment_status(tx: Transaction, call_id: str, payment_status: str) -> None:
    await tx.run(
        "UPDATE paygate_calls SET payment_status = :payment_status WHERE id = :id",
        {"id": call_id, "payment_status": payment_status},
    )


async def set_transaction(tx: Transaction, call_id: str, tx_hash: str) -> None:
    await tx.run(
        "UPDATE paygate_calls SET tx_hash = :tx_hash WHERE id = :id", {"id": call_id, "tx_hash": tx_hash}
    )


async def get(db: Reader, call_id: str) -> CallRow | None:
    return await db.one(f"SELECT {_COLUMNS} FROM paygate_calls WHERE id = :id", {"id": call_id}, _row)


async def search(db: Database, where: dict[str, Any], limit: int, offset: int) -> tuple[list[CallRow], int]:
    """`where` has one of consumer or provider, and optionally api_id, status, since, until. Newest first."""
    conditions = [_CONDITIONS[name] for name in where]
    clause = " AND ".join(conditions)
    rows = await db.scan(
        f"SELECT {_COLUMNS} FROM paygate_calls WHERE {clause}"
        " ORDER BY created_at DESC, id DESC LIMIT :limit OFFSET :offset",
        {**where, "limit": limit, "offset": offset},
        _row,
    )
    [total] = await db.scan(f"SELECT count(*) FROM paygate_calls WHERE {clause}", where, int)
    return rows, total


_CONDITIONS = {
    "consumer": "consumer = :consumer",
    "provider": "provider = :provider",
    "api_id": "api_id = :api_id",
    "status": "status = :status",
    "since": "created_at >= :since",
    "until": "created_at <= :until",
}


async def stats(db: Database, api_id: str, since: int) -> tuple[int, int, int]:
    """(finished calls, distinct consumers, successes) of a listing."""
    [row] = await db.scan(
        "SELECT count(*), count(DISTINCT consumer), coalesce(sum(CASE WHEN status = 'success' THEN 1 ELSE 0 END), 0)"
        " FROM paygate_calls WHERE api_id = :api_id AND created_at >= :since AND status <> 'in_progress'",
        {"api_id": api_id, "since": since},
        lambda calls, consumers, successes: (int(calls), int(consumers), int(successes)),
    )
    return row


async def median_latency(db: Database, api_id: str, since: int, calls: int) -> int | None:
    found: list[int] = await db.scan(
        "SELECT latency_ms FROM paygate_calls WHERE api_id = :api_id AND created_at >= :since"
        " AND latency_ms IS NOT NULL AND status <> 'in_progress' ORDER BY latency_ms LIMIT 1 OFFSET :offset",
        {"api_id": api_id, "since": since, "offset": max(0, (calls - 1) // 2)},
        int,
    )
    return found[0] if found else None


async def active_listings(db: Database, since: int) -> list[str]:
    return await db.scan(
        "SELECT DISTINCT api_id FROM paygate_calls WHERE created_at >= :since",
        {"since": since},
        str,
    )


MOST_SALES = 200_000


def _sale(*values: Any) -> Sale:
    *known, amount, payment_status = values
    at, consumer, method, path, status, http_status, error_code, latency_ms, chain, currency = known
    return Sale(
        at, consumer, method, path, status, http_status, error_code, latency_ms, chain, currency, int(amount),
        payment_status,
    )  # fmt: skip


async def sales(db: Database, where: dict[str, Any]) -> list[Sale]:
    """The newest calls that ended, at most 200,000 of them. `where` as in `search`."""
    clause = " AND ".join(_CONDITIONS[name] for name in where)
    return await db.scan(
        "SELECT created_at, consumer, method, path, status, http_status, error_code, latency_ms, chain, currency,"
        f" amount_base, payment_status FROM paygate_calls WHERE {clause} AND status <> 'in_progress'"
        " ORDER BY created_at DESC LIMIT :most",
        {**where, "most": MOST_SALES},
        _sale,
    )
