"""The two processes of the demonstration, started on free ports of loopback and surely ended."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flux.demonstration.asking import ask
from flux.starting import StartError

START_SECONDS = 60.0
STOP_SECONDS = 15.0
PROBE_SECONDS = 1.0
MISSING = (
    "anvil, the local chain, is not installed: run `npm install @foundry-rs/anvil` in this directory "
    "(`make setup-dev` does), or install Foundry so that `anvil` is on the PATH"
)


def anvil_program(directory: Path) -> str:
    """Where npm put it (here or in a directory above), else on the PATH. Raises `StartError`."""
    for place in (directory, *directory.parents):
        for found in sorted((place / "node_modules" / "@foundry-rs").glob("anvil-*/bin/anvil")):
            if os.access(found, os.X_OK):
                return str(found)
    on_path = shutil.which("anvil")
    if on_path is None:
        raise StartError(MISSING)
    return on_path


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def anvil(program: str, chain_id: int) -> Iterator[str]:
    """A fresh chain; its URL."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [program, "--port", str(port), "--chain-id", str(chain_id), "--silent"]

    def there() -> bool:
        probe = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
        return bool(ask(url, body=probe, seconds=PROBE_SECONDS).body["result"] == hex(chain_id))

    with _running(command, dict(os.environ), None, there, "anvil"):
        yield url


@contextmanager
def server(data_dir: Path, port: int, settings: dict[str, Any]) -> Iterator[str]:
    """`flux serve` with these settings (names as in the reference); its origin."""
    origin = f"http://127.0.0.1:{port}"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FLUX_")}
    for name, value in settings.items():
        text = value if isinstance(value, str) else json.dumps(value)
        environment["FLUX_" + name.replace(".", "__").upper()] = text
    command = [sys.executable, "-m", "flux.cli", "serve", "--data", str(data_dir), "--port", str(port)]
    log = data_dir / "server.log"

    def there() -> bool:
        return ask(f"{origin}/health", seconds=PROBE_SECONDS).status == 200

    with _running(command, environment, log, there, "Flux"):
        yield origin


@contextmanager
def _running(
    command: list[str], environment: dict[str, str], log: Path | None, ready: Callable[[], bool], name: str
) -> Iterator[None]:
    with (log or Path(os.devnull)).open("wb") as out:
        process = subprocess.Popen(  # noqa: S603
            command, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
    try:
        _wait(process, ready, name, log)
        yield
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], ready: Callable[[], bool], name: str, log: Path | None) -> None:
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        try:
            if ready():
                return
        except (OSError, ValueError):
            pass
        time.sleep(0.05)
    said = log.read_text("utf-8", "replace").strip().splitlines()[-1:] if log is not None else []
    raise StartError(" ".join([f"{name} does not start.", *said]))
