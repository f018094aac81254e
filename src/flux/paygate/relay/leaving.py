"""Noticing that the consumer has hung up while its call is on its way to the target."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from flux.kernel.wire import Call

WATCH_AFTER_SECONDS = 0.2
"""Most calls are over by then, also on a busy server, and need no watching. Within a second the target must be let go."""


class Leaving:
    """Cancels the task it was made in when the consumer leaves; after `meanwhile`, does that instead."""

    def __init__(self, call: Call) -> None:
        self.has_left = False
        self._call = call
        self._work = asyncio.current_task()
        self._act: Callable[[], object] | None = None
        self._watch: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(WATCH_AFTER_SECONDS, self._begin)

    def meanwhile(self, act: Callable[[], object]) -> None:
        """The answer is being streamed: what to do about its source when nobody listens any more."""
        self._act = act
        if self.has_left:
            act()

    def forgive(self) -> None:
        """The cancellation has been understood and is over."""
        if self._work is not None:
            self._work.uncancel()

    def stop(self) -> None:
        self._timer.cancel()
        if self._watch is not None:
            self._watch.cancel()

    def _begin(self) -> None:
        self._watch = asyncio.ensure_future(self._call.gone())
        self._watch.add_done_callback(self._left)

    def _left(self, watch: asyncio.Task[None]) -> None:
        if watch.cancelled() or watch.exception() is not None:
            return
        self.has_left = True
        if self._act is not None:
            self._act()
        elif self._work is not None:
            self._work.cancel()
