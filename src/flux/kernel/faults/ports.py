"""The kernel's seams, and failures injected at them.

A port is where the house meets something that can break: the store, the bus, a chain node, an upstream. Real
adapters raise a `PortFailure` when their world breaks; in the sandbox an operator arms the same failures by
name, so that the path above the port is always the real one. Planes map a `PortFailure` to a declared fault.
"""

from __future__ import annotations

import asyncio
import os
import signal
from contextvars import ContextVar
from dataclasses import dataclass
from enum import Enum

PORTS = (
    "handler", "store", "blobs", "bus", "realtime", "mail", "sms", "captcha", "payments", "voice", "dns",
    "upstream", "chain", "embeddings",
)  # fmt: skip


_behind: ContextVar[bool] = ContextVar("behind", default=False)


def stand_behind() -> None:
    """This task, and those it starts from here on, work behind the scenes: a fault at the store is left for the request
    it was armed for."""
    _behind.set(True)


class Mode(Enum):
    ERROR = "error"
    """The port answers with a failure."""
    GARBAGE = "garbage"
    """It answers nonsense."""
    UNAVAILABLE = "unavailable"
    """It refuses."""
    TIMEOUT = "timeout"
    """It never answers within its deadline."""
    DELAY = "delay"
    """It waits `seconds`, then works."""
    CRASH = "crash"
    """The process dies at once, as by kill -9."""


class PortFailure(Exception):
    """Something outside failed: which port, and how (`Mode.ERROR|GARBAGE|UNAVAILABLE|TIMEOUT`).

    `reason` is a short machine word for the envelope (`dns`, `connect` …); the cause stays in the log.
    """

    def __init__(self, port: str, mode: Mode, reason: str = "") -> None:
        super().__init__(f"{port}: {mode.value}{f' ({reason})' if reason else ''}")
        self.port = port
        self.mode = mode
        self.reason = reason


@dataclass(slots=True)
class _Armed:
    mode: Mode
    count: int
    seconds: float


class Ports:
    """The injection desk. `enabled` only in the sandbox; outside it `strike` costs one attribute test."""

    def __init__(self, *, enabled: bool = False, deadline_seconds: float = 5.0) -> None:
        self.enabled = enabled
        self.deadline_seconds = deadline_seconds
        self._armed: dict[str, _Armed] = {}

    def arm(self, port: str, mode: Mode, count: int = 1, seconds: float = 0.0) -> None:
        """The next `count` calls through `port` meet `mode`."""
        if port not in PORTS:
            raise KeyError(port)
        self._armed[port] = _Armed(mode, count, seconds)

    def disarm(self) -> None:
        self._armed.clear()

    def armed(self, port: str) -> bool:
        """True while a fault waits at the port; caches in front of it stand aside."""
        return port in self._armed

    def state(self) -> list[dict[str, object]]:
        """`[{port, armed: null | {mode, count, seconds}}]` for the operator."""
        listing: list[dict[str, object]] = []
        for port in PORTS:
            armed = self._armed.get(port)
            shown = (
                {"mode": armed.mode.value, "count": armed.count, "seconds": armed.seconds} if armed else None
            )
            listing.append({"port": port, "armed": shown})
        return listing

    async def strike(self, port: str) -> None:
        """Called by every adapter before it crosses its port. Returns, waits, raises `PortFailure` or kills."""
        if not self._armed:
            return
        armed = self._armed.get(port)
        if armed is None or (port == "store" and _behind.get()):
            return
        armed.count -= 1
        if armed.count <= 0:
            del self._armed[port]
        if armed.mode is Mode.CRASH:
            os.kill(os.getpid(), signal.SIGKILL)
        if armed.mode is Mode.DELAY:
            await asyncio.sleep(armed.seconds)
            return
        if armed.mode is Mode.TIMEOUT:
            await asyncio.sleep(armed.seconds or self.deadline_seconds)
        raise PortFailure(port, armed.mode, "injected")
