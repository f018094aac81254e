"""The only SQL about credit. A balance is hi × 10^18 + lo; every change is one statement, so that no two spend the same."""

from __future__ import annotations

from dataclasses import dataclass

from flux.kernel.store import Reader, Transaction

UNIT = 10**18
_KEY = "payer = :payer AND api_id = :api_id AND chain_id = :chain_id AND currency = :currency"


@dataclass(frozen=True, slots=True)
class Account:
    payer: str
    api_id: str
    chain_id: int
    currency: str

    def values(self, amount: int, now: int) -> dict[str, str | int]:
        return {
            "payer": self.payer,
            "api_id": self.api_id,
            "chain_id": self.chain_id,
            "currency": self.currency,
            "hi": amount // UNIT,
            "lo": amount % UNIT,
            "unit": UNIT,
            "now": now,
        }


async def balance(db: Reader, account: Account) -> int:
    found = await db.one(
        f"SELECT hi, lo FROM paygate_credits WHERE {_KEY}",
        account.values(0, 0),
        lambda hi, lo: hi * UNIT + lo,
    )
    return found or 0


async def add(tx: Transaction, account: Account, amount: int, now: int) -> None:
    await tx.run(
        "INSERT INTO paygate_credits (payer, api_id, chain_id, currency, hi, lo, updated_at)"
        " VALUES (:payer, :api_id, :chain_id, :currency, :hi, :lo, :now)"
        " ON CONFLICT (payer, api_id, chain_id, currency) DO UPDATE SET"
        " hi = paygate_credits.hi + CAST(:hi AS BIGINT) + CASE WHEN paygate_credits.lo + CAST(:lo AS BIGINT) >= CAST(:unit AS BIGINT) THEN 1 ELSE 0 END,"
        " lo = paygate_credits.lo + CAST(:lo AS BIGINT) - CASE WHEN paygate_credits.lo + CAST(:lo AS BIGINT) >= CAST(:unit AS BIGINT) THEN CAST(:unit AS BIGINT) ELSE 0 END,"
        " updated_at = :now",
        account.values(amount, now),
    )


async def spend(tx: Transaction, account: Account, amount: int, now: int) -> bool:
    """False when the balance is less."""
    changed = await tx.run(
        "UPDATE paygate_credits SET hi = hi - CAST(:hi AS BIGINT) - CASE WHEN lo < CAST(:lo AS BIGINT) THEN 1 ELSE 0 END,"
        " lo = lo - CAST(:lo AS BIGINT) + CASE WHEN lo < CAST(:lo AS BIGINT) THEN CAST(:unit AS BIGINT) ELSE 0 END, updated_at = :now"
        f" WHERE {_KEY} AND (hi > CAST(:hi AS BIGINT) OR (hi = CAST(:hi AS BIGINT) AND lo >= CAST(:lo AS BIGINT)))",
        account.values(amount, now),
    )
    return bool(changed)


async def of_payer(db: Reader, payer: str) -> list[tuple[Account, int, int]]:
    """(account, balance, when it changed last), largest listing ids last."""
    return await db.all(
        "SELECT payer, api_id, chain_id, currency, hi, lo, updated_at FROM paygate_credits WHERE payer = :payer"
        " ORDER BY api_id, chain_id, currency",
        {"payer": payer},
        lambda payer, api_id, chain_id, currency, hi, lo, at: (
            Account(payer, api_id, chain_id, currency),
            hi * UNIT + lo,
            at,
        ),
    )


async def use_digest(tx: Transaction, digest: bytes, expires_at: int) -> bool:
    """False when that signature has paid before."""
    changed = await tx.run(
        "INSERT INTO paygate_digests (digest, expires_at) VALUES (:digest, :expires_at) ON CONFLICT DO NOTHING",
        {"digest": digest, "expires_at": expires_at},
    )
    return bool(changed)


async def sweep(tx: Transaction, now: int) -> None:
    await tx.run("DELETE FROM paygate_digests WHERE expires_at <= :now", {"now": now})
