"""Processes: one by default; with `--workers N` a parent that starts the shared services, then N serving children.

`flux migrate`, `flux demo` and `flux doctor` are run here too: they need the same services for a moment.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

import msgspec

from flux import serving
from flux.app import demo as fill
from flux.app import migration_sets, open_house
from flux.kernel.bus import EmbeddedNats
from flux.kernel.store import EMBEDDED, DatabaseInUse, EmbeddedPostgres
from flux.kernel.watch import configure_logging
from flux.kernel.watch.doctor import examine as look_over
from flux.kernel.watch.doctor import print_findings
from flux.kernel.wire.listening import listen
from flux.operatorfile import OperatorFile
from flux.settings import Settings, SettingsError
from flux.starting import StartError, check, explained, prepare_directory
from flux.workers import WORKER, Crew, assignment

GUEST = 1023
"""The worker number of a command beside a running server, so that no two ids are alike."""


def serve(settings: Settings, data_dir: Path) -> int:
    """Until a signal; the exit status."""
    check(settings)
    configure_logging(settings.server.log_level, settings.server.log_format)
    prepare_directory(data_dir, passable=settings.store.database == EMBEDDED)
    with ExitStack() as stack:
        # Ports first: they are what most often is in the way, and quickly found.
        listeners = [stack.enter_context(listener) for listener in _listeners(settings)]
        settings = _with_services(settings, data_dir, stack)
        origin = serving.public_origin(settings, listeners[0])
        if settings.server.workers == 1:
            task = serving.Task(settings, data_dir, listeners, origin)
            task.ready = lambda operator_file: _welcome(origin, operator_file)
            serving.run(task)
            return 0
        operator_file = asyncio.run(serving.prepare(settings, data_dir, origin))
        crew = Crew(settings, data_dir, listeners, origin)
        return crew.work(lambda: _welcome(origin, operator_file))


def work(descriptor: int) -> int:
    """A child's whole life. `descriptor` is its end of the line to the parent."""
    os.environ.pop(WORKER, None)
    task = assignment(socket.socket(fileno=descriptor))
    os.umask(0o077)
    configure_logging(task.settings.server.log_level, task.settings.server.log_format)
    serving.run(task)
    return 0


def migrate(settings: Settings, data_dir: Path) -> int:
    check(settings)
    prepare_directory(data_dir, passable=settings.store.database == EMBEDDED)
    with ExitStack() as stack:
        settings = _with_services(settings, data_dir, stack)
        asyncio.run(serving.prepare(settings, data_dir, _nominal_origin(settings), nominal=True))
    print("The database is up to date.")
    return 0


def demo(settings: Settings, data_dir: Path) -> list[str]:
    async def fill_it(ready: Settings) -> list[str]:
        origin = _nominal_origin(ready)
        operator_file = await serving.prepare(ready, data_dir, origin, nominal=True)
        with explained(ready, data_dir):
            opened = await open_house(ready, data_dir, origin, operator_file, worker=GUEST)
            try:
                return await fill(opened.house)
            finally:
                await opened.close()

    check(settings)
    prepare_directory(data_dir, passable=settings.store.database == EMBEDDED)
    with ExitStack() as stack:
        try:
            return asyncio.run(fill_it(_with_services(settings, data_dir, stack)))
        except StartError as problem:
            if isinstance(problem.__cause__, DatabaseInUse):
                raise StartError(
                    f"Flux is running on {data_dir}: stop it, run `flux demo` again, then start it"
                ) from None
            raise


async def examine(settings: Settings, data_dir: Path, out: TextIO) -> int:
    """`flux doctor`: 0 when nothing failed."""
    findings = await look_over(settings, data_dir, migrations=migration_sets())
    print_findings(findings, out)
    return 1 if any(finding.level == "fail" for finding in findings) else 0


def _with_services(settings: Settings, data_dir: Path, stack: ExitStack) -> Settings:
    """Start what the settings embed and several processes must share; the settings that point to it."""
    tree = msgspec.to_builtins(settings)
    with explained(settings, data_dir):
        if settings.store.database == EMBEDDED:
            server = stack.enter_context(EmbeddedPostgres.start(data_dir / "postgres"))
            tree["store"]["database"] = server.dsn()
        if settings.server.workers > 1 and not settings.bus.url:
            nats = stack.enter_context(EmbeddedNats.start(data_dir / "nats"))
            tree["bus"]["url"] = nats.url
    return msgspec.convert(tree, Settings)


def _listeners(settings: Settings) -> list[socket.socket]:
    """The server's, then one for each plane with a port of its own."""
    made: list[socket.socket] = []
    ports = {"server": settings.server.port} | {
        name: own for name in ("community", "content", "paygate") if (own := getattr(settings, name).port)
    }
    for name, port in ports.items():
        try:
            made.append(listen(settings.server.host, port))
        except OSError as problem:
            for listener in made:
                listener.close()
            other = "--port" if name == "server" else f"FLUX_{name.upper()}__PORT"
            raise SettingsError(
                f"cannot listen on {settings.server.host}:{port}: {problem.strerror}; choose another with {other}"
            ) from None
    return made


def _nominal_origin(settings: Settings) -> str:
    server = settings.server
    return server.public_url.rstrip("/") or f"http://{server.host}:{server.port or 8080}"


def _welcome(origin: str, operator_file: OperatorFile) -> None:
    content = operator_file.content
    # Nobody has to read it: a closed output is no reason not to serve.
    with contextlib.suppress(OSError, ValueError):
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
