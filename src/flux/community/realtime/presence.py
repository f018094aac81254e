"""Who is here, in any process of the instance, and who tells it to others.

Each process tells the others whom it has (subject `community.presence`) and, now and then, that it lives; one that
starts or has missed something asks, and one that is not heard of any more is forgotten with everybody in it. A user's
status over several sessions: dnd before online before idle before invisible.

What a user's watchers were told last is known to every process (`shown`). Of those that have the user one speaks for
them, the first by name: whenever what it sees differs from what was told, it tells. So a change is told once, however
many processes have a part in it. Users whom nobody has any more, though nobody said so, may come back for a while; then
the first process of all tells that they are gone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Any

import msgspec
from msgspec import Raw, Struct

from flux.community.users.schemas import UserPartial
from flux.kernel.bus.port import Bus

SUBJECT = "community.presence"
BEAT_SECONDS = 20.0
DEAD_SECONDS = 70.0
RETURN_SECONDS = 20.0
"""How long those whose process ended have to come back before others hear that they are gone."""
TURN_SECONDS = 6.0
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
    """`states` by user id, None for who is gone; with `whole` the process has nobody else. `ask` wants everybody's of the
    others. `shown` is what those users' watchers are told now. `over`: the process ends."""

    worker: str
    states: dict[int, State | None]
    ask: bool = False
    shown: dict[int, State] = {}
    whole: bool = False
    over: bool = False


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
    """`worker` names this process among the others. `on_news` hears of users whose watchers are to be told now, other than by
    `set`; `on_company` of users who are here, when other processes that have them came or went."""

    def __init__(self, bus: Bus, worker: str) -> None:
        self._bus = bus
        self.worker = worker
        self.on_news: Callable[[list[int]], None] = lambda _: None
        self.on_company: Callable[[int], None] = lambda _: None
        self._here: dict[int, State] = {}
        self._elsewhere: dict[int, dict[str, State]] = {}
        self._shown: dict[int, State] = {}
        """What watchers were told last; nobody who is gone."""
        self._lost: dict[int, float] = {}
        """Since when nobody has those whose watchers were told otherwise."""
        self._heard_at: dict[str, float] = {}
        self._now = 0.0
        self._told_at = 0.0
        self._subscription = bus.subscribe(SUBJECT, self._heard)

    def ask(self) -> None:
        self._tell(dict(self._here), ask=True, whole=True)

    def connected(self, user_id: int) -> bool:
        return user_id in self._here or user_id in self._elsewhere

    def elsewhere(self, user_id: int) -> Collection[str]:
        """The other processes that have the user."""
        return self._elsewhere.get(user_id, ())

    def state(self, user_id: int) -> State:
        """What others see: nothing of somebody who hides."""
        here = self._here.get(user_id)
        if user_id in self._elsewhere:
            at = self._elsewhere[user_id] if here is None else {**self._elsewhere[user_id], self.worker: here}
            here = joined([at[worker] for worker in sorted(at)])
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
        """The user's state in this process, None for gone. Whether this process is to tell watchers."""
        if self._here.get(user_id) == state:
            return False
        if state is None:
            del self._here[user_id]
        else:
            self._here[user_id] = state
            self._lost.pop(user_id, None)
        news = self._is_news(user_id)
        self._tell({user_id: state}, shown={user_id: self.state(user_id)} if news else {})
        return news

    # -- who tells --------------------------------------------------------------------------------------------

    def _speaks_for(self, user_id: int) -> bool:
        others = self._elsewhere.get(user_id)
        return not others or (user_id in self._here and self.worker < min(others))

    def _is_news(self, user_id: int) -> bool:
        """Whether watchers know otherwise and it is on this process to tell them; from now on they know."""
        state = self.state(user_id)
        if self._shown.get(user_id, GONE) == state or not self._speaks_for(user_id):
            return False
        self._note_shown(user_id, state)
        return True

    def _note_shown(self, user_id: int, state: State) -> None:
        if state == GONE:
            self._shown.pop(user_id, None)
            self._lost.pop(user_id, None)
        else:
            self._shown[user_id] = state
            if not self.connected(user_id):
                self._lost.setdefault(user_id, self._now)

    def _say(self, user_ids: Iterable[int], again: Collection[int] = ()) -> None:
        """Tell the watchers of those of them for whom it is on this process, and the other processes that it does; `again`
        whatever they know."""
        news = [user_id for user_id in user_ids if self._is_news(user_id) or user_id in again]
        if news:
            self._tell({}, shown={user_id: self.state(user_id) for user_id in news})
            self.on_news(news)

    # -- the other processes ----------------------------------------------------------------------------------

    def tick(self, now: float) -> None:
        """Now and then: tell the others that this process lives, and forget processes that have died."""
        self._now = now
        if now - self._told_at >= BEAT_SECONDS:
            self._told_at = now
            self._tell({})
        for worker in [each for each, at in self._heard_at.items() if now - at > DEAD_SECONDS]:
            self._dropped(worker)
        if self._lost:
            # One after the other, since not all may know of them: whoever tells keeps the later ones from it.
            turn = RETURN_SECONDS + TURN_SECONDS * sum(each < self.worker for each in self._heard_at)
            self._say([each for each, since in self._lost.items() if now - since >= turn])

    def _dropped(self, worker: str) -> None:
        """A process is no more."""
        self._heard_at.pop(worker, None)
        self._say(self._forget(worker, [each for each, known in self._elsewhere.items() if worker in known]))

    def _forget(self, worker: str, user_ids: Iterable[int]) -> list[int]:
        """The process has none of these any more. Those of them who are here."""
        mine = []
        for user_id in user_ids:
            known = self._elsewhere.get(user_id, {})
            if known.pop(worker, None) is None:
                continue
            if not known:
                del self._elsewhere[user_id]
            if user_id in self._here:
                mine.append(user_id)
                self.on_company(user_id)
            elif not known and user_id in self._shown:
                self._lost.setdefault(user_id, self._now)
        return mine

    def close(self) -> None:
        self._tell({}, over=True)
        self._here.clear()
        self._subscription.cancel()

    def _tell(
        self,
        states: dict[int, State | None],
        *,
        ask: bool = False,
        shown: dict[int, State] | None = None,
        whole: bool = False,
        over: bool = False,
    ) -> None:
        if self._bus.shared:
            told = Told(self.worker, states, ask, shown or {}, whole, over)
            self._bus.publish(SUBJECT, _encoder.encode(told))

    def _heard(self, _: str, payload: bytes) -> None:
        told = _decoder.decode(payload)
        if told.worker == self.worker:
            return
        if told.over:
            self._dropped(told.worker)
            return
        known = told.worker in self._heard_at
        self._heard_at[told.worker] = self._now
        affected = [*told.shown, *self._take(told.worker, told.states)]
        if told.whole:
            absent = [
                each for each, at in self._elsewhere.items() if told.worker in at and each not in told.states
            ]
            affected += self._forget(told.worker, absent)
        for user_id, state in told.shown.items():
            self._note_shown(user_id, state)
        # Where both told, whose word came last to whom is not known: it is said once more.
        crossed = {each for each in told.shown if each in self._here and self._speaks_for(each)}
        self._say([each for each in dict.fromkeys(affected) if each in self._here], crossed)
        if told.ask:
            mine = [each for each in self._here if self._speaks_for(each)]
            shown = {each: self._shown[each] for each in (*mine, *self._lost) if each in self._shown}
            self._tell(dict(self._here), shown=shown, whole=True)
        elif not known and not told.whole:
            # It was forgotten, or came while this process did not listen: whom it has is not known.
            self._tell({}, ask=True)

    def _take(self, worker: str, states: dict[int, State | None]) -> list[int]:
        """What a process has told of its users. Those of them who are here."""
        mine = []
        for user_id, state in states.items():
            if state is None:
                mine += self._forget(worker, [user_id])
                continue
            at = self._elsewhere.setdefault(user_id, {})
            came, at[worker] = worker not in at, state
            self._lost.pop(user_id, None)
            if user_id in self._here:
                mine.append(user_id)
                if came:
                    self.on_company(user_id)
        return mine
