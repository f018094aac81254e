"""What the sandbox's clock and faults may be set to: pure decisions."""

from __future__ import annotations

from flux.kernel.faults import Mode
from flux.kernel.wire import Problem
from flux.operator.control.schemas import FaultArm

LATEST_MS = 3_471_292_800_000
"""2080-01-01: four years before snowflakes (41 bits of milliseconds from 2015) would no longer fit a signed 64-bit
integer, which leaves room for what expires later."""


def clock_problems(now_ms: int, seconds: float) -> list[Problem]:
    left = (LATEST_MS - now_ms) / 1000
    if seconds > left:
        expected = f"at most {max(0, int(left))}: the clock stops at the year 2080"
        return [Problem("body", "advance_seconds", "too_large", expected, seconds, left)]
    return []


def fault_problems(wanted: FaultArm) -> list[Problem]:
    if wanted.mode is Mode.DELAY and wanted.seconds <= 0:
        return [Problem("body", "seconds", "too_small", "more than 0 with mode delay", wanted.seconds, 0)]
    return []


def plane_problems(wanted: list[str], known: list[str]) -> list[Problem]:
    expected = f"one of {', '.join(known)}"
    return [
        Problem("body", f"planes.{index}", "choice", expected, name, known)
        for index, name in enumerate(wanted)
        if name not in known
    ]


def unseen(totals: dict[str, float], told: dict[str, float]) -> float:
    """Seconds in `told` that `totals` does not count yet. Both only grow, so any order of messages adds up."""
    return sum(max(0.0, told[origin] - totals.get(origin, 0.0)) for origin in told)
