"""What can keep Flux from starting, each said in a sentence that tells what to do."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from flux.kernel.faults import PortFailure
from flux.kernel.store import EMBEDDED, DatabaseInUse, EmbeddedPostgresError, MigrationError
from flux.kernel.watch.installation import check_settings
from flux.settings import Settings, SettingsError


class StartError(Exception):
    """Flux cannot start; the message says why and what to do."""


@contextlib.contextmanager
def explained(settings: Settings, data_dir: Path) -> Iterator[None]:
    """Whatever the world outside may refuse while the house opens, as a `StartError`. Bugs pass through."""
    try:
        yield
    except DatabaseInUse as problem:
        raise StartError(str(problem)) from problem
    except PortFailure as problem:
        raise StartError(_port(problem, settings, data_dir)) from problem
    except (EmbeddedPostgresError, MigrationError) as problem:
        raise StartError(str(problem)) from problem
    except PermissionError as problem:
        raise StartError(
            f"{problem.filename or data_dir} cannot be written: give {data_dir} to the account Flux runs as, "
            "or name another directory with --data"
        ) from problem
    except OSError as problem:
        if problem.errno is None:
            raise
        raise StartError(f"{problem.filename or data_dir}: {problem.strerror}") from problem


def _port(problem: PortFailure, settings: Settings, data_dir: Path) -> str:
    cause = problem.__cause__
    why = f" ({cause})" if cause is not None and str(cause) else ""
    if problem.port == "bus":
        return (
            f"cannot reach NATS at {_without_secret(settings.bus.url)}{why}: start it, or mend FLUX_BUS__URL"
        )
    if problem.port == "store" and settings.store.database.startswith("postgres"):
        shown = _without_secret(settings.store.database)
        return f"cannot reach PostgreSQL at {shown}{why}: start it, or mend --database (FLUX_STORE__DATABASE)"
    if problem.port == "store":
        return f"the database in {data_dir} cannot be opened{why}: run `flux doctor --data {data_dir}`"
    return f"{problem}{why}: run `flux doctor --data {data_dir}`"


def _without_secret(urls: str) -> str:
    """Without user, password and parameters: host, port and path, of each of several."""
    shown = []
    for url in urls.split(","):
        try:
            parts = urlsplit(url)
            shown.append(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}")
        except ValueError:
            shown.append("an address that is none")
    return ", ".join(shown)


def check(settings: Settings) -> None:
    """Values that do not go together, and those that only their reader would refuse. Raises `SettingsError`."""
    for finding in check_settings(settings):
        if finding.level == "fail":
            raise SettingsError(f"{finding.message}. {finding.advice}")
    database = settings.store.database
    try:
        scheme = urlsplit(database).scheme
    except ValueError:
        scheme = "?"
    if database and database != EMBEDDED and scheme not in ("sqlite", "postgres", "postgresql"):
        raise SettingsError(
            "the database is sqlite:///absolute/path, postgres://user@host/name or embedded-postgres, "
            f"not {_without_secret(database)}"
        )
    if scheme == "sqlite" and (not database.startswith("sqlite:///") or database.endswith("/")):
        raise SettingsError(
            "a SQLite URL has three slashes and an absolute path: sqlite:///var/lib/flux/flux.db"
        )
    secret = settings.server.secret
    if secret and len(secret_bytes(secret)) < 32:
        raise SettingsError(
            "server.secret is too short: give 64 hex digits, such as `openssl rand -hex 32` prints"
        )
    check_ports([settings.server.port, settings.community.port, settings.content.port, settings.paygate.port])


def check_ports(ports: Sequence[int]) -> None:
    given = [port for port in ports if port]
    for port in given:
        if given.count(port) > 1:
            raise SettingsError(
                f"port {port} is given twice: the server and each plane need one of their own"
            )


def secret_bytes(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return text.encode()


def prepare_directory(data_dir: Path, *, passable: bool = False) -> None:
    """Make the data directory. What is made in it from here on is private. When we are root, `passable` lets the
    account through under which PostgreSQL then runs."""
    os.umask(0o077)
    try:
        if not data_dir.exists():
            data_dir.mkdir(parents=True)
            data_dir.chmod(0o711 if os.geteuid() == 0 else 0o700)
        elif passable and os.geteuid() == 0:
            data_dir.chmod(data_dir.stat().st_mode | 0o011)
    except OSError as problem:
        raise StartError(
            f"{data_dir} cannot be made: {problem.strerror}; name another directory with --data"
        ) from problem
    if not (data_dir.is_dir() and os.access(data_dir, os.W_OK | os.X_OK)):
        raise StartError(
            f"{data_dir} is no directory that can be written: give it to the account Flux runs as, "
            "or name another with --data"
        )
