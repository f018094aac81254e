"""Several processes agree on who is here and tell each change once: processes on a bus that delivers when it likes, in
order only per publisher and listener, as NATS promises."""

from __future__ import annotations

import random
from collections import defaultdict, deque
from typing import Any

import pytest

from flux.community.realtime.presence import GONE, RETURN_SECONDS, Presence, State, joined
from flux.kernel.bus.port import Listener

USERS = (1, 2, 3)
KINDS = ("online", "idle", "dnd", "invisible")


class Line:
    """One process's end of the bus."""

    shared = True

    def __init__(self, wire: Wire, name: str) -> None:
        self.wire = wire
        self.name = name

    def publish(self, subject: str, payload: bytes) -> None:
        for listener in self.wire.listeners:
            self.wire.waiting[self.name, listener].append(payload)

    def subscribe(self, subject: str, listener: Listener) -> Line:
        self.wire.listeners[self.name] = listener
        return self

    def cancel(self) -> None:
        self.wire.listeners.pop(self.name, None)

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)


class Wire:
    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.listeners: dict[str, Listener] = {}
        self.waiting: dict[tuple[str, str], deque[bytes]] = defaultdict(deque)
        self.presences: dict[str, Presence] = {}
        self.truth: dict[int, dict[str, State]] = {user: {} for user in USERS}
        self.told: list[tuple[int, State]] = []
        self.now = 0.0

    def add(self, name: str) -> None:
        presence = self.presences[name] = Presence(Line(self, name), name)  # type: ignore[arg-type]
        presence.on_news = lambda users: self.told.extend((user, presence.state(user)) for user in users)
        presence.ask()

    def put(self, name: str, user: int, state: State | None) -> None:
        if state is None:
            self.truth[user].pop(name, None)
        else:
            self.truth[user][name] = state
        if state is not None or user in self.presences[name]._here:
            presence = self.presences[name]
            if presence.set(user, state):
                self.told.append((user, presence.state(user)))

    def kill(self, name: str, *, cleanly: bool) -> None:
        if cleanly:
            self.presences[name].close()
        self.listeners.pop(name, None)
        del self.presences[name]
        for at in self.truth.values():
            at.pop(name, None)

    def deliver(self, most: int | None = None) -> None:
        while (most is None or most > 0) and (
            full := [pair for pair, queue in self.waiting.items() if queue]
        ):
            publisher, listener = self.dice.choice(sorted(full))
            payload = self.waiting[publisher, listener].popleft()
            if listener in self.listeners:
                self.listeners[listener]("", payload)
            most = None if most is None else most - 1

    def pass_time(self, seconds: float) -> None:
        """In which everything arrives."""
        for _ in range(int(seconds / 2)):
            self.now += 2
            for presence in list(self.presences.values()):
                presence.tick(self.now)
            self.deliver()

    def seen(self, user: int) -> State:
        states = list(self.truth[user].values())
        state = joined(states) if states else GONE
        return GONE if state.status == "invisible" else state

    def known(self, user: int) -> State:
        return next((state for each, state in reversed(self.told) if each == user), GONE)

    def random_state(self) -> State:
        return State(self.dice.choice(KINDS), self.dice.random() < 0.2, False, self.dice.choice((b"", b"{}")))


@pytest.mark.parametrize("seed", range(60))
def test_whatever_the_order_everybody_knows_how_it_is_in_the_end(seed: int) -> None:
    wire = Wire(seed)
    for name in "abc":
        wire.add(name)
    names = iter("defghijklmn")
    for _ in range(80):
        act = wire.dice.random()
        name = wire.dice.choice(sorted(wire.presences))
        if act < 0.6:
            user = wire.dice.choice(USERS)
            gone = wire.dice.random() < 0.4
            wire.put(name, user, None if gone else wire.random_state())
        elif act < 0.95:
            wire.deliver(wire.dice.randrange(8))
        elif len(wire.presences) > 1 and (new := next(names, None)):
            wire.pass_time(30)
            wire.kill(name, cleanly=wire.dice.random() < 0.5)
            wire.pass_time(100)
            wire.add(new)
            wire.deliver()
    wire.pass_time(70 + RETURN_SECONDS + 60)
    for user in USERS:
        for presence in wire.presences.values():
            assert presence.state(user) == wire.seen(user)
            assert presence.connected(user) == bool(wire.truth[user])
        assert wire.known(user) == wire.seen(user)


@pytest.mark.parametrize("seed", range(30))
def test_a_change_is_told_once(seed: int) -> None:
    """Also one that happens in every process at the same time, and what is none is not told at all."""
    wire = Wire(seed)
    for name in "abc":
        wire.add(name)
        wire.deliver()
    before = GONE
    for _ in range(40):
        state = None if wire.dice.random() < 0.3 else wire.random_state()
        everywhere = wire.dice.random() < 0.5
        for name in "abc" if everywhere else wire.dice.choice("abc"):
            wire.put(name, 1, state)
        wire.deliver()
        wire.pass_time(RETURN_SECONDS + 4)
        now = wire.seen(1)
        changes = [each for _, each in wire.told]
        assert changes[-1:] == ([now] if now != before else changes[-1:])
        if not everywhere:
            assert len(changes) == (now != before), (before, now, changes)
        before = now
        wire.told.clear()


def test_what_ends_in_every_process_at_once_is_told_once() -> None:
    wire = Wire(1)
    for name in "abc":
        wire.add(name)
    wire.deliver()
    for name in "abc":
        wire.put(name, 1, State("online", custom=b"{}"))
        wire.deliver()
    wire.told.clear()
    for name in "abc":
        wire.put(name, 1, State("online"))
    wire.deliver()
    assert wire.told == [(1, State("online"))]


def test_a_process_that_was_forgotten_is_asked_whom_it_has() -> None:
    wire = Wire(1)
    for name in "ab":
        wire.add(name)
    wire.put("a", 1, State("online"))
    wire.deliver()
    asleep = wire.presences.pop("a")
    wire.pass_time(76)
    assert not wire.presences["b"].connected(1)
    wire.presences["a"] = asleep
    wire.pass_time(24)
    assert wire.presences["b"].status(1) == "online"
