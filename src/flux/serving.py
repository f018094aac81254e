"""One serving process: house, application, uvicorn, and an orderly end.

On SIGTERM: the listener closes, planes tell their sockets to come back (`on_drain`), running requests finish within
`server.drain_seconds`, then the house closes. An answer only ever left after its commit, so nothing acknowledged is
lost even when the process is killed instead.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from pathlib import Path
from typing import Any

import uvicorn
import uvloop

from flux.app import bootstrap, compose, open_house
from flux.kernel.watch import guard
from flux.kernel.wire.protocol import HeadLimits, LimitedProtocol
from flux.kernel.wire.server import Application
from flux.operatorfile import OperatorFile
from flux.settings import Settings

log = logging.getLogger("flux.serving")
SOCKET_MESSAGE_BYTES = 1_048_576


class DrainingServer(uvicorn.Server):
    """uvicorn, with the planes told before connections are closed."""

    def __init__(self, config: uvicorn.Config, application: Application) -> None:
        super().__init__(config)
        self._application = application

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for plane in self._application.planes:
            for hook in plane.on_drain:
                try:
                    await asyncio.wait_for(hook(), self.config.timeout_graceful_shutdown)
                except Exception:
                    log.exception("draining %s failed", plane.name)
        await super().shutdown(sockets)


def public_origin(settings: Settings, listener: socket.socket) -> str:
    if settings.server.public_url:
        return settings.server.public_url.rstrip("/")
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def run(
    settings: Settings, data_dir: Path, listener: socket.socket, *, worker: int = 0, welcome: Any = None
) -> None:
    """Serve until SIGTERM or SIGINT."""
    uvloop.run(_serve(settings, data_dir, listener, worker, welcome))


async def prepare(settings: Settings, data_dir: Path, origin: str) -> OperatorFile:
    """Everything a first start makes, without serving: for the supervisor and for `flux demo`."""
    operator_file = OperatorFile.open(data_dir)
    opened = await open_house(settings, data_dir, origin, operator_file)
    try:
        await bootstrap(opened.house, operator_file)
    finally:
        await opened.close()
    return operator_file


async def _serve(
    settings: Settings, data_dir: Path, listener: socket.socket, worker: int, welcome: Any
) -> None:
    origin = public_origin(settings, listener)
    operator_file = OperatorFile.open(data_dir)
    guard(operator_file.admin_token)
    opened = await open_house(settings, data_dir, origin, operator_file, worker=worker)
    try:
        if worker == 0:
            await bootstrap(opened.house, operator_file)
        application = compose(opened)
        server = DrainingServer(_config(settings, application), application)
        if welcome is not None:
            application.on_ready(lambda: welcome(origin, operator_file))
        await server.serve(sockets=[listener])
    finally:
        await opened.close()


def _config(settings: Settings, application: Application) -> uvicorn.Config:
    server = settings.server
    HeadLimits.header_bytes = server.header_bytes
    HeadLimits.url_bytes = server.url_bytes
    HeadLimits.seconds = server.header_seconds
    return uvicorn.Config(
        application,
        http=LimitedProtocol,
        ws="websockets-sansio",
        ws_max_size=SOCKET_MESSAGE_BYTES,
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
        timeout_keep_alive=round(server.keep_alive_seconds),
        timeout_graceful_shutdown=round(server.drain_seconds),
        backlog=2048,
    )
