"""The contract gates, run after the suite over what its servers answered. `make test` runs them last."""

from __future__ import annotations

import json
import os
from collections import Counter

import pytest
from tests.gates.observed import PLANES, ROOT, Record, allowed, proofs, records

from flux.kernel.faults import load_contract
from flux.kernel.wire import Plane
from flux.references import composed_planes

PUBLISHED = {"community": 99, "content": 18, "paygate": 39, "operator": 0}
needs_records = pytest.mark.skipif(
    "FLUX_RECORD" not in os.environ, reason="looks at a whole run of the suite: make test"
)


@pytest.fixture(scope="module")
async def planes() -> dict[str, Plane]:
    return {plane.name: plane for plane in await composed_planes()}


@pytest.fixture(scope="module")
def observed() -> list[Record]:
    return records()


@pytest.mark.parametrize("plane", PLANES)
def test_the_published_rows_are_all_there(plane: str) -> None:
    rows = [row for row in load_contract(plane) if row.published]
    assert len(rows) == PUBLISHED[plane]
    if plane == "paygate":
        assert [code for code, count in Counter(row.code for row in rows).items() if count > 1] == [
            "RATE_LIMIT_EXCEEDED"
        ]


@pytest.mark.parametrize("plane", PLANES)
def test_published_and_extensions_are_what_is_declared(plane: str, planes: dict[str, Plane]) -> None:
    rows = load_contract(plane)
    planes[plane].faults.check(rows)
    assert {row.key for row in rows} == {fault.key for fault in planes[plane].faults}
    assert [row.key for row in rows if not row.published and not row.reason] == []


@needs_records
@pytest.mark.parametrize("plane", PLANES)
def test_every_declared_code_left_by_a_real_door(
    plane: str, planes: dict[str, Plane], observed: list[Record]
) -> None:
    declared = {fault.key for fault in planes[plane].faults}
    seen = {record.key for record in observed if not record.simulated}
    missing = sorted(declared - seen - allowed(plane))
    assert missing == [], "write a scenario in tests/reach that makes a server answer these"
    assert sorted(allowed(plane) & seen) == [], "these are reached now: take them off tests/reach/allow"
    assert sorted(allowed(plane) - declared) == [], "nobody declares these: take them off tests/reach/allow"


@needs_records
@pytest.mark.parametrize("plane", PLANES)
def test_every_code_left_by_a_route_that_declares_it(
    plane: str, planes: dict[str, Plane], observed: list[Record]
) -> None:
    can_fail: dict[str, set[str]] = {}
    for route in planes[plane].routes:
        can_fail.setdefault(route.name, set()).update(
            fault.key for fault in planes[plane].can_fail_with(route)
        )
    strays = {
        f"{record.route} answered {record.code}@{record.status}"
        for record in observed
        if record.plane == plane and not record.simulated and record.route is not None
        and record.key not in can_fail.get(record.route, set())
    }  # fmt: skip
    assert sorted(strays) == [], "add the code to `raises=` of the route, or to what the gate implies"


@needs_records
def test_every_body_fitted_its_envelope(observed: list[Record]) -> None:
    assert len(observed) > 100, "the recorder saw next to nothing: did the suite run?"
    assert (
        sorted({f"{record.key}: {record.misfit}" for record in observed if record.misfit is not None}) == []
    )


@needs_records
def test_proofs_are_written(observed: list[Record]) -> None:
    """For `/errors` and `flux errors`: the last proof of each code and a curl that replays it."""
    path = ROOT / "build" / "proofs.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        json.dumps(proofs(observed), indent=1, sort_keys=True, ensure_ascii=False) + "\n", "utf-8"
    )
    assert len(json.loads(path.read_text("utf-8"))) > 100
