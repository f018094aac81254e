"""Time limits: whatever a piece of work does, it is the same with and without one, but for its end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from flux.kernel.wire.deadlines import within
from flux.kernel.wire.troubles import Kind, WireTrouble


async def _soon(delay: float = 0) -> str:
    await asyncio.sleep(delay)
    return "done"


async def _at_once() -> str:
    return "done"


async def _often() -> str:
    for _ in range(50):
        await asyncio.sleep(0)
    async with asyncio.timeout(20):
        return await asyncio.create_task(_soon(0.001))


async def _catches() -> str:
    try:
        await asyncio.get_running_loop().run_in_executor(None, int, "x")
    except ValueError:
        return "done"
    return "no failure"


@pytest.mark.parametrize("work", [_at_once, _soon, _often, _catches])
async def test_work_within_its_time_returns_what_it_returns(work: Callable[[], Awaitable[str]]) -> None:
    assert await within(20, work()) == "done"  # type: ignore[arg-type]


async def test_no_timer_is_set_for_work_that_never_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asyncio, "timeout", None)
    assert await within(20, _at_once()) == "done"


@pytest.mark.parametrize("waits", [False, True])
async def test_a_failure_comes_out(waits: bool) -> None:
    async def fails() -> None:
        if waits:
            await asyncio.sleep(0)
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await within(20, fails())


async def test_work_that_takes_too_long_is_cancelled_and_may_clean_up() -> None:
    steps = []

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            steps.append("cleaned up")

    with pytest.raises(WireTrouble) as refused:
        await within(0.01, endless())
    assert (refused.value.kind, refused.value.limit) == (Kind.REQUEST_TIMEOUT, 0.01)
    assert steps == ["cleaned up"]


async def test_cancelling_from_outside_reaches_the_work() -> None:
    heard = []

    async def waits() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            heard.append("cancelled")
            raise

    task = asyncio.create_task(within(20, waits()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert heard == ["cancelled"]
