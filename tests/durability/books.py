"""The money of a running server, read from its database and added up again by somebody else."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from typing import Any

import asyncpg
from tests.harness.server import Server

OPEN = ("reserved", "dispatched")


async def rows(server: Server, sql: str) -> list[dict[str, Any]]:
    """What the database says, past the server."""
    url = server.command[server.command.index("--database") + 1] if "--database" in server.command else ""
    if url:
        connection = await asyncpg.connect(url)
        try:
            return [dict(row) for row in await connection.fetch(sql)]
        finally:
            await connection.close()
    opened = sqlite3.connect(f"file:{server.data_dir / 'flux.db'}?mode=ro", uri=True, timeout=20)
    try:
        opened.row_factory = sqlite3.Row
        return [dict(row) for row in opened.execute(sql)]
    finally:
        opened.close()


@dataclass
class Books:
    """Payments by key, the calls on account of each, and the movements of each in order."""

    payments: dict[str, dict[str, Any]]
    calls: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    movements: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    credits: dict[tuple[Any, ...], int] = field(default_factory=dict)

    @classmethod
    async def of(cls, server: Server) -> Books:
        payments = await rows(server, "SELECT * FROM paygate_payments")
        books = cls({row["payment_key"]: row for row in payments})
        for row in await rows(server, "SELECT * FROM paygate_calls ORDER BY created_at, id"):
            books.calls.setdefault(row["payment_key"], []).append(row)
        for row in await rows(server, "SELECT * FROM paygate_journal ORDER BY id"):
            books.movements.setdefault(row["payment"], []).append(row)
        for row in await rows(server, "SELECT * FROM paygate_credits"):
            books.credits[_account(row)] = row["hi"] * 10**18 + row["lo"]
        return books

    def check(self) -> None:
        """The journal says of every payment what the ledger says of it, to the unit; of every credit too."""
        assert set(self.movements) <= set(self.payments)
        for key, payment in self.payments.items():
            self._check_payment(key, payment)
        credit: dict[tuple[Any, ...], int] = {}
        for key, moves in self.movements.items():
            for move in moves:
                change = _credit_change(key, move)
                if change:
                    credit[_account(move)] = credit.get(_account(move), 0) + change
        for account in set(credit) | set(self.credits):
            assert credit.get(account, 0) == self.credits.get(account, 0), account

    def _check_payment(self, key: str, payment: dict[str, Any]) -> None:
        moves = self.movements.get(key, [])
        balance = 0
        for move in moves:
            balance += int(move["amount_base"])
            assert int(move["balance_after"]) == balance, (key, move)
        held = int(payment["paid_base"]) if payment["state"] in OPEN else 0
        assert balance == held, (key, payment["state"], moves)
        kinds = [move["kind"] for move in moves]
        charged = kinds.count("charge") - kinds.count("reversal")
        settled = payment["state"] == "consumed" and int(payment["required_base"]) > 0
        if key.startswith("eip3009:") and not payment["settled"]:
            settled = False  # refused for good before it moved any money
        assert charged == (1 if settled else 0), (payment, moves, self.calls.get(key))
        for move in moves:
            if move["kind"] == "charge":
                assert -int(move["amount_base"]) == int(payment["required_base"]), key
        consuming = [call for call in self.calls.get(key, []) if call["payment_status"] == "consumed"]
        assert len(consuming) == charged, (key, consuming)

    def of_transaction(self, chain_id: int, tx_hash: str) -> dict[str, Any] | None:
        return self.payments.get(f"tx:{chain_id}:{tx_hash}")


def _account(row: dict[str, Any]) -> tuple[Any, ...]:
    return row["payer"], row["api_id"], row["chain_id"], row["currency"]


def _credit_change(key: str, move: dict[str, Any]) -> int:
    """What a movement does to its payer's credit: deposits fill it, withdrawals empty it, calls are paid from it."""
    kinds = ("reserve", "release") if key.startswith("credit:") else ("deposit", "withdraw")
    return -int(move["amount_base"]) if move["kind"] in kinds else 0
