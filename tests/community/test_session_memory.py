"""What a session remembers while its client reads slowly: never more than it may, and never a gap unnoticed."""

from __future__ import annotations

import json
import random
from typing import Any, cast

import pytest

from flux.community.realtime.connection import Connection
from flux.community.realtime.protocol import Frame, Refused, read, sequence
from flux.community.realtime.session import Session
from flux.community.users.records import UserRow
from flux.settings.community import Realtime


class Somebody:
    id = 1
    bot = 0


class Pipe:
    """A connection whose peer reads when the test says so."""

    def __init__(self) -> None:
        self.blocked = False
        self.closing = False
        self.code = 0
        self.on_writable: Any = None
        self.written: list[dict[str, Any]] = []
        self.room = 1_000_000

    def write(self, text: str) -> None:
        assert not self.blocked and not self.closing
        self.written.append(json.loads(text))
        self.room -= 1
        self.blocked = self.room <= 0

    write_control = write

    def close(self, code: int, reason: str = "") -> None:
        self.closing, self.code = True, code

    def reads(self, count: int) -> None:
        self.room, self.blocked = count, False
        self.on_writable()


def begun(**limits: Any) -> tuple[Session, Pipe]:
    session = Session("s", cast(UserRow, Somebody()), b"", None, Realtime(**limits))
    pipe = Pipe()
    session.hold()
    session.attach(cast(Connection, pipe))
    session.welcome(Frame.of("READY", {}))
    session.release()
    return session, pipe


def event(number: int, size: int = 0) -> Frame:
    return Frame.of("E", {"n": number, "x": "x" * size})


def test_what_was_never_written_cannot_be_acknowledged() -> None:
    session, pipe = begun()
    pipe.room, pipe.blocked = 0, True
    for number in range(5):
        session.push(event(number))
    with pytest.raises(Refused) as refused:
        sequence(read('{"op":1,"d":4}', 4096), session.sent)
    assert refused.value.code == 4007
    assert sequence(read('{"op":1,"d":1}', 4096), session.sent) == 1
    pipe.reads(100)
    assert [each["d"]["n"] for each in pipe.written[1:]] == list(range(5))


def test_who_comes_back_to_a_full_memory_and_reads_slowly_is_told_to_come_again() -> None:
    """What was to be written again had to be forgotten for what is newer: there would be a gap."""
    session, _ = begun(buffer_events=10)
    session.detach(0)
    for number in range(10):
        session.push(event(number))
    again = Pipe()
    again.room = 3
    session.attach(cast(Connection, again), after=1)
    assert again.blocked
    for number in range(10, 14):
        session.push(event(number))
    assert (again.closing, again.code, session.told_to_return) == (True, 4000, True)
    assert not session.can_resume_after(4)


def test_large_events_push_out_as_many_small_ones_as_they_are_long() -> None:
    session, _ = begun(buffer_bytes=50_000)
    session.detach(0)
    for number in range(300):
        session.push(event(number))
    for number in range(20):
        session.push(event(number, 10_000))
    assert session._buffered_bytes <= 50_000
    assert session.number - session.first + 1 == 4


def events(pipe: Pipe) -> list[Any]:
    """What was written after READY: the numbers of events, and RESUMED."""
    return [each["s"] if each["t"] == "E" else each["t"] for each in pipe.written if each["t"] != "READY"]


def came_back(session: Session, after: int, room: int = 1_000) -> Pipe:
    session.detach(0)
    pipe = Pipe()
    pipe.room = room
    session.attach(cast(Connection, pipe), after=after)
    return pipe


def test_the_last_number_that_can_be_resumed_after_is_the_one_before_the_memory_begins() -> None:
    session, _ = begun(buffer_events=3)
    for number in range(2, 8):
        session.push(event(number))
    # 5, 6 and 7 are remembered.
    assert [session.can_resume_after(number) for number in (3, 4, 5, 7)] == [False, True, True, True]
    assert events(came_back(session, 4)) == [5, 6, 7, "RESUMED"]


def test_acknowledging_forgets_up_to_the_number_and_no_further() -> None:
    session, _ = begun()
    for number in range(2, 6):
        session.push(event(number))
    session.acknowledge(3)
    assert (session.first, session.can_resume_after(3), session.can_resume_after(2)) == (4, True, False)


def test_the_newest_event_stays_however_large_it_is() -> None:
    session, _ = begun(buffer_bytes=50_000)
    session.detach(0)
    session.push(event(2, 60_000))
    assert session.can_resume_after(1)
    assert events(came_back(session, 1)) == [2, "RESUMED"]


def test_resumed_comes_after_all_that_was_missed_and_before_what_is_new() -> None:
    session, _ = begun()
    for number in range(2, 6):
        session.push(event(number))
    pipe = came_back(session, 2, room=1)
    session.push(event(6))
    pipe.reads(10)
    assert events(pipe) == [3, 4, 5, "RESUMED", 6]
    assert events(came_back(session, 6)) == ["RESUMED"]


@pytest.mark.parametrize(("limits", "size"), [({"queue_events": 16}, 0), ({"queue_bytes": 65_536}, 10_000)])
def test_a_slow_reader_is_sent_away_when_too_much_waits(limits: dict[str, int], size: int) -> None:
    session, pipe = begun(**limits)

    def until_it_closes() -> int:
        pipe.room, pipe.blocked = 0, True
        for count in range(1, 40):
            session.push(event(count, size))
            if pipe.closing:
                assert (pipe.code, session.told_to_return) == (4000, True)
                return count
        raise AssertionError("it was never sent away")

    # What waited and was then read counts no more.
    pipe.room, pipe.blocked = 0, True
    for number in range(5):
        session.push(event(number, size))
    pipe.reads(100)
    assert until_it_closes() == (17 if size == 0 else 7)


def test_what_is_released_first_comes_before_what_was_held_back() -> None:
    session, pipe = begun()
    assert session.hold()
    assert not session.hold()
    session.push(Frame.of("LATER", {}))
    session.release(Frame.of("STATE", {}))
    assert [each["t"] for each in pipe.written] == ["READY", "STATE", "LATER"]


@pytest.mark.parametrize("seed", range(20))
def test_whatever_the_pace_there_is_no_gap(seed: int) -> None:
    """Random events, readings, drops and resumes: what a client gets is everything in order, or it is sent away."""
    dice = random.Random(seed)
    session, pipe = begun(buffer_events=12, queue_events=8)
    got, sent = [1], 1
    seen = 1
    for _ in range(400):
        act = dice.choice(("push", "push", "push", "read", "block", "ack", "drop"))
        if act == "push":
            sent += 1
            session.push(event(sent))
        elif act == "block":
            pipe.room, pipe.blocked = 0, True
        elif act == "read" and pipe.blocked and not pipe.closing:
            pipe.reads(dice.randrange(1, 6))
        elif act == "ack" and not pipe.closing:
            session.acknowledge(session.sent)
        elif act == "drop" or pipe.closing:
            session.detach(0)
            if not session.can_resume_after(got[-1]):
                break
            pipe, seen = Pipe(), 0
            pipe.room = dice.randrange(1, 6)
            session.attach(cast(Connection, pipe), after=got[-1])
        got += [each["s"] for each in pipe.written[seen:] if each["t"] != "RESUMED"]
        seen = len(pipe.written)
    assert got == list(range(1, len(got) + 1))
