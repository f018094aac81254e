"""Notes every failure that leaves the server, for the contract gates.

Only when `FLUX_RECORD` names a directory (the test suite sets it). Each process appends JSON lines to a file of its
own: `{plane, code, status, route, simulated, misfit, request, at}`. `misfit` is what the envelope's own check said
about the body that left, null when it fits. `request` is enough to replay the call.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import msgspec

VARIABLE = "FLUX_RECORD"
_SHOWN_HEADERS = {
    b"content-type",
    b"x-forwarded-for",
    b"x-captcha-token",
    b"if-match",
    b"x-error-format",
    b"x-signature-version",
}
_SECRET_HEADERS = {b"authorization", b"cookie", b"x-signature", b"x-payment", b"payment-signature"}


class Recorder:
    """Appends are single `write` calls on an `O_APPEND` descriptor: whole lines, even from a process killed later."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / f"faults-{os.getpid()}-{time.time_ns()}.jsonl"
        self._fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._seen: set[tuple[Any, ...]] = set()

    @classmethod
    def from_environment(cls) -> Recorder | None:
        directory = os.environ.get(VARIABLE)
        return cls(Path(directory)) if directory else None

    def note(
        self,
        plane: str,
        code: str,
        status: int,
        route: str | None,
        *,
        simulated: bool,
        misfit: str | None,
        request: dict[str, Any],
    ) -> None:
        key = (plane, code, status, route, simulated, misfit)
        if key in self._seen:
            return
        self._seen.add(key)
        line = {
            "plane": plane,
            "code": code,
            "status": status,
            "route": route,
            "simulated": simulated,
            "misfit": misfit,
            "request": request,
            "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        }
        os.write(self._fd, msgspec.json.encode(line) + b"\n")


def replayable(
    method: str, target: str, headers: list[tuple[bytes, bytes]], body: bytes | None
) -> dict[str, Any]:
    """Method, target, headers worth showing (secrets become placeholders) and a short body."""
    shown: dict[str, str] = {}
    for name, value in headers:
        if name in _SECRET_HEADERS:
            scheme, blank, _ = value.decode("latin-1").partition(" ")
            shown[name.decode()] = f"{scheme} …" if blank else "…"
        elif name in _SHOWN_HEADERS:
            shown[name.decode()] = value.decode("latin-1")[:200]
    text = body[:2000].decode("utf-8", "replace") if body else None
    return {"method": method, "target": target[:500], "headers": shown, "body": text}
