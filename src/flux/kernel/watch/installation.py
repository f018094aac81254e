"""Checks of the installation itself: settings that go together, files, limits of the system, the port."""

from __future__ import annotations

import errno
import ipaddress
import os
import resource
import shutil
import socket
import stat
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, build_opener

from flux.kernel.store.opening import EMBEDDED
from flux.kernel.watch.findings import Finding, fail, ok
from flux.kernel.watch.logs import FORMATS, LEVELS
from flux.settings import Settings

GIB = 1 << 30
MIB = 1 << 20
DISK_LOW, DISK_OUT = GIB, 100 * MIB
FILES_WANTED = 4_096


def check_settings(settings: Settings) -> list[Finding]:
    """What the types cannot say: values that do not go together."""
    server = settings.server
    found: list[Finding] = []
    if server.log_level not in LEVELS:
        found.append(
            fail("settings", f"server.log_level is {server.log_level!r}", f"Use one of {', '.join(LEVELS)}.")
        )
    if server.log_format not in FORMATS:
        found.append(
            fail(
                "settings", f"server.log_format is {server.log_format!r}", f"Use one of {', '.join(FORMATS)}."
            )
        )
    if server.public_url and not _is_origin(server.public_url):
        found.append(
            fail(
                "settings",
                f"server.public_url is {server.public_url!r}",
                "Give an origin such as https://flux.example, without a path.",
            )
        )
    for proxy in server.trusted_proxies:
        if not _is_network(proxy):
            found.append(
                fail("settings", f"server.trusted_proxies has {proxy!r}", "Give addresses or CIDR networks.")
            )
    if server.sandbox and not _is_loopback(server.host):
        advice = "Whoever holds the admin token can move its clock and break it; never use it in production."
        found.append(Finding("warn", "settings", f"the sandbox is open to {server.host}", advice))
    if server.workers > 1 and not settings.store.database.startswith(("postgres", EMBEDDED)):
        found.append(
            fail(
                "settings",
                f"{server.workers} workers on SQLite",
                "One process writes a SQLite file: use --database embedded-postgres or your own PostgreSQL.",
            )
        )
    return found or [ok("settings", "every value is allowed")]


def check_files(data_dir: Path) -> list[Finding]:
    """Room, and who may read and write."""
    at = next(path for path in (data_dir, *data_dir.absolute().parents) if path.exists())
    found: list[Finding] = []
    if not os.access(at, os.W_OK | os.X_OK):
        found.append(
            fail(
                "files",
                f"{at} cannot be written",
                "Give the directory to the account Flux runs as, or name another with --data.",
            )
        )
    free = shutil.disk_usage(at).free
    if free < DISK_LOW:
        level: Literal["warn", "fail"] = "fail" if free < DISK_OUT else "warn"
        found.append(
            Finding(
                level, "disk", f"{free // MIB} MiB free at {at}", "Make room: a full disk stops every write."
            )
        )
    else:
        found.append(ok("disk", f"{free / GIB:.1f} GiB free at {at}"))
    for name in ("operator.json", "secret.key"):
        path = data_dir / name
        if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
            found.append(
                fail(
                    "files",
                    f"{path} can be read by others",
                    f"chmod 600 {path}; and change the secrets in it if others use this machine.",
                )
            )
    return found


def check_limits() -> list[Finding]:
    """How many connections the system lets a process hold."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= FILES_WANTED:
        return [ok("open files", "enough for thousands of connections")]
    return [
        Finding(
            "warn",
            "open files",
            f"a process may hold {soft} files and connections",
            f"Raise it to {FILES_WANTED} or more: ulimit -n, or LimitNOFILE= in the service (now at most {hard}).",
        )
    ]


def check_port(host: str, port: int) -> Finding:
    """Whether the server could listen; blocks for a moment when something already does."""
    if port == 0:
        return ok("port", "any free one is taken")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            return ok("port", f"{host}:{port} is free")
        except OSError as failure:
            problem = failure
    if problem.errno == errno.EADDRINUSE:
        if _is_flux(host, port):
            return ok("port", f"Flux is running on {host}:{port}")
        return fail(
            "port",
            f"{host}:{port} is taken by another program",
            "Stop it, or choose another port with --port.",
        )
    return fail(
        "port",
        f"{host}:{port}: {problem.strerror or problem}",
        "Check server.host and server.port; ports below 1024 need a privilege.",
    )


def _is_flux(host: str, port: int) -> bool:
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    authority = f"[{shown}]:{port}" if ":" in shown else f"{shown}:{port}"
    try:
        with build_opener(ProxyHandler({})).open(f"http://{authority}/health", timeout=2.0) as answer:
            return bool(answer.read(100).strip() == b'{"status":"ok"}')
    except (OSError, ValueError):
        return False


def _is_origin(text: str) -> bool:
    try:
        url = urlsplit(text.rstrip("/"))
        return (
            url.scheme in ("http", "https")
            and bool(url.hostname)
            and not (url.path or url.query or url.username)
            and url.port != 0
        )
    except ValueError:
        return False


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
