"""One serving process: house, application, uvicorn, and an orderly end.

On SIGTERM: the listeners close, planes tell their sockets to come back (`on_drain`), running requests finish within
`server.drain_seconds`, then the house closes. An answer only ever left after its commit, so nothing acknowledged is
lost even when the process is killed instead.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import logging
import os
import signal
import socket
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import uvicorn
import uvloop

from flux.app import bootstrap, compose, open_house
from flux.kernel.outside.doors import Doors
from flux.kernel.watch import guard
from flux.kernel.wire.listening import widened
from flux.kernel.wire.protocol import HeadLimits, LimitedProtocol
from flux.kernel.wire.server import Application
from flux.kernel.wire.websocket import LimitedSocket, SocketLimits
from flux.operatorfile import OperatorFile
from flux.settings import Settings
from flux.starting import StartError, explained

log = logging.getLogger("flux.serving")
GOODBYE_SECONDS = 2.0
"""How long a stopping server waits for peers to answer its close frames."""
GOODBYE_CHECK_SECONDS = 0.02
INSIST_SECONDS = 0.3
"""A second signal within this time is the first one again: terminals, service managers and wrappers each pass it on."""


@dataclass(slots=True)
class Task:
    """What one process serves. `origin` is what clients see. `ready` is told once, when everything has started.
    `link` is a worker's end of the line to its parent, whose silence ends it; only the parent can hurry it."""

    settings: Settings
    data_dir: Path
    listeners: Sequence[socket.socket]
    origin: str
    worker: int = 0
    ready: Callable[[OperatorFile], None] | None = None
    link: socket.socket | None = None


class Stop:
    """SIGTERM and SIGINT: the first begins the end, or calls off the start; a second one ends the process at once."""

    def __init__(self, *, forceful: bool) -> None:
        self._loop = asyncio.get_running_loop()
        self._starting = asyncio.current_task()
        self._forceful = forceful
        self.server: DrainingServer | None = None
        self.since: float | None = None
        for number in (signal.SIGTERM, signal.SIGINT):
            self._loop.add_signal_handler(number, self)

    def __call__(self) -> None:
        if self.since is None:
            self.since = self._loop.time()
            if self.server is not None:
                self.server.should_exit = True
            elif self._starting is not None:
                self._starting.cancel()
        elif self._forceful and self._loop.time() - self.since > INSIST_SECONDS:
            log.warning("asked twice to stop: leaving without waiting for running requests")
            os._exit(1)


class DrainingServer(uvicorn.Server):
    """uvicorn, with the planes told before connections are closed."""

    def __init__(self, config: uvicorn.Config, application: Application) -> None:
        super().__init__(config)
        self._application = application

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """They are `Stop`'s. uvicorn would raise them again once it is done, before the house is closed."""
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for plane in self._application.planes:
            for hook in plane.on_drain:
                try:
                    await asyncio.wait_for(hook(), self.config.timeout_graceful_shutdown)
                except Exception:
                    log.exception("draining %s failed", plane.name)
        await self._sockets_gone()
        await super().shutdown(sockets)

    async def _sockets_gone(self) -> None:
        """Wait for the peers' answers to our goodbyes, a moment at most: a connection that is cut with something of the
        peer's unread is reset, and a reset throws away what the peer has not read, our goodbye too."""
        patience = min(GOODBYE_SECONDS, self.config.timeout_graceful_shutdown or GOODBYE_SECONDS)
        for _ in range(int(patience / GOODBYE_CHECK_SECONDS)):
            if not self._saying_goodbye():
                return
            await asyncio.sleep(GOODBYE_CHECK_SECONDS)

    def _saying_goodbye(self) -> bool:
        return any(
            isinstance(each, LimitedSocket) and each.close_sent for each in self.server_state.connections
        )


def public_origin(settings: Settings, listener: socket.socket) -> str:
    if settings.server.public_url:
        return settings.server.public_url.rstrip("/")
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(task: Task) -> None:
    """Serve until SIGTERM or SIGINT. Raises `StartError`."""
    try:
        uvloop.run(_serve(task))
    finally:
        # The loop is gone, and its handlers with it: the services that were started for it must still be ended in order.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)


async def prepare(settings: Settings, data_dir: Path, origin: str, *, nominal: bool = False) -> OperatorFile:
    """Everything a first start makes, without serving. A `nominal` origin gives way to one that was really served."""
    operator_file = OperatorFile.open(data_dir)
    with explained(settings, data_dir):
        opened = await open_house(settings, data_dir, origin, operator_file)
        try:
            await bootstrap(opened.house, operator_file, urls=not (nominal and operator_file.has_urls()))
        finally:
            await opened.close()
    return operator_file


async def _serve(task: Task) -> None:
    stop = Stop(forceful=task.link is None)
    if task.link is not None:
        asyncio.get_running_loop().add_reader(task.link, _heed, task.link, stop)
    try:
        await _open_and_serve(task, stop)
    except asyncio.CancelledError:
        if stop.since is None:
            raise


def _heed(link: socket.socket, stop: Stop) -> None:
    """A parent never says anything: what can be read is its end."""
    asyncio.get_running_loop().remove_reader(link)
    log.warning("the parent process is gone: stopping")
    if stop.since is None:
        stop()


async def _open_and_serve(task: Task, stop: Stop) -> None:
    settings = task.settings
    operator_file = OperatorFile.open(task.data_dir)
    guard(operator_file.admin_token)
    with explained(settings, task.data_dir):
        opened = await open_house(settings, task.data_dir, task.origin, operator_file, worker=task.worker)
        opened.house.doors = Doors.of(task.listeners)
    try:
        if task.link is None:
            with explained(settings, task.data_dir):
                await bootstrap(opened.house, operator_file)
        application = compose(opened)
        server = DrainingServer(_config(settings, application), application)
        ready = task.ready

        def up() -> None:
            _settle_memory()
            if ready is not None:
                ready(operator_file)

        application.on_ready(up)
        if stop.since is None:
            stop.server = server
            # Several processes on one socket share it more evenly one connection at a time.
            alone = task.link is None
            await _until_stopped(server, widened(task.listeners) if alone else list(task.listeners))
    finally:
        await opened.close()


_COLLECT_EVERY = (10_000, 10, 10)


def _settle_memory() -> None:
    """What start-up left behind goes back to the system; what stays is no longer walked by each collection."""
    gc.collect()
    gc.freeze()
    # Requests make few cycles, and a collection every 700 objects that outlive it looks at the same ones again and again.
    gc.set_threshold(*_COLLECT_EVERY)
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)


async def _until_stopped(server: DrainingServer, listeners: list[socket.socket]) -> None:
    try:
        await server.serve(sockets=listeners)
    except SystemExit:
        raise StartError("a part of the house did not start; the lines above say which") from None


def _config(settings: Settings, application: Application) -> uvicorn.Config:
    server = settings.server
    HeadLimits.header_bytes = server.header_bytes
    HeadLimits.url_bytes = server.url_bytes
    HeadLimits.seconds = server.header_seconds
    SocketLimits.message_bytes = server.socket_message_bytes
    SocketLimits.pings = server.socket_pings_per_minute
    config = uvicorn.Config(
        application,
        http=LimitedProtocol,
        ws=LimitedSocket,
        ws_ping_interval=None,
        ws_per_message_deflate=False,
        interface="asgi3",
        loop="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        proxy_headers=False,
        server_header=False,
        date_header=True,
        backlog=2048,
    )
    # Fractions of a second count, though uvicorn's annotations know only whole ones.
    config.timeout_keep_alive = server.keep_alive_seconds  # type: ignore[assignment]
    config.timeout_graceful_shutdown = server.drain_seconds  # type: ignore[assignment]
    if server.log_level != "debug":
        # Its news are ours to tell, and what it warns of is what strangers sent.
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    return config
