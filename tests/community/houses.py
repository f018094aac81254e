"""Which of a server's processes a gateway client is connected to, and connecting to the one that is wanted."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.community.actors import Actor
from tests.community.gateway import GatewayClient
from tests.harness.server import Server


def workers(server: Server) -> list[int]:
    """The serving processes: the parent's children but the services it started for them."""
    found = []
    for path in Path(f"/proc/{server.process.pid}/task").glob("*/children"):
        for pid in map(int, path.read_text().split()):
            with contextlib.suppress(OSError):
                if b"nats" not in Path(f"/proc/{pid}/cmdline").read_bytes():
                    found.append(pid)
    return found


def worker_of(server: Server, client: GatewayClient) -> int | None:
    """The process that has the other end of the client's connection."""
    connection = client.socket._response.connection
    assert connection is not None
    assert connection.transport is not None
    return worker_behind(server, connection.transport.get_extra_info("sockname")[1])


def worker_behind(server: Server, port: int) -> int | None:
    """The process that has the other end of the connection from that port."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        if int(fields[2].rpartition(":")[2], 16) == port:
            held = f"socket:[{fields[9]}]"
            for pid in workers(server):
                with contextlib.suppress(OSError):
                    for file in Path(f"/proc/{pid}/fd").iterdir():
                        with contextlib.suppress(OSError):
                            if os.readlink(file) == held:
                                return pid
    return None


@contextlib.contextmanager
def stopped(pids: list[int]) -> Iterator[None]:
    """They do nothing meanwhile."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


async def connect(server: Server, client: GatewayClient, pid: int) -> None:
    """Connect to that process: the others do not answer meanwhile."""
    async with asyncio.timeout(60):
        while True:
            with (
                stopped([each for each in workers(server) if each != pid]),
                contextlib.suppress(TimeoutError),
            ):
                async with asyncio.timeout(5):
                    await client.connect()
                    if worker_of(server, client) == pid:
                        return
            await client.close(4000)


async def at(server: Server, actor: Actor, pid: int, **more: Any) -> GatewayClient:
    client = GatewayClient(actor, **more)
    await connect(server, client, pid)
    return client


async def move(server: Server, client: GatewayClient, pid: int) -> None:
    """The client loses its connection, connects to that process and resumes."""
    client.drop()
    await connect(server, client, pid)
    await client.resume()
