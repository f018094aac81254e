"""What was committed is told, even when its process is killed in between: events are written down with their unit of work.

Only where several processes share a database and a bus. The row is deleted once NATS has the events, many rows at a time; one that
is still there after `bus.retell_after_seconds` is told again by whichever process looks first. Nobody has to know who died. Who heard
it before knows its name (heard.py) and does not hear it again.

What is told late may not be true any more. Rooms say what is to be told of it now (`Bus.on_retold`).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol

import msgspec

from flux.kernel.bus import repository
from flux.kernel.bus.port import Reviser
from flux.kernel.bus.repository import Late
from flux.kernel.faults import PortFailure, stand_behind
from flux.kernel.store.clock import Clock
from flux.kernel.store.ids import first_sortable_key, time_sortable_key
from flux.kernel.store.port import Database, Transaction
from flux.settings.bus import BusSettings

logger = logging.getLogger("flux.bus")

_CLOSE_SECONDS = 2.0
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[tuple[list[str], bytes]])


class Carrier(Protocol):
    """What is asked of the bus."""

    async def passable(self) -> bool: ...

    def publish(self, subject: str, payload: bytes, name: str = "") -> None: ...

    async def handed_over(self) -> set[str]: ...

    def forget_old(self) -> None: ...


class Unit:
    """The events of one unit of work: for each payload its subjects. `Closing` of its transaction."""

    __slots__ = ("_untold", "events", "key")

    def __init__(self, untold: Untold, key: str) -> None:
        self._untold = untold
        self.key = key
        self.events: list[tuple[list[str], bytes]] = []

    def add(self, subject: str, payload: bytes) -> None:
        if self.events and self.events[-1][1] is payload:
            self.events[-1][0].append(subject)
        else:
            self.events.append(([subject], payload))

    def text(self) -> str:
        return repository.note(self.key, _encoder.encode(self.events))

    def tell(self) -> None:
        self._untold.tell(self)


class Untold:
    """`start` it where the process serves; without, rows are deleted when it closes."""

    def __init__(self, db: Database, bus: Carrier, clock: Clock, settings: BusSettings) -> None:
        self._db = db
        self._bus = bus
        self._clock = clock
        self._settings = settings
        self._told: list[str] = []
        self._revisers: list[tuple[str, Reviser]] = []
        self._tasks: list[asyncio.Task[None]] = []

    # -- this process's own -----------------------------------------------------------------------------------

    def begin(self, tx: Transaction) -> Unit:
        unit = tx.closing = Unit(self, time_sortable_key(self._clock))
        tx.after_commit(unit.tell)
        return unit

    def tell(self, unit: Unit) -> None:
        number = 0
        for subjects, payload in unit.events:
            for subject in subjects:
                self._bus.publish(subject, payload, f"{unit.key}.{number}")
                number += 1
        self._told.append(unit.key)

    async def confirm(self) -> None:
        """Delete the rows of what NATS has by now. What it may not have got stays, and is told again."""
        told, self._told = self._told, []
        if not told:
            return
        try:
            lost = await self._bus.handed_over()
        except TimeoutError:
            logger.warning("NATS does not confirm what it was told: it will be told again")
            # What was told since is in doubt as well, and must not pile up here for as long as this lasts.
            self._told.clear()
            return
        try:
            await self._delete([key for key in told if key not in lost])
        except PortFailure as problem:
            logger.warning("%d units of events are told again: %s", len(told), problem)

    async def _delete(self, keys: Sequence[str]) -> None:
        async def work(tx: Transaction) -> None:
            await repository.done(tx, keys)

        if keys:
            await self._db.transact(work)

    # -- everybody's ------------------------------------------------------------------------------------------

    def revise(self, prefix: str, reviser: Reviser) -> None:
        self._revisers.append((prefix, reviser))

    async def look(self) -> int:
        """Tell again what has been waiting for too long; how many units."""
        now = self._clock.now_ms()
        before = first_sortable_key(now - round(self._settings.retell_after_seconds * 1000))
        if not await repository.any_before(self._db, before):
            return 0
        late = await self._take(before, now)
        if not late:
            return 0
        lost: set[str] = set()
        for each in late:
            try:
                await self._retell(each)
            except Exception:
                logger.exception("events of %s cannot be told again yet", each.id)
                lost.add(each.id)
        lost |= await self._bus.handed_over()
        await self._delete([each.id for each in late if each.id not in lost])
        logger.info("%d units of events were told late", len(late) - len(lost))
        return len(late)

    async def _take(self, before: str, now: int) -> list[Late]:
        settings = self._settings
        # Who is held up itself would only keep others from it.
        passable = await self._bus.passable()
        oldest = first_sortable_key(now - round(settings.retell_within_seconds * 1000))
        until = now + round(settings.retell_lease_seconds * 1000)

        async def work(tx: Transaction) -> tuple[int, list[Late]]:
            dropped = await repository.expire(tx, oldest)
            if not passable:
                return dropped, []
            return dropped, await repository.take(
                tx, before, now=now, until=until, most=settings.retell_batch
            )

        dropped, late = await self._db.transact(work)
        if dropped:
            logger.warning("%d units of events were too old to be told", dropped)
        return late

    async def _retell(self, late: Late) -> None:
        number = 0
        for subjects, payload in _decoder.decode(late.events):
            for subject in subjects:
                now = await self._revised(subject, payload)
                if now is not None:
                    self._bus.publish(subject, now, f"{late.id}.{number}")
                number += 1

    async def _revised(self, subject: str, payload: bytes) -> bytes | None:
        for prefix, reviser in self._revisers:
            if subject.startswith(prefix):
                return await reviser(subject, payload)
        return payload

    # -- life -------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        self._tasks = [
            asyncio.ensure_future(self._keep_confirming()),
            asyncio.ensure_future(self._keep_looking()),
        ]

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self.confirm()
        except TimeoutError:
            logger.warning("events were not handed over before the end; another process tells them")

    async def _keep_confirming(self) -> None:
        stand_behind()
        while True:
            await asyncio.sleep(self._settings.confirm_seconds)
            try:
                await self.confirm()
            except Exception:
                logger.exception("what was told cannot be struck out; trying again")

    async def _keep_looking(self) -> None:
        stand_behind()
        loop = asyncio.get_running_loop()
        aged = loop.time()
        while True:
            await asyncio.sleep(self._settings.look_seconds)
            try:
                await self.look()
            except Exception:
                logger.exception("what was not told cannot be read; trying again")
            if loop.time() - aged >= self._settings.retell_within_seconds:
                # No row lives longer, so that two of these generations know of all there can be.
                aged = loop.time()
                self._bus.forget_old()
