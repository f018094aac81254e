"""Rate limits under an injected clock."""

from __future__ import annotations

import pytest

from flux.kernel.quota import Quota, Rate


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def monotonic(self) -> float:
        return self.now

    def now_ms(self) -> int:
        return round(self.now * 1000)


def quota(clock: Clock, capacity: int = 100) -> Quota:
    return Quota(clock, capacity)  # type: ignore[arg-type]


def test_a_bucket_gives_its_burst_and_refills_evenly() -> None:
    clock = Clock()
    buckets, rate = quota(clock), Rate(5, 10)
    assert [buckets.take("a", rate).remaining for _ in range(5)] == [4, 3, 2, 1, 0]
    refused = buckets.take("a", rate)
    assert (refused.allowed, refused.remaining) == (False, 0)
    assert refused.retry_after == pytest.approx(2)
    clock.now += 1.9
    assert not buckets.take("a", rate).allowed
    clock.now += 0.1
    assert buckets.take("a", rate).allowed
    assert not buckets.take("a", rate).allowed
    assert buckets.take("b", rate).allowed


def test_a_window_opens_with_the_first_request_and_closes_whole() -> None:
    clock = Clock()
    buckets, rate = quota(clock), Rate(3, 60)
    verdicts = [buckets.count("a", rate) for _ in range(4)]
    assert [verdict.allowed for verdict in verdicts] == [True, True, True, False]
    assert (verdicts[3].retry_after, verdicts[3].reset_at) == (60, 160)
    clock.now += 59.9
    assert not buckets.count("a", rate).allowed
    clock.now += 0.2
    assert buckets.count("a", rate).remaining == 2


def test_a_refused_request_costs_nothing() -> None:
    clock = Clock()
    buckets, rate = quota(clock), Rate(1, 10)
    buckets.take("a", rate)
    for _ in range(50):
        buckets.take("a", rate)
    clock.now += 10
    assert buckets.take("a", rate).allowed


def test_memory_is_bounded_and_full_buckets_go_first() -> None:
    clock = Clock()
    buckets, rate = quota(clock, capacity=10), Rate(1, 10)
    for number in range(9):
        buckets.take(f"old{number}", rate)
    clock.now += 11
    for number in range(30):
        buckets.take(f"new{number}", rate)
        buckets.count(f"new{number}", rate)
    assert len(buckets._full_at) <= 10
    assert len(buckets._windows) <= 10


def test_making_room_is_work_for_many_keys_to_come() -> None:
    """With every key alive, room for a single one would have to be made again for the next."""
    clock = Clock()
    buckets, rate = quota(clock, capacity=100), Rate(5, 10)
    for number in range(101):
        buckets.take(f"a{number}", rate)
        buckets.count(f"a{number}", rate)
    assert (len(buckets._full_at), len(buckets._windows)) == (91, 91)
    assert "a9" not in buckets._windows
    assert "a10" in buckets._windows
    for number in range(9):
        buckets.count(f"b{number}", rate)
    assert len(buckets._windows) == 100
    assert [buckets.count("b8", rate).remaining for _ in range(2)] == [3, 2]
    assert len(buckets._windows) == 100


def test_rates_in_settings() -> None:
    assert Rate.parse("3/60s") == Rate(3, 60)
    assert Rate.parse("10/s") == Rate(10, 1)
    assert Rate.parse("0") is None
    for bad in ("x", "0/60s", "3/-1s", "3/0s"):
        with pytest.raises(ValueError, match=r".+"):
            Rate.parse(bad)
