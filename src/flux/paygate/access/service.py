"""Suspended providers: their listings can be neither called nor changed."""

from __future__ import annotations

from flux.kernel.bus.port import Bus
from flux.kernel.store import Clock, Database, Transaction
from flux.paygate.access import repository
from flux.paygate.faults import PROVIDER_BLOCKED
from flux.paygate.signing.accounts import checksummed

CHANGED = "paygate.provider.changed"
KNOWN_SECONDS = 2.0
CAPACITY = 10_000


class Providers:
    """Answers are kept for two seconds, and dropped at once when the operator decides in any process."""

    def __init__(self, db: Database, bus: Bus, clock: Clock) -> None:
        self._db = db
        self._bus = bus
        self._clock = clock
        self._known: dict[str, tuple[float, bool]] = {}

    async def start(self) -> None:
        self._bus.subscribe(CHANGED, lambda _, payload: self._forget(payload.decode()))

    async def check(self, address: str) -> None:
        """Raises PROVIDER_BLOCKED."""
        now = self._clock.monotonic()
        kept = self._known.get(address)
        if kept is None or kept[0] <= now:
            if len(self._known) >= CAPACITY:
                self._known.clear()
            kept = self._known[address] = (
                now + KNOWN_SECONDS,
                await repository.is_blocked(self._db, address),
            )
        if kept[1]:
            raise PROVIDER_BLOCKED(provider=checksummed(address))

    async def block(self, address: str) -> None:
        await self._change(address, blocked=True)

    async def unblock(self, address: str) -> None:
        await self._change(address, blocked=False)

    async def _change(self, address: str, *, blocked: bool) -> None:
        now = self._clock.now_ms()

        async def work(tx: Transaction) -> None:
            if blocked:
                await repository.block(tx, address, now)
            else:
                await repository.unblock(tx, address)
            tx.after_commit(lambda: self._announce(address))

        await self._db.transact(work)

    def _announce(self, address: str) -> None:
        self._forget(address)
        self._bus.publish(CHANGED, address.encode())

    def _forget(self, address: str) -> None:
        self._known.pop(address, None)
