from __future__ import annotations

from flux.kernel.faults import Mode, PortFailure, Ports
from flux.paygate.outside.breaker import CAPACITY, Breakers
from flux.settings.paygate import PaygateSettings

TARGET = "https://api.example"
DEAD = PortFailure("upstream", Mode.UNAVAILABLE, "connect")


class Time:
    def __init__(self) -> None:
        self.at = 1000.0

    def monotonic(self) -> float:
        return self.at


def made(limit: int = 3) -> tuple[Breakers, Time, Ports]:
    time, ports = Time(), Ports(enabled=True)
    settings = PaygateSettings(breaker_failures=limit, breaker_window_seconds=30, breaker_open_seconds=10)
    return Breakers(time, ports, settings), time, ports  # type: ignore[arg-type]


def fail(breakers: Breakers, times: int, failure: PortFailure = DEAD) -> None:
    for _ in range(times):
        assert breakers.enter(TARGET) is None
        breakers.failed(TARGET, failure)


def test_it_opens_after_failures_in_a_row_and_an_answer_starts_anew() -> None:
    breakers, _, _ = made()
    fail(breakers, 2)
    assert breakers.state(TARGET) == {"state": "closed", "failures": 2, "retryInSeconds": None}
    breakers.answered(TARGET)
    fail(breakers, 3)
    assert breakers.enter(TARGET) == breakers.wait(TARGET) == 10
    assert breakers.state(TARGET) == {"state": "open", "failures": 3, "retryInSeconds": 10}
    assert (breakers.opened, breakers.open_now()) == (1, 1)
    assert breakers.enter("https://other.example") is None


def test_half_open_lets_one_through_and_its_end_decides() -> None:
    breakers, time, _ = made()
    fail(breakers, 3)
    time.at += 10
    assert breakers.wait(TARGET) is None
    assert breakers.state(TARGET)["state"] == "half-open"
    assert breakers.enter(TARGET) is None
    assert breakers.enter(TARGET) == 1
    breakers.failed(TARGET, DEAD)
    assert breakers.enter(TARGET) == 10
    assert breakers.opened == 2
    time.at += 10
    assert breakers.enter(TARGET) is None
    breakers.left(TARGET)
    assert breakers.enter(TARGET) is None
    breakers.answered(TARGET)
    assert breakers.state(TARGET)["state"] == "closed"


def test_failures_long_apart_do_not_count_together() -> None:
    breakers, time, _ = made()
    fail(breakers, 2)
    time.at += 31
    fail(breakers, 2)
    assert breakers.wait(TARGET) is None
    fail(breakers, 1)
    assert breakers.wait(TARGET) == 10


def test_what_was_under_way_when_it_opened_does_not_keep_it_open() -> None:
    breakers, time, _ = made()
    fail(breakers, 3)
    time.at += 6
    breakers.failed(TARGET, DEAD)
    assert breakers.wait(TARGET) == 4


def test_what_is_not_the_targets_doing_does_not_count() -> None:
    breakers, _, ports = made(1)
    fail(breakers, 5, PortFailure("upstream", Mode.TIMEOUT, "injected"))
    fail(breakers, 5, PortFailure("upstream", Mode.UNAVAILABLE, "address_not_allowed"))
    fail(breakers, 5, PortFailure("store", Mode.ERROR, "disk"))
    assert breakers.state(TARGET)["failures"] == 0
    fail(breakers, 1)
    assert breakers.wait(TARGET) == 10
    ports.arm("upstream", Mode.ERROR)
    assert breakers.enter(TARGET) is None
    off, _, _ = made(0)
    fail(off, 50)


def test_it_remembers_no_more_than_it_may() -> None:
    breakers, _, _ = made(1)
    for number in range(CAPACITY + 10):
        breakers.failed(f"https://{number}.example", DEAD)
    assert breakers.open_now() <= CAPACITY
