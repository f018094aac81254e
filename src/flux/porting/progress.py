"""A bar at the terminal, on stderr and only there; lines of a log elsewhere would be noise."""

from __future__ import annotations

import sys
import time
from typing import TextIO

_WIDTH = 30
_PAUSE = 0.1


class Bar:
    """`show` may be called as often as there is news."""

    def __init__(self, word: str, total: int, out: TextIO | None = None, *, quiet: bool = False) -> None:
        self._word = word
        self._total = max(total, 1)
        self._out = out or sys.stderr
        self._shown = not quiet and self._out.isatty()
        self._began = self._last = time.monotonic()
        self._written = False

    def show(self, done: int, resources: int) -> None:
        now = time.monotonic()
        if not self._shown or (now - self._last < _PAUSE and done < self._total):
            return
        self._last = now
        share = min(done / self._total, 1.0)
        filled = round(share * _WIDTH)
        rate = resources / max(now - self._began, 0.001)
        bar = "█" * filled + "·" * (_WIDTH - filled)
        self._out.write(f"\r{self._word} {bar} {share:4.0%}  {resources:,} resources, {rate:,.0f}/s ")
        self._out.flush()
        self._written = True

    def close(self) -> None:
        if self._written:
            self._out.write("\n")
