"""Who is here, in any process of the instance.

Each process tells the others whom it has (subject `community.presence`) and, now and then, that it lives; one that
starts asks, and one that is not heard of any more is forgotten with everybody in it. A user's status over
several sessions: dnd before online before idle before invisible.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from flux.kernel.bus.port import Bus

SUBJECT = "community.presence"
BEAT_SECONDS = 20.0
DEAD_SECONDS = 70.0
_ORDER = {"dnd": 3, "online": 2, "idle": 1, "invisible": 0}


class Told(Struct, array_like=True):
    """`statuses` by user id; an empty status is gone. `ask` wants everybody else's."""

    worker: str
    statuses: dict[int, str]
    ask: bool = False


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Told)


def combined(statuses: Iterable[str]) -> str:
    """`offline` for nobody."""
    return max(statuses, key=lambda status: _ORDER.get(status, 0), default="offline")


class Presence:
    """`worker` names this process among the others."""

    def __init__(self, bus: Bus, worker: str) -> None:
        self._bus = bus
        self._worker = worker
        self._here: dict[int, str] = {}
        self._elsewhere: dict[int, dict[str, str]] = {}
        self._heard_at: dict[str, float] = {}
        self._now = 0.0
        self._told_at = 0.0
        self._subscription = bus.subscribe(SUBJECT, self._heard)

    def ask(self) -> None:
        self._tell({}, ask=True)

    def connected(self, user_id: int) -> bool:
        return user_id in self._here or user_id in self._elsewhere

    def status(self, user_id: int) -> str:
        everywhere = [*self._elsewhere.get(user_id, {}).values()]
        if user_id in self._here:
            everywhere.append(self._here[user_id])
        return combined(everywhere)

    def set(self, user_id: int, status: str | None) -> bool:
        """The user's status in this process, None for gone. Whether that changed anything."""
        before = self._here.get(user_id)
        if before == status:
            return False
        if status is None:
            del self._here[user_id]
        else:
            self._here[user_id] = status
        self._tell({user_id: status or ""})
        return True

    def tick(self, now: float) -> None:
        """Now and then: tell the others that this process lives, and forget processes that have died."""
        self._now = now
        if now - self._told_at >= BEAT_SECONDS:
            self._told_at = now
            self._tell({})
        for worker in [each for each, at in self._heard_at.items() if now - at > DEAD_SECONDS]:
            del self._heard_at[worker]
            for user_id in [each for each, known in self._elsewhere.items() if worker in known]:
                self._forget(user_id, worker)

    def _forget(self, user_id: int, worker: str) -> None:
        known = self._elsewhere.get(user_id, {})
        known.pop(worker, None)
        if not known:
            self._elsewhere.pop(user_id, None)

    def close(self) -> None:
        self._tell(dict.fromkeys(self._here, ""))
        self._here.clear()
        self._subscription.cancel()

    def _tell(self, statuses: dict[int, str], *, ask: bool = False) -> None:
        self._bus.publish(SUBJECT, _encoder.encode(Told(self._worker, statuses, ask)))

    def _heard(self, _: str, payload: bytes) -> None:
        told = _decoder.decode(payload)
        if told.worker == self._worker:
            return
        self._heard_at[told.worker] = self._now
        for user_id, status in told.statuses.items():
            if status:
                self._elsewhere.setdefault(user_id, {})[told.worker] = status
            else:
                self._forget(user_id, told.worker)
        if told.ask and self._here:
            self._tell(dict(self._here))
