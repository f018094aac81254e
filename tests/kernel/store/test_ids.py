"""Identifiers and time."""

from __future__ import annotations

import asyncio

import pytest

from flux.kernel.store import (
    ALPHANUMERIC,
    LOWER,
    SandboxClock,
    Snowflakes,
    SystemClock,
    iso,
    neighbouring_keys,
    random_key,
    snowflake_ms,
    time_sortable_key,
)
from flux.kernel.store.ids import _tables


class Hands:
    """A clock moved by hand."""

    def __init__(self) -> None:
        self.ms = 1_700_000_000_000

    def now_ms(self) -> int:
        return self.ms


def test_snowflakes_increase_whatever_the_clock_does() -> None:
    hands = Hands()
    flakes = Snowflakes(hands)  # type: ignore[arg-type]
    seen = []
    for step in (0, 5, -1000, 0, 3, 900, 2000):
        hands.ms += step
        seen += [flakes.next() for _ in range(5000)]
    assert seen == sorted(set(seen))
    assert all(0 < flake < 2**63 for flake in seen)
    assert {flake >> 12 & 0x3FF for flake in seen} == {0}


def test_a_snowflake_tells_its_time_and_worker() -> None:
    hands = Hands()
    flake = Snowflakes(hands, worker=1023).next()  # type: ignore[arg-type]
    assert snowflake_ms(flake) == hands.ms
    assert flake >> 12 & 0x3FF == 1023
    with pytest.raises(ValueError, match=r"0\.\.1023"):
        Snowflakes(hands, worker=1024)  # type: ignore[arg-type]


def test_workers_never_collide() -> None:
    hands = Hands()
    makers = [Snowflakes(hands, worker=n) for n in range(4)]  # type: ignore[arg-type]
    seen = [maker.next() for _ in range(1000) for maker in makers]
    assert len(set(seen)) == 4000


@pytest.mark.parametrize("alphabet", [LOWER, ALPHANUMERIC])
def test_every_character_of_a_random_key_is_as_likely(alphabet: str) -> None:
    table, surplus = _tables(alphabet)
    made = bytes(range(256)).translate(table, surplus).decode()
    assert {made.count(one) for one in alphabet} == {256 // len(alphabet)}


def test_random_keys() -> None:
    keys = {random_key(24, LOWER) for _ in range(100)}
    assert len(keys) == 100
    assert all(len(key) == 24 and set(key) <= set(LOWER) for key in keys)


def test_neighbouring_keys_share_a_third() -> None:
    some, others = neighbouring_keys(200, 12), neighbouring_keys(200, 12)
    assert len({*some, *others}) == 400
    assert all(len(key) == 12 and set(key) <= set(ALPHANUMERIC) for key in some)
    assert some == sorted(some)
    assert len({key[:4] for key in some}) == 1
    assert len({key[4] for key in some}) > 10
    assert some[0][:4] != others[0][:4]


def test_time_sortable_keys_sort_by_time() -> None:
    clock = SandboxClock()
    keys = []
    for _ in range(50):
        keys.append(time_sortable_key(clock))
        clock.advance(0.002)
    assert keys == sorted(keys)
    assert all(len(key) == 26 for key in keys)


def test_iso() -> None:
    assert iso(1_771_529_663_123) == "2026-02-19T19:34:23.123Z"


async def test_a_sandbox_clock_fires_what_became_due_in_order() -> None:
    clock = SandboxClock()
    fired: list[str] = []
    clock.call_later(60, lambda: fired.append("minute"))
    clock.call_later(3600, lambda: fired.append("hour"))
    clock.call_later(1800, lambda: fired.append("cancelled")).cancel()
    sleeper = asyncio.ensure_future(clock.sleep(90))
    await asyncio.sleep(0.01)
    assert fired == []
    before = clock.now_ms()
    clock.advance(120)
    await asyncio.wait_for(sleeper, 20)
    assert fired == ["minute"]
    assert clock.now_ms() - before >= 120_000
    clock.advance(7200)
    await asyncio.sleep(0.01)
    assert fired == ["minute", "hour"]


async def test_the_system_clock_waits() -> None:
    clock = SystemClock()
    before = clock.monotonic()
    await clock.sleep(0.01)
    assert clock.monotonic() - before >= 0.009
