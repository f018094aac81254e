"""What left the servers during the suite, as their recorders noted it (src/flux/kernel/faults/recorder.py)."""

from __future__ import annotations

import json
import os
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
ALLOW = ROOT / "tests" / "reach" / "allow"
PLANES = ("community", "content", "paygate", "operator")


@dataclass(frozen=True)
class Record:
    """One failure that left a server. `route` is None where no route was matched."""

    plane: str
    code: str
    status: int
    route: str | None
    simulated: bool
    misfit: str | None
    request: dict[str, Any]
    at: str

    @property
    def key(self) -> str:
        return f"{self.plane}:{self.code}@{self.status}"


def records() -> list[Record]:
    directory = os.environ.get("FLUX_RECORD")
    if not directory:
        return []
    found = []
    for path in sorted(Path(directory).glob("faults-*.jsonl")):
        # Of bytes: a text would also be cut at U+2028 and its like, which a request may have and JSON leaves as they are.
        found += [Record(**json.loads(line)) for line in path.read_bytes().splitlines()]
    return found


def allowed(plane: str) -> set[str]:
    """The codes not yet reached: `CODE@STATUS` a line, as keys."""
    path = ALLOW / f"{plane}.txt"
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return {f"{plane}:{line.strip()}" for line in lines if line.strip() and not line.startswith("#")}


def proofs(found: list[Record]) -> dict[str, dict[str, str]]:
    """For each code its last proof: when, on which route, and a curl that replays it."""
    listing: dict[str, dict[str, str]] = {}
    for record in sorted((record for record in found if not record.simulated), key=lambda record: record.at):
        listing[record.key] = {
            "at": record.at,
            "route": record.route or record.request["method"],
            "curl": curl(record.request),
        }
    return listing


def curl(request: dict[str, Any]) -> str:
    """A command to adapt: secrets are elided, the origin is a variable."""
    parts = ["curl", "-i"]
    if request["method"] != "GET":
        parts += ["-X", request["method"]]
    for name, value in request["headers"].items():
        parts += ["-H", shlex.quote(f"{name}: {value}")]
    if request["body"]:
        parts += ["--data", shlex.quote(request["body"])]
    return " ".join([*parts, f'"$FLUX{request["target"]}"'])
