"""Declaring, checking, simulating and recording faults; arming ports."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flux.kernel.faults import (
    ContractBroken,
    ContractRow,
    DeclarationError,
    FaultTable,
    Mode,
    PortFailure,
    Ports,
    Retry,
)
from flux.kernel.faults.recorder import Recorder, replayable
from flux.kernel.faults.simulation import SimulationRefused, simulated


def table() -> FaultTable:
    faults = FaultTable("small")
    faults.declare("PLAIN", 404, "Plain", advice="Look elsewhere.")
    faults.declare(
        "TWICE", 429, "Wait {seconds} s", advice="Wait.", retry=Retry.LATER,
        params={"seconds": int}, sample={"seconds": 2}, headers={"Retry-After": "{seconds}"},
    )  # fmt: skip
    faults.declare("TWICE", 403, "Banned", advice="Stop.")
    return faults


def row(code: str, status: int, message: str) -> ContractRow:
    return ContractRow("small", code, status, message, "a cause", True, "")


LAW = [row("PLAIN", 404, "Plain"), row("TWICE", 429, "Wait {seconds} s"), row("TWICE", 403, "Banned")]


def test_a_fault_speaks_with_its_parameters() -> None:
    fault = table().find("TWICE@429")
    assert fault is not None
    error = fault(seconds=7, detail={"a": 1}, headers={"X-More": "yes"})
    assert (error.message, error.headers, error.detail) == (
        "Wait 7 s",
        {"Retry-After": "7", "X-More": "yes"},
        {"a": 1},
    )


@pytest.mark.parametrize("params", [{}, {"seconds": "7"}, {"seconds": 1, "other": 2}])
def test_a_fault_is_particular_about_its_parameters(params: dict[str, object]) -> None:
    fault = table().find("TWICE@429")
    assert fault is not None
    with pytest.raises(DeclarationError):
        fault(**params)


@pytest.mark.parametrize(
    "bad",
    [
        {"status": 200},
        {"advice": " "},
        {"message": "{unknown}"},
        {"params": {"a": int}},
        {"params": {"a": int}, "sample": {"a": "text"}},
    ],
)
def test_a_bad_declaration_is_refused(bad: dict[str, object]) -> None:
    good: dict[str, object] = {"status": 400, "message": "m", "advice": "a"}
    with pytest.raises(DeclarationError):
        FaultTable("small").declare("CODE", **{**good, **bad})  # type: ignore[arg-type]


def test_a_code_is_declared_once_a_status() -> None:
    with pytest.raises(DeclarationError):
        table().declare("PLAIN", 404, "Again", advice="a")


def test_an_ambiguous_name_needs_its_status() -> None:
    faults = table()
    assert faults.find("TWICE") is None
    assert faults.find("TWICE@403") is not None
    assert faults.find("PLAIN@500") is None
    assert faults.find("PLAIN@²") is None


def test_a_code_that_only_an_extension_repeats_is_the_published_one() -> None:
    faults = table()
    faults.check([LAW[0], LAW[1], ContractRow("small", "TWICE", 403, "Banned", "a cause", False, "a reason")])
    found = faults.find("TWICE")
    assert found is not None
    assert found.status == 429


def test_declarations_are_held_against_the_law() -> None:
    table().check(LAW)
    with pytest.raises(ContractBroken, match="is not declared"):
        table().check([*LAW, row("MISSING", 400, "m")])
    with pytest.raises(ContractBroken, match="not in contract"):
        table().check(LAW[:-1])
    with pytest.raises(ContractBroken, match="contract says"):
        table().check([row("PLAIN", 404, "Other"), *LAW[1:]])


def test_simulation_only_in_the_sandbox_and_only_of_known_codes() -> None:
    assert simulated(table(), " TWICE@429 ", sandbox=True).message == "Wait 2 s"
    for name, sandbox in (("PLAIN", False), ("TWICE", True), ("NOPE", True), ("", True)):
        with pytest.raises(SimulationRefused):
            simulated(table(), name, sandbox=sandbox)


def test_the_recorder_writes_each_finding_once(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path)
    headers = [(b"authorization", b"Bot secret"), (b"content-type", b"application/json"), (b"x-other", b"1")]
    request = replayable("POST", "/x", headers, b'{"a":1}')
    for _ in range(3):
        recorder.note("small", "PLAIN", 404, "GET /x", simulated=False, misfit=None, request=request)
    recorder.note("small", "PLAIN", 404, None, simulated=True, misfit="keys", request=request)
    (file,) = tmp_path.iterdir()
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(line["route"], line["simulated"], line["misfit"]) for line in lines] == [
        ("GET /x", False, None),
        (None, True, "keys"),
    ]
    assert "secret" not in file.read_text()
    assert lines[0]["request"]["headers"] == {"authorization": "Bot …", "content-type": "application/json"}


async def test_an_armed_port_fails_as_told_and_then_works() -> None:
    ports = Ports(enabled=True, deadline_seconds=0.01)
    await ports.strike("store")
    for mode in (Mode.ERROR, Mode.GARBAGE, Mode.UNAVAILABLE, Mode.TIMEOUT):
        ports.arm("store", mode, 2)
        for _ in range(2):
            with pytest.raises(PortFailure) as failure:
                await ports.strike("store")
            assert failure.value.mode is mode
        await ports.strike("store")
    ports.arm("mail", Mode.DELAY, seconds=0.01)
    assert ports.armed("mail")
    await ports.strike("mail")
    assert not ports.armed("mail")
    ports.arm("mail", Mode.ERROR)
    ports.disarm()
    await ports.strike("mail")
    with pytest.raises(KeyError):
        ports.arm("nope", Mode.ERROR)
