"""Who is here, in any process of the instance.

Each process tells the others whom it has (subject `community.presence`) and, now and then, that it lives; one that
starts asks, and one that is not heard of any more is forgotten with everybody in it. A user's status over
several sessions: dnd before online before idle before invisible.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Raw, Struct

from flux.community.users.schemas import UserPartial
from flux.kernel.bus.port import Bus

SUBJECT = "community.presence"
BEAT_SECONDS = 20.0
DEAD_SECONDS = 70.0
_ORDER = {"dnd": 3, "online": 2, "idle": 1, "invisible": 0}
ABSENT = ("offline", "invisible")


class State(Struct, array_like=True, frozen=True):
    """How somebody is here. `custom` is their custom status as JSON, empty for none."""

    status: str
    mobile: bool = False
    afk: bool = False
    custom: bytes = b""


GONE = State("offline")
PLAIN = {status: State(status) for status in _ORDER}
"""Nearly everybody's, made once."""


class Told(Struct, array_like=True):
    """`states` by user id, None for who is gone. `ask` wants everybody else's."""

    worker: str
    states: dict[int, State | None]
    ask: bool = False


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Told)


def combined(statuses: Iterable[str]) -> str:
    """`offline` for nobody."""
    return max(statuses, key=lambda status: _ORDER.get(status, 0), default="offline")


def joined(states: list[State]) -> State:
    """Of several sessions or processes, what they come to together."""
    if not states:
        return GONE
    status = combined(each.status for each in states)
    mobile, afk = any(each.mobile for each in states), all(each.afk for each in states)
    custom = next((each.custom for each in states if each.custom), b"")
    return State(status, mobile, afk, custom) if mobile or afk or custom else PLAIN[status]


class Presence:
    """`worker` names this process among the others."""

    def __init__(self, bus: Bus, worker: str) -> None:
        self._bus = bus
        self._worker = worker
        self._here: dict[int, State] = {}
        self._elsewhere: dict[int, dict[str, State]] = {}
        self._heard_at: dict[str, float] = {}
        self._now = 0.0
        self._told_at = 0.0
        self._subscription = bus.subscribe(SUBJECT, self._heard)

    def ask(self) -> None:
        self._tell({}, ask=True)

    def connected(self, user_id: int) -> bool:
        return user_id in self._here or user_id in self._elsewhere

    def state(self, user_id: int) -> State:
        """What others see: nothing of somebody who hides."""
        here = self._here.get(user_id)
        if user_id in self._elsewhere:
            everywhere = [*self._elsewhere[user_id].values()]
            here = joined(everywhere if here is None else [*everywhere, here])
        return GONE if here is None or here.status in ABSENT else here

    def status(self, user_id: int) -> str:
        return self.state(user_id).status

    def shown(self, user: UserPartial) -> dict[str, Any]:
        """The presence of somebody on the wire."""
        state = self.state(int(user.id))
        return {
            "user": user,
            "status": state.status,
            "mobile": state.mobile,
            "afk": state.afk,
            "custom_status": Raw(state.custom) if state.custom else None,
        }

    def set(self, user_id: int, state: State | None) -> bool:
        """The user's state in this process, None for gone. Whether others see a difference."""
        if self._here.get(user_id) == state:
            return False
        before = self.state(user_id)
        if state is None:
            del self._here[user_id]
        else:
            self._here[user_id] = state
        self._tell({user_id: state})
        return self.state(user_id) != before

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
        self._tell(dict.fromkeys(self._here))
        self._here.clear()
        self._subscription.cancel()

    def _tell(self, states: dict[int, State | None], *, ask: bool = False) -> None:
        self._bus.publish(SUBJECT, _encoder.encode(Told(self._worker, states, ask)))

    def _heard(self, _: str, payload: bytes) -> None:
        told = _decoder.decode(payload)
        if told.worker == self._worker:
            return
        self._heard_at[told.worker] = self._now
        for user_id, state in told.states.items():
            if state is not None:
                self._elsewhere.setdefault(user_id, {})[told.worker] = state
            else:
                self._forget(user_id, told.worker)
        if told.ask and self._here:
            self._tell(dict(self._here))
