"""The only SQL about payments, quotas and the journal. Every race is decided by a unique key or a conditional update."""

from __future__ import annotations

from typing import Any

from flux.kernel.store import Reader, Transaction
from flux.paygate.ledger.model import PaymentRow

_COLUMNS = ", ".join(PaymentRow.__struct_fields__)


async def get(db: Reader, key: str) -> PaymentRow | None:
    return await db.one(
        f"SELECT {_COLUMNS} FROM paygate_payments WHERE payment_key = :key", {"key": key}, PaymentRow
    )


async def by_transaction(db: Reader, chain_id: int, tx_hash: str) -> PaymentRow | None:
    """However it was paid: directly, or settled from an authorisation."""
    return await db.one(
        f"SELECT {_COLUMNS} FROM paygate_payments WHERE tx_hash = :tx_hash AND chain_id = :chain_id"
        " ORDER BY created_at DESC LIMIT 1",
        {"tx_hash": tx_hash, "chain_id": chain_id},
        PaymentRow,
    )


async def reserve(tx: Transaction, values: dict[str, Any]) -> bool:
    """False when somebody else has it, had it, or released it for another listing or payer."""
    won = await tx.value(
        "INSERT INTO paygate_payments (payment_key, state, chain_id, tx_hash, api_id, payer, call_id, lease_until,"
        " releases, currency, paid_base, required_base, block_number, block_hash, created_at, updated_at) VALUES"
        " (:key, :state, :chain_id, :tx_hash, :api_id, :payer, :call_id, :lease_until, 0, :currency, :paid_base,"
        " :required_base, :block_number, :block_hash, :now, :now)"
        " ON CONFLICT (payment_key) DO UPDATE SET state = :state, call_id = :call_id, lease_until = :lease_until,"
        " paid_base = :paid_base, required_base = :required_base,"
        " block_number = coalesce(:block_number, paygate_payments.block_number),"
        " block_hash = coalesce(:block_hash, paygate_payments.block_hash), updated_at = :now"
        " WHERE paygate_payments.api_id = :api_id AND paygate_payments.payer = :payer"
        " AND (paygate_payments.state = 'released' OR (paygate_payments.state = 'orphaned'"
        " AND paygate_payments.block_hash <> :block_hash)) RETURNING call_id",
        values,
    )
    return won is not None


async def dispatch(tx: Transaction, key: str, call_id: str, lease_until: int, now: int) -> bool:
    changed = await tx.run(
        "UPDATE paygate_payments SET state = 'dispatched', lease_until = :lease_until, updated_at = :now"
        " WHERE payment_key = :key AND call_id = :call_id AND state = 'reserved'",
        {"key": key, "call_id": call_id, "lease_until": lease_until, "now": now},
    )
    return bool(changed)


async def settle(
    tx: Transaction, row: PaymentRow, state: str, releases: int, final_at_block: int | None, now: int
) -> bool:
    """False when it is not as it was read any more: another process dispatched it, or settled it."""
    changed = await tx.run(
        "UPDATE paygate_payments SET state = :state, releases = :releases, final_at_block = :final_at_block,"
        " updated_at = :now WHERE payment_key = :key AND call_id = :call_id AND state = :was",
        {
            "key": row.payment_key,
            "call_id": row.call_id,
            "was": row.state,
            "state": state,
            "releases": releases,
            "final_at_block": final_at_block,
            "now": now,
        },
    )
    return bool(changed)


async def consume(tx: Transaction, key: str, call_id: str, now: int, *, final: bool) -> bool:
    """The usual end of a call, in one statement; False when its payment is settled already. What is `final` is not watched
    for reorganisations."""
    watched = "NULL" if final else "block_number"
    changed = await tx.run(
        f"UPDATE paygate_payments SET state = 'consumed', final_at_block = {watched}, updated_at = :now"
        " WHERE payment_key = :key AND call_id = :call_id AND state IN ('reserved', 'dispatched')",
        {"key": key, "call_id": call_id, "now": now},
    )
    return bool(changed)


async def take_again(tx: Transaction, key: str, call_id: str, now: int) -> bool:
    """What was given back when its call's lease ran out, or refused for good, and is settled by that call after all. False
    when somebody else has it by now."""
    changed = await tx.run(
        "UPDATE paygate_payments SET state = 'consumed', final_at_block = block_number, review = 0, updated_at = :now"
        " WHERE payment_key = :key AND call_id = :call_id AND state IN ('released', 'consumed') AND settled = 1",
        {"key": key, "call_id": call_id, "now": now},
    )
    return bool(changed)


async def mark_for_review(tx: Transaction, key: str) -> None:
    await tx.run("UPDATE paygate_payments SET review = 1 WHERE payment_key = :key", {"key": key})


async def run_out(db: Reader, now: int, limit: int) -> list[PaymentRow]:
    return await db.all(
        f"SELECT {_COLUMNS} FROM paygate_payments WHERE state IN ('reserved', 'dispatched') AND lease_until < :now"
        " ORDER BY lease_until LIMIT :limit",
        {"now": now, "limit": limit},
        PaymentRow,
    )


async def use_quota(tx: Transaction, api_id: str, consumer: str, period: str, limit: int) -> int | None:
    """How many are used now; None when all were used before."""
    used: int | None = await tx.value(
        "INSERT INTO paygate_quotas (api_id, consumer, period, used) VALUES (:api_id, :consumer, :period, 1)"
        " ON CONFLICT (api_id, consumer, period) DO UPDATE SET used = paygate_quotas.used + 1"
        " WHERE paygate_quotas.used < :limit RETURNING used",
        {"api_id": api_id, "consumer": consumer, "period": period, "limit": limit},
    )
    return used


async def quota_used(db: Reader, api_id: str, consumer: str, period: str) -> int:
    sql = (
        "SELECT used FROM paygate_quotas WHERE api_id = :api_id AND consumer = :consumer AND period = :period"
    )
    return int(await db.value(sql, {"api_id": api_id, "consumer": consumer, "period": period}) or 0)


async def give_back_quota(tx: Transaction, api_id: str, consumer: str, period: str) -> None:
    await tx.run(
        "UPDATE paygate_quotas SET used = used - 1 WHERE api_id = :api_id AND consumer = :consumer"
        " AND period = :period AND used > 0",
        {"api_id": api_id, "consumer": consumer, "period": period},
    )


async def write_journal(tx: Transaction, entries: list[dict[str, Any]]) -> None:
    await tx.run_many(
        "INSERT INTO paygate_journal (at, kind, payment, payer, api_id, chain_id, currency, amount_base, balance_after)"
        " VALUES (:at, :kind, :payment, :payer, :api_id, :chain_id, :currency, :amount_base, :balance_after)",
        entries,
    )


async def journal(db: Reader, after: int, limit: int) -> list[dict[str, Any]]:
    return await db.all(
        "SELECT id, at, kind, payment, payer, api_id, chain_id, currency, amount_base, balance_after"
        " FROM paygate_journal WHERE id > :after ORDER BY id LIMIT :limit",
        {"after": after, "limit": limit},
        lambda *values: dict(zip(JOURNAL, values, strict=True)),
    )


JOURNAL = (
    "id",
    "at",
    "kind",
    "payment",
    "payer",
    "apiId",
    "chainId",
    "currency",
    "amountBase",
    "balanceAfter",
)


async def note_settlement(tx: Transaction, key: str, call_id: str, tx_hash: str | None) -> None:
    """Before the settlement is broadcast, so that a crash does not lose it; None when it never was."""
    await tx.run(
        "UPDATE paygate_payments SET tx_hash = :tx_hash WHERE payment_key = :key AND call_id = :call_id",
        {"key": key, "call_id": call_id, "tx_hash": tx_hash},
    )


async def mark_settled(
    tx: Transaction, key: str, tx_hash: str, block_number: int | None, block_hash: str | None
) -> None:
    await tx.run(
        "UPDATE paygate_payments SET settled = 1, tx_hash = :tx_hash, block_number = :block_number,"
        " block_hash = :block_hash WHERE payment_key = :key",
        {"key": key, "tx_hash": tx_hash, "block_number": block_number, "block_hash": block_hash},
    )


async def insert_consumed(tx: Transaction, values: dict[str, Any]) -> bool:
    """A transaction that pays for no further call: a deposit of credit, or a settlement's own. False when known."""
    changed = await tx.run(
        "INSERT INTO paygate_payments (payment_key, state, chain_id, tx_hash, api_id, payer, call_id, lease_until,"
        " releases, currency, paid_base, required_base, block_number, block_hash, final_at_block, created_at,"
        " updated_at) VALUES (:key, 'consumed', :chain_id, :tx_hash, :api_id, :payer, :call_id, 0, 0, :currency,"
        " :paid_base, '0', :block_number, :block_hash, :block_number, :now, :now) ON CONFLICT DO NOTHING",
        values,
    )
    return bool(changed)


async def insert_deposit(tx: Transaction, values: dict[str, Any]) -> bool:
    """A payment that becomes credit, new or released by an earlier call of the same listing. False when it was used."""
    won = await tx.value(
        "INSERT INTO paygate_payments (payment_key, state, chain_id, tx_hash, api_id, payer, call_id, lease_until,"
        " releases, currency, paid_base, required_base, block_number, block_hash, final_at_block, created_at,"
        " updated_at) VALUES (:key, 'consumed', :chain_id, :tx_hash, :api_id, :payer, :call_id, 0, 0, :currency,"
        " :paid_base, '0', :block_number, :block_hash, :block_number, :now, :now)"
        " ON CONFLICT (payment_key) DO UPDATE SET state = 'consumed', call_id = :call_id, updated_at = :now,"
        " paid_base = :paid_base, required_base = '0',"
        " block_number = :block_number, block_hash = :block_hash, final_at_block = :block_number"
        " WHERE paygate_payments.api_id = :api_id AND paygate_payments.payer = :payer"
        " AND (paygate_payments.state = 'released' OR (paygate_payments.state = 'orphaned'"
        " AND paygate_payments.block_hash <> :block_hash)) RETURNING call_id",
        values,
    )
    return won is not None


async def has_orphans(db: Reader, payer: str) -> bool:
    sql = "SELECT 1 FROM paygate_payments WHERE payer = :payer AND state = 'orphaned' LIMIT 1"
    return await db.value(sql, {"payer": payer}) is not None


async def watched(db: Reader, chain_id: int, block: int, key: str, limit: int) -> list[PaymentRow]:
    """Consumed payments that are not final yet, oldest blocks first, after the one of `block` and `key`."""
    return await db.all(
        f"SELECT {_COLUMNS} FROM paygate_payments WHERE chain_id = :chain_id AND final_at_block IS NOT NULL"
        " AND state = 'consumed' AND (block_number, payment_key) > (:block, :key)"
        " ORDER BY block_number, payment_key LIMIT :limit",
        {"chain_id": chain_id, "block": block, "key": key, "limit": limit},
        PaymentRow,
    )


async def leave(tx: Transaction, keys: list[str]) -> None:
    """The payments are final and need no watching."""
    await tx.run(
        "UPDATE paygate_payments SET final_at_block = NULL WHERE payment_key IN :keys", {"keys": keys}
    )


async def watch_at(tx: Transaction, key: str, block_number: int, block_hash: str) -> None:
    """The payment stands in another block now."""
    await tx.run(
        "UPDATE paygate_payments SET block_number = :block_number, block_hash = :block_hash,"
        " final_at_block = :block_number WHERE payment_key = :key",
        {"key": key, "block_number": block_number, "block_hash": block_hash},
    )


async def orphan(tx: Transaction, key: str, block_hash: str | None, now: int) -> bool:
    """False when it changed meanwhile."""
    changed = await tx.run(
        "UPDATE paygate_payments SET state = 'orphaned', final_at_block = NULL, updated_at = :now"
        " WHERE payment_key = :key AND state = 'consumed' AND block_hash = :block_hash",
        {"key": key, "block_hash": block_hash, "now": now},
    )
    return bool(changed)
