"""When each code was last seen leaving a real socket, written by the test suite.

`{"<plane>:<CODE>@<status>": {"at": "2026-02-19T19:34:23Z", "route": "GET /x", "curl": "curl …"}}`, in
`build/proofs.json` of a checkout (the last run) or `contract/proofs.json` (the one that came with the release).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

import msgspec
from msgspec import Struct

from flux.kernel.faults import contract_dir

log = logging.getLogger("flux.operator")


class Proof(Struct, frozen=True):
    """`at` is an ISO date and time; `curl` is empty where no request can call the code forth by itself."""

    at: str
    route: str = ""
    curl: str = ""


class Proofs:
    """By fault key, `plane:CODE@status`."""

    def __init__(self, found: Mapping[str, Proof] | None = None) -> None:
        self._found = dict(found or {})

    @classmethod
    def read(cls) -> Proofs:
        """The newest run's where there is one; a file that cannot be read counts as none."""
        contract = contract_dir()
        for path in (contract.parent / "build" / "proofs.json", contract / "proofs.json"):
            try:
                return cls(msgspec.json.decode(path.read_bytes(), type=dict[str, Proof]))
            except FileNotFoundError:
                continue
            except (OSError, msgspec.MsgspecError):
                log.warning("%s cannot be read", path, exc_info=True)
        return cls()

    def of(self, key: str) -> Proof | None:
        return self._found.get(key)

    def __len__(self) -> int:
        return len(self._found)
