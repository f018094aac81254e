"""The children of `flux serve --workers N`, and their parent.

Children share the listening sockets. Each holds one end of a line to its parent: its assignment comes through it, one
byte goes back when it serves, and when the parent ends, however it ends, the line breaks and the child stops. A child
that dies is replaced.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from flux.operatorfile import OperatorFile
from flux.serving import INSIST_SECONDS, Task
from flux.settings import Settings

log = logging.getLogger("flux.workers")
WORKER = "FLUX_WORKER"
_TICK = 0.1
_PAUSES = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
"""Before a child is replaced, by how often it died young."""
_YOUNG_SECONDS = 10.0
_GRACE_SECONDS = 20.0
"""Beyond the time for running requests: planes say goodbye, jobs end, the house closes."""
_REFUSED = 2
"""A child's exit status when it says that it cannot start: starting it again would not help."""


class Child:
    """One place in the crew and the process that fills it."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.process: subprocess.Popen[bytes] | None = None
        self.ready = False
        self.started_at = 0.0
        self.due_at = 0.0
        self._deaths = 0
        self._link: socket.socket | None = None

    def start(self, order: dict[str, Any], listeners: Sequence[socket.socket]) -> None:
        mine, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "flux.cli", "serve"],
                env={**os.environ, WORKER: str(theirs.fileno())},
                pass_fds=[theirs.fileno(), *(listener.fileno() for listener in listeners)],
                # A terminal's Ctrl-C is for the parent, who passes it on once.
                start_new_session=True,
            )
        mine.sendall(json.dumps({**order, "worker": self.number}).encode() + b"\n")
        mine.setblocking(False)
        self._link, self.ready, self.started_at = mine, False, time.monotonic()

    def is_ready(self) -> bool:
        if not self.ready and self._link is not None:
            try:
                self.ready = bool(self._link.recv(1))
            except OSError:
                return False
        return self.ready

    def ended(self) -> int | None:
        """Its exit status, once; None while it runs."""
        if self.process is None or (status := self.process.poll()) is None:
            return None
        if self._link is not None:
            self._link.close()
            self._link = None
        self._deaths = self._deaths + 1 if time.monotonic() - self.started_at < _YOUNG_SECONDS else 0
        self.due_at = time.monotonic() + _PAUSES[min(self._deaths, len(_PAUSES) - 1)]
        self.process = None
        return status

    def signal(self, number: int) -> None:
        if self.process is not None:
            self.process.send_signal(number)


class Crew:
    def __init__(
        self, settings: Settings, data_dir: Path, listeners: Sequence[socket.socket], origin: str
    ) -> None:
        self._settings = settings
        self._listeners = listeners
        self._order = {
            "settings": msgspec.to_builtins(settings),
            "data_dir": str(data_dir),
            "listeners": [listener.fileno() for listener in listeners],
            "origin": origin,
        }
        self._children = [Child(number) for number in range(settings.server.workers)]
        self._signals: list[float] = []

    def work(self, welcome: Callable[[], None]) -> int:
        """Until a signal has come and every child has ended; the exit status."""
        for number in (signal.SIGTERM, signal.SIGINT):
            # Only noted: whoever is being started at this moment must hear of it too.
            signal.signal(number, lambda *_: self._signals.append(time.monotonic()))
        welcomed = False
        while not self._signals:
            for child in self._children:
                status = child.ended()
                if status == _REFUSED and not welcomed:
                    return max(self._dismiss(), _REFUSED)
                if status is not None:
                    log.warning("worker %d ended with %d: starting another", child.number, status)
                if child.process is None and time.monotonic() >= child.due_at and not self._signals:
                    child.start(self._order, self._listeners)
            if not welcomed and any(child.is_ready() for child in self._children):
                welcomed = True
                welcome()
            time.sleep(_TICK)
        return self._dismiss()

    def _dismiss(self) -> int:
        """Everyone finishes what runs; whoever takes too long, or a second signal, is ended."""
        for listener in self._listeners:
            listener.close()
        for child in self._children:
            child.signal(signal.SIGTERM)
        began, result = time.monotonic(), 0
        limit = began + self._settings.server.drain_seconds + _GRACE_SECONDS
        while any(child.process is not None for child in self._children):
            if time.monotonic() > limit or (
                self._signals and self._signals[-1] - self._signals[0] > INSIST_SECONDS
            ):
                for child in self._children:
                    child.signal(signal.SIGKILL)
            for child in self._children:
                # One that had no handler yet dies of the signal, and nothing was lost by it.
                if child.ended() not in (None, 0, -signal.SIGTERM):
                    result = 1
            time.sleep(_TICK / 2)
        return result


def assignment(link: socket.socket) -> Task:
    """What the parent at the other end of the line wants served."""
    with link.makefile("rb") as lines:
        order = json.loads(lines.readline())
    link.setblocking(False)

    def ready(_: OperatorFile) -> None:
        try:
            link.send(b"1")
        except OSError:
            log.warning("the parent process does not listen")

    return Task(
        msgspec.convert(order["settings"], Settings),
        Path(order["data_dir"]),
        [socket.socket(fileno=descriptor) for descriptor in order["listeners"]],
        order["origin"],
        worker=order["worker"],
        ready=ready,
        link=link,
    )
