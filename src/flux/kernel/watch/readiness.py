"""Can this process serve? Named checks, each with a deadline, asked by `/ready`.

    readiness.add("paygate.chain.base", chain.ping)
    readiness.add("community.captcha", captcha.ping, required=False)

A check returns when all is well and raises otherwise. A required check that fails makes the process unready; an
optional one leaves it degraded: it serves, and says what is missing. What an exception says stays in the log,
except for `NotReady(reason)` and `PortFailure`, whose words are made for the reader.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

from msgspec import Struct

from flux.kernel.bus.port import Bus, Subscription
from flux.kernel.faults import PortFailure
from flux.kernel.store import Reader, random_key
from flux.kernel.watch.repository import ping

log = logging.getLogger("flux.watch")
Check = Callable[[], Awaitable[Any]]


class NotReady(Exception):
    """Raised by a check; the text is shown to whoever asks, so it names no secrets."""


class Outcome(Struct, frozen=True, omit_defaults=True):
    """`milliseconds` is how long the check took; `reason` is there when it failed."""

    status: Literal["ok", "failed"]
    milliseconds: float
    required: bool = True
    reason: str = ""


class Report(Struct, frozen=True):
    """`ok`: everything works. `degraded`: something optional does not. `unavailable`: send no traffic here."""

    status: Literal["ok", "degraded", "unavailable"]
    checks: dict[str, Outcome]

    @property
    def ready(self) -> bool:
        return self.status != "unavailable"


@dataclass(frozen=True, slots=True)
class _Entry:
    check: Check
    required: bool
    seconds: float


class Readiness:
    """The registry. Checks run side by side; askers who come while they run share one answer."""

    def __init__(self, deadline_seconds: float = 2.0) -> None:
        self._deadline = deadline_seconds
        self._entries: dict[str, _Entry] = {}
        self._running: asyncio.Task[Report] | None = None

    def add(self, name: str, check: Check, *, required: bool = True, seconds: float | None = None) -> None:
        """`name` is dotted, the plane first; a second check of the same name replaces the first."""
        self._entries[name] = _Entry(check, required, seconds or self._deadline)

    def remove(self, name: str) -> None:
        self._entries.pop(name, None)

    async def report(self) -> Report:
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._ask_all())
        # Shielded: an asker who leaves must not take the answer from the others.
        return await asyncio.shield(self._running)

    async def _ask_all(self) -> Report:
        entries = list(self._entries.items())
        outcomes = await asyncio.gather(*(self._ask(name, entry) for name, entry in entries))
        checks = dict(zip((name for name, _ in entries), outcomes, strict=True))
        failed = [outcome for outcome in outcomes if outcome.status == "failed"]
        if any(outcome.required for outcome in failed):
            return Report("unavailable", checks)
        return Report("degraded" if failed else "ok", checks)

    async def _ask(self, name: str, entry: _Entry) -> Outcome:
        loop = asyncio.get_running_loop()
        began = loop.time()
        reason = ""
        try:
            # Real time, not the house's clock: an advanced sandbox clock is no reason to be unready.
            async with asyncio.timeout(entry.seconds):
                await entry.check()
        except TimeoutError:
            reason = f"no answer within {entry.seconds:g} seconds"
        except (NotReady, PortFailure) as failure:
            reason = str(failure)
        except Exception:
            log.warning("readiness check %s failed", name, exc_info=True)
            reason = "failed; the log has the cause"
        spent = round((loop.time() - began) * 1000, 2)
        return Outcome("failed" if reason else "ok", spent, entry.required, reason)


def watch_store(db: Reader) -> Check:
    """The database answers a read."""

    async def check() -> None:
        await ping(db)

    return check


def watch_bus(bus: Bus) -> Check:
    """What is published comes back: through the broker, where there is one."""
    me = f"watch.echo.{random_key(16)}"
    waiting: dict[bytes, asyncio.Future[None]] = {}

    def heard(_subject: str, payload: bytes) -> None:
        answer = waiting.get(payload)
        if answer is not None and not answer.done():
            answer.set_result(None)

    subscribed: list[Subscription] = []

    async def check() -> None:
        if not subscribed:
            subscribed.append(bus.subscribe(me, heard))
        nonce = random_key(12).encode()
        waiting[nonce] = asyncio.get_running_loop().create_future()
        try:
            bus.publish(me, nonce)
            await waiting[nonce]
        finally:
            del waiting[nonce]

    return check
