"""Processes: one by default; with `--workers N` a parent that starts the shared services, then N serving children.

Children share the listening socket and find PostgreSQL and NATS through their settings. A child that dies is
replaced; when the parent ends, everything it started ends.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

import msgspec

from flux import serving
from flux.app import demo as fill
from flux.app import migration_sets, open_house
from flux.kernel.bus import EmbeddedNats
from flux.kernel.store.embedded import EmbeddedPostgres
from flux.kernel.store.opening import EMBEDDED
from flux.kernel.watch import configure_logging
from flux.kernel.watch.doctor import examine as look_over
from flux.kernel.watch.doctor import print_findings
from flux.kernel.wire.listening import listen
from flux.operatorfile import OperatorFile
from flux.settings import Settings, SettingsError

WORKER = "FLUX_WORKER"
_RESTART_PAUSE = 1.0


def serve(settings: Settings, data_dir: Path) -> int:
    configure_logging(settings.server.log_level, settings.server.log_format)
    assignment = os.environ.get(WORKER)
    if assignment:
        number, _, descriptor = assignment.partition(":")
        listener = socket.socket(fileno=int(descriptor))
        serving.run(settings, data_dir, listener, worker=int(number))
        return 0
    with ExitStack() as stack:
        settings = _with_services(settings, data_dir, stack)
        listener = stack.enter_context(_listener(settings))
        if settings.server.workers == 1:
            serving.run(settings, data_dir, listener, welcome=_welcome)
            return 0
        return _supervise(settings, data_dir, listener)


def migrate(settings: Settings, data_dir: Path) -> int:
    with ExitStack() as stack:
        settings = _with_services(settings, data_dir, stack)
        asyncio.run(serving.prepare(settings, data_dir, _nominal_origin(settings)))
    print("The database is up to date.")
    return 0


def demo(settings: Settings, data_dir: Path) -> list[str]:
    async def fill_it(ready: Settings) -> list[str]:
        origin = _nominal_origin(ready)
        operator_file = await serving.prepare(ready, data_dir, origin)
        opened = await open_house(ready, data_dir, origin, operator_file)
        try:
            return await fill(opened.house)
        finally:
            await opened.close()

    with ExitStack() as stack:
        return asyncio.run(fill_it(_with_services(settings, data_dir, stack)))


async def examine(settings: Settings, data_dir: Path, out: TextIO) -> int:
    """`flux doctor`: 0 when nothing failed."""
    findings = await look_over(settings, data_dir, migrations=migration_sets())
    print_findings(findings, out)
    return 1 if any(finding.level == "fail" for finding in findings) else 0


def _with_services(settings: Settings, data_dir: Path, stack: ExitStack) -> Settings:
    """Start what the settings embed and several processes must share; the settings that point to it."""
    tree = msgspec.to_builtins(settings)
    if settings.store.database == EMBEDDED:
        server = stack.enter_context(EmbeddedPostgres.start(data_dir / "postgres"))
        tree["store"]["database"] = server.dsn()
    if settings.server.workers > 1:
        if not tree["store"]["database"].startswith("postgres"):
            raise SettingsError(
                "several workers need PostgreSQL: add --database embedded-postgres, or give the URL of your own"
            )
        if not settings.bus.url:
            nats = stack.enter_context(EmbeddedNats.start(data_dir / "nats"))
            tree["bus"]["url"] = nats.url
    return msgspec.convert(tree, Settings)


def _listener(settings: Settings) -> socket.socket:
    try:
        return listen(settings.server.host, settings.server.port)
    except OSError as problem:
        raise SettingsError(
            f"cannot listen on {settings.server.host}:{settings.server.port}: {problem.strerror}; choose another with --port"
        ) from None


def _nominal_origin(settings: Settings) -> str:
    server = settings.server
    return server.public_url.rstrip("/") or f"http://{server.host}:{server.port or 8080}"


def _supervise(settings: Settings, data_dir: Path, listener: socket.socket) -> int:
    origin = serving.public_origin(settings, listener)
    operator_file = asyncio.run(serving.prepare(settings, data_dir, origin))
    stopping = False
    children: dict[int, subprocess.Popen[bytes]] = {}

    def stop(*_: Any) -> None:
        nonlocal stopping
        stopping = True
        for child in children.values():
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    for number in range(settings.server.workers):
        children[number] = _spawn(settings, data_dir, listener, origin, number)
    _welcome(origin, operator_file)
    while any(child.poll() is None for child in children.values()) or not stopping:
        time.sleep(0.1)
        for number, child in children.items():
            if child.poll() is not None and not stopping:
                time.sleep(_RESTART_PAUSE)
                if not stopping:
                    children[number] = _spawn(settings, data_dir, listener, origin, number)
    return max((abs(child.returncode or 0) for child in children.values()), default=0) and 1


def _spawn(
    settings: Settings, data_dir: Path, listener: socket.socket, origin: str, number: int
) -> subprocess.Popen[bytes]:
    descriptor = listener.fileno()
    environment = {
        **os.environ,
        WORKER: f"{number}:{descriptor}",
        "FLUX_STORE__DATABASE": settings.store.database,
        "FLUX_BUS__URL": settings.bus.url,
        "FLUX_SERVER__PUBLIC_URL": origin,
    }
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "flux.cli", *_arguments(data_dir)], env=environment, pass_fds=[descriptor]
    )


def _arguments(data_dir: Path) -> list[str]:
    """The parent's own arguments again, but for the database, which the environment names."""
    given, kept = sys.argv[1:], []
    skip = False
    for argument in given:
        if skip:
            skip = False
        elif argument in ("--database", "--data"):
            skip = True
        elif not argument.startswith(("--database=", "--data=")):
            kept.append(argument)
    return [*kept, "--data", str(data_dir)]


def _welcome(origin: str, operator_file: OperatorFile) -> None:
    content = operator_file.content
    print(
        f"""
  Flux is up at {origin}

    community   {content["community"]["api_url"]}
    content     {content["content"]["management_url"]}  (delivery {content["content"]["delivery_url"]})
    paygate     {content["paygate"]["api_url"]}
    errors      {origin}/errors
    keys        {operator_file.path}

  Stop with Ctrl-C.
""",
        flush=True,
    )
