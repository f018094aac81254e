"""Every fault of a plane in one table, checked against the published reference at start-up.

`contract/<plane>.toml` is the law: rows of `[[fault]]` with code, status, message, cause and either
`published = true` or `reason = "why the wire contract needs it"` (an extension). It is written by hand and
never generated from the code; a missing, surplus or differing declaration stops the process.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from flux.kernel.faults.declaration import DeclarationError, Fault, Retry


class ContractBroken(Exception):
    """The declarations and the published reference disagree; the message lists every difference."""


@dataclass(frozen=True, slots=True)
class ContractRow:
    """One row of a published reference, or an extension with its reason."""

    plane: str
    code: str
    status: int
    message: str
    cause: str
    published: bool
    reason: str

    @property
    def key(self) -> str:
        return f"{self.plane}:{self.code}@{self.status}"


class FaultTable:
    """The declared faults of one plane."""

    def __init__(self, plane: str) -> None:
        self.plane = plane
        self._faults: dict[tuple[str, int], Fault] = {}
        self._published: set[str] = set()

    def declare(
        self,
        code: str,
        status: int,
        message: str,
        *,
        advice: str,
        retry: Retry = Retry.NEVER,
        params: Mapping[str, type] | None = None,
        sample: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Fault:
        fault = Fault(
            self.plane, code, status, message, advice, retry, params or {}, sample or {}, headers or {}
        )
        if (code, status) in self._faults:
            raise DeclarationError(f"{fault.key} is declared twice")
        self._faults[code, status] = fault
        return fault

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._faults.values())

    def __len__(self) -> int:
        return len(self._faults)

    def find(self, name: str) -> Fault | None:
        """By `CODE@STATUS`, or by `CODE` when it stands under one status (in the published reference, where only
        extensions repeat it). None when unknown or ambiguous."""
        code, _, status = name.partition("@")
        if status:
            return self._faults.get((code, int(status))) if status.isascii() and status.isdigit() else None
        found = [fault for fault in self._faults.values() if fault.code == code]
        if len(found) > 1:
            found = [fault for fault in found if fault.key in self._published]
        return found[0] if len(found) == 1 else None

    def check(self, rows: list[ContractRow]) -> None:
        """published ∪ extensions = declared, with the same status and message."""
        wrong: list[str] = []
        law = {(row.code, row.status): row for row in rows}
        for key, row in law.items():
            fault = self._faults.get(key)
            if fault is None:
                wrong.append(f"{row.key} stands in contract/{self.plane}.toml and is not declared")
            elif fault.message != row.message:
                wrong.append(f"{row.key}: declared message {fault.message!r}, contract says {row.message!r}")
        wrong += [
            f"{fault.key} is declared and not in contract/{self.plane}.toml"
            for key, fault in self._faults.items()
            if key not in law
        ]
        if wrong:
            raise ContractBroken("\n".join(wrong))
        self._published = {row.key for row in rows if row.published}


def contract_dir() -> Path:
    """Where the reference files lie: beside the package when installed, at the top of a checkout otherwise."""
    package = Path(__file__).resolve().parents[2]
    for place in (package / "contract", package.parents[1] / "contract"):
        if place.is_dir():
            return place
    raise ContractBroken("contract/ is missing: the error references were not installed with the package")


@cache
def load_contract(plane: str) -> list[ContractRow]:
    data = tomllib.loads((contract_dir() / f"{plane}.toml").read_text("utf-8"))
    rows: list[ContractRow] = []
    for entry in data["fault"]:
        published = bool(entry.get("published", False))
        reason = str(entry.get("reason", "")).strip()
        row = ContractRow(
            plane,
            entry["code"],
            int(entry["status"]),
            entry["message"],
            entry["cause"].strip(),
            published,
            reason,
        )
        if published == bool(reason):
            raise ContractBroken(f"{row.key}: a row is either published or has the reason it is an extension")
        if not row.cause:
            raise ContractBroken(f"{row.key}: no cause")
        rows.append(row)
    keys = [row.key for row in rows]
    if doubled := {key for key in keys if keys.count(key) > 1}:
        raise ContractBroken(f"contract/{plane}.toml has {', '.join(sorted(doubled))} twice")
    return rows
