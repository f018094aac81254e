"""A circuit breaker for each target: who does not answer is left alone for a while, and nobody pays for asking it.

closed      calls go through; failures in a row are counted
open        so many failures in a row, none of them long ago: no call goes through for a few seconds
half-open   after that one call goes through, and its end decides: an answer closes, another failure opens again

A failure is a target that cannot be reached, hangs up, is silent past its time or does not speak HTTP. Any answer with a
head, a 500 too, is a target that answers. Each process keeps its own count: several learn of a dead target severally.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from flux.kernel.faults import PortFailure, Ports
from flux.kernel.store import Clock
from flux.kernel.wire import Figure
from flux.settings.paygate import PaygateSettings

CAPACITY = 10_000
State = Literal["closed", "open", "half-open"]
_NOT_ITS_DOING = ("injected", "address_not_allowed")


@dataclass(slots=True)
class _Circuit:
    """Only of targets that failed lately. Times of the clock's `monotonic`; `open_until` is 0 while closed."""

    failures: int
    since: float
    open_until: float = 0.0
    trying: bool = False
    """Half-open, and the one call is on its way."""


class Breakers:
    """Targets by their base URL, which belongs to one listing. Faults armed at the port go past the breaker."""

    def __init__(self, clock: Clock, ports: Ports, settings: PaygateSettings) -> None:
        self._clock = clock
        self._ports = ports
        self._limit = settings.breaker_failures
        self._window = settings.breaker_window_seconds
        self._open_seconds = settings.breaker_open_seconds
        self._circuits: dict[str, _Circuit] = {}
        self.opened = 0
        """How often any opened."""

    def wait(self, target: str) -> int | None:
        """Seconds until it is worth asking again; None when calls go through."""
        circuit = self._circuits.get(target)
        if circuit is None or not circuit.open_until or self._ports.armed("upstream"):
            return None
        left = circuit.open_until - self._clock.monotonic()
        return math.ceil(left) if left > 0 else None

    def enter(self, target: str) -> int | None:
        """As `wait`, for a call that is about to be made, which must end in `answered`, `failed` or `left`."""
        seconds = self.wait(target)
        circuit = self._circuits.get(target)
        if seconds is not None or circuit is None or not circuit.open_until:
            return seconds
        if circuit.trying:
            return 1
        circuit.trying = True
        return None

    def answered(self, target: str) -> None:
        if self._circuits:
            self._circuits.pop(target, None)

    def left(self, target: str) -> None:
        """The call ended without a word about the target."""
        circuit = self._circuits.get(target)
        if circuit is not None:
            circuit.trying = False

    def failed(self, target: str, failure: PortFailure) -> None:
        if not self._limit or failure.port != "upstream" or failure.reason in _NOT_ITS_DOING:
            self.left(target)
            return
        now = self._clock.monotonic()
        circuit = self._circuits.get(target)
        if circuit is None or (not circuit.open_until and now - circuit.since > self._window):
            self._make_room(now)
            circuit = self._circuits[target] = _Circuit(0, now)
        circuit.trying = False
        circuit.failures += 1
        # Calls that were under way when it opened end in their own time, and do not keep it open.
        if circuit.failures >= self._limit and now >= circuit.open_until:
            circuit.open_until = now + self._open_seconds
            self.opened += 1

    def state(self, target: str) -> Mapping[str, Any]:
        """For the provider: `{state, failures (in a row), retryInSeconds}`; the last is null unless it is open."""
        circuit = self._circuits.get(target)
        if circuit is None:
            return {"state": "closed", "failures": 0, "retryInSeconds": None}
        seconds = self.wait(target)
        state: State = "open" if seconds is not None else "half-open" if circuit.open_until else "closed"
        return {"state": state, "failures": circuit.failures, "retryInSeconds": seconds}

    def open_now(self) -> int:
        return sum(1 for circuit in self._circuits.values() if circuit.open_until)

    def figures(self) -> list[Figure]:
        return [
            Figure(
                "flux_paygate_targets_failing",
                "Targets that are not called, or called once to see whether they are back.",
                self.open_now,
            ),
            Figure(
                "flux_paygate_breakers_opened_total",
                "How often a target failed so often that it was not called for a while.",
                lambda: self.opened,
            ),
        ]

    def _make_room(self, now: float) -> None:
        if len(self._circuits) >= CAPACITY:
            lately = now - self._window - self._open_seconds
            self._circuits = {
                target: circuit
                for target, circuit in self._circuits.items()
                if max(circuit.since, circuit.open_until) > lately
            }
            if len(self._circuits) >= CAPACITY:
                self._circuits.clear()
