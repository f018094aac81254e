"""The reference as data: one entry a declared failure, built from the planes alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from flux.kernel.faults import Fault, load_contract
from flux.kernel.wire import Plane
from flux.operator.reference.proofs import Proof, Proofs


class Row(Struct, frozen=True):
    """An entry as `/errors.json` shows it. `message` is a template with `{param}` places; `retry` is never, later or
    after-fix; `routes` are `METHOD /path` below the plane's mount."""

    plane: str
    code: str
    status: int
    published: bool
    message: str
    cause: str
    advice: str
    retry: str
    routes: list[str]


class Entry(Struct, frozen=True):
    """One failure with everything known about it. `everywhere`: each route of the plane can answer it."""

    row: Row
    reason: str
    """Why the wire contract needs it; empty when it is published."""
    everywhere: bool
    ambiguous: bool
    """The plane has the same code under another status too."""
    proof: Proof | None

    @property
    def name(self) -> str:
        """What to write in `X-Flux-Simulate`, and in `flux errors explain`."""
        return f"{self.row.code}@{self.row.status}" if self.ambiguous else self.row.code


def reference(planes: Iterable[Plane], proofs: Proofs) -> list[Entry]:
    """Every declared failure: planes in the order given, codes in the order of their contract, the surfaces without
    a published reference last."""
    listing: list[Entry] = []
    for plane in planes:
        listing += _of_plane(plane, proofs)
    return sorted(listing, key=lambda entry: entry.row.plane == "operator")


def _of_plane(plane: Plane, proofs: Proofs) -> list[Entry]:
    law = {row.key: row for row in load_contract(plane.name)}
    shown = [route for route in plane.routes if not route.hidden]
    routes: dict[str, list[str]] = {}
    for route in shown:
        for fault in plane.can_fail_with(route):
            routes.setdefault(fault.key, []).append(route.name)
    order = {key: index for index, key in enumerate(law)}
    faults = sorted(plane.faults, key=lambda fault: order.get(fault.key, len(order)))
    codes = [fault.code for fault in faults]
    entries = []
    for fault in faults:
        named = routes.get(fault.key, [])
        said = law.get(fault.key)
        row = _row(fault, named, said is not None and said.published, said.cause if said else "")
        entries.append(
            Entry(
                row,
                said.reason if said else "",
                everywhere=bool(shown) and len(named) == len(shown),
                ambiguous=codes.count(fault.code) > 1,
                proof=proofs.of(fault.key),
            )
        )
    return entries


def _row(fault: Fault, routes: Sequence[str], published: bool, cause: str) -> Row:
    return Row(
        plane=fault.plane,
        code=fault.code,
        status=fault.status,
        published=published,
        message=fault.message,
        cause=cause,
        advice=fault.advice,
        retry=fault.retry.value,
        routes=list(routes),
    )
