"""The post office: takes letters into the outbox table, and delivers them from there by jobs."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import msgspec

from flux.kernel.faults.ports import PortFailure, Ports
from flux.kernel.jobs.port import Jobs
from flux.kernel.post.carrier import Carrier, Undeliverable
from flux.kernel.post.port import Letter
from flux.kernel.post.repository import OutboxTable, QueuedLetter, StoredLetter
from flux.kernel.store.clock import Clock, iso
from flux.kernel.store.port import Database, Transaction

logger = logging.getLogger("flux.post")

DELIVER = "post.deliver"
SWEEP = "post.sweep"

_SWEEP_SECONDS = 3600.0
_DAY_MS = 86_400_000


class StorePost:
    """`Post` on the store. `keep_content` is for the sandbox: elsewhere a letter's text and data, which hold
    tokens and links, are erased as soon as it is sent or given up."""

    def __init__(
        self,
        db: Database,
        jobs: Jobs,
        clock: Clock,
        ports: Ports,
        carriers: Mapping[str, Carrier],
        *,
        keep_days: float,
        keep_content: bool,
    ) -> None:
        self._db = db
        self._jobs = jobs
        self._clock = clock
        self._ports = ports
        self._carriers = carriers
        self._keep_ms = round(keep_days * _DAY_MS)
        self._keep_content = keep_content
        self._table = OutboxTable()
        jobs.handle(DELIVER, self._deliver)
        jobs.every(SWEEP, _SWEEP_SECONDS, self._sweep)

    async def send(self, tx: Transaction, letter: Letter) -> None:
        letter_id = await self._table.add(tx, letter, self._clock.now_ms())
        await self._jobs.enqueue(tx, DELIVER, {"id": letter_id})

    async def _deliver(self, payload: dict[str, Any]) -> None:
        letter = await self._table.unsent(self._db, payload["id"])
        if letter is None:
            return  # sent already: the process died before the job was marked done
        try:
            if self._ports.enabled:
                await self._ports.strike(letter.channel)
            await self._carriers[letter.channel].carry(letter)
        except Undeliverable as refusal:
            logger.warning("%s %d is undeliverable: %s", letter.channel, letter.id, refusal)
            await self._settle(letter, f"undeliverable: {refusal}", final=True)
        except PortFailure as failure:
            await self._settle(letter, f"{failure.mode.value}: {failure.reason}", final=False)
            raise
        else:
            await self._settle(letter, None, final=True)

    async def _settle(self, letter: QueuedLetter, error: str | None, *, final: bool) -> None:
        async def settle(tx: Transaction) -> None:
            if error is None:
                await self._table.sent(tx, letter.id, self._clock.now_ms())
            else:
                await self._table.failed(tx, letter.id, error)
            if final and not self._keep_content:
                await self._table.erase(tx, letter.id)

        await self._db.transact(settle)

    async def _sweep(self, _: dict[str, Any]) -> None:
        before = self._clock.now_ms() - self._keep_ms
        await self._db.transact(lambda tx: self._table.sweep(tx, before))


class Outbox:
    """The table as the sandbox shows it."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._table = OutboxTable()

    async def messages(self, to: str | None = None, most: int = 100) -> list[dict[str, Any]]:
        """Newest first: `{"id", "channel", "to", "subject", "text", "data", "sent_at"}`. `text` and `data` are
        null once erased, `sent_at` is null or an ISO time."""
        return [_shown(letter) for letter in await self._table.latest(self._db, to, most)]


def _shown(letter: StoredLetter) -> dict[str, Any]:
    return {
        "id": str(letter.id),
        "channel": letter.channel,
        "to": letter.to,
        "subject": letter.subject,
        "text": letter.text,
        "data": None if letter.data is None else msgspec.json.decode(letter.data),
        "sent_at": None if letter.sent_at is None else iso(letter.sent_at),
    }
