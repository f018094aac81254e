"""Simulation and recording over the wire, and the OpenAPI document."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from tests.kernel.wire import small

from flux.kernel.faults import Mode, Ports
from flux.kernel.faults.recorder import Recorder
from flux.kernel.wire.openapi import document


async def test_simulation_answers_with_the_code_on_any_route(tmp_path: Path) -> None:
    application = small.application(sandbox=True, recorder=Recorder(tmp_path))
    async with small.serving(application) as origin, httpx.AsyncClient(base_url=origin) as http:
        for path in ("/small/who", "/small/things/1", "/small/nope"):
            answer = await http.get(path, headers={"X-Flux-Simulate": "TEAPOT"})
            assert (answer.status_code, answer.headers["x-kettle"]) == (418, "a teapot")
        refused = await http.get("/small/who", headers={"X-Flux-Simulate": "NOPE"})
        assert refused.json()["code"] == "SIMULATION_REFUSED"
        assert (await http.get("/small/nope")).status_code == 404
    lines = [json.loads(line) for file in tmp_path.iterdir() for line in file.read_text().splitlines()]
    seen = {(line["code"], line["simulated"]) for line in lines}
    assert seen == {("TEAPOT", True), ("SIMULATION_REFUSED", False), ("UNKNOWN_ROUTE", False)}


async def test_outside_the_sandbox_it_is_refused_and_nothing_runs(http: httpx.AsyncClient) -> None:
    answer = await http.post(
        "/small/things", json={"name": "kettle", "owner": 1}, headers={"X-Flux-Simulate": "TEAPOT"}
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "SIMULATION_REFUSED")


async def test_a_fault_armed_at_the_handler_breaks_the_real_path() -> None:
    ports = Ports(enabled=True)
    async with (
        small.serving(small.application(ports=ports)) as origin,
        httpx.AsyncClient(base_url=origin) as http,
    ):
        ports.arm("handler", Mode.ERROR)
        assert (await http.get("/small/who")).status_code == 502
        assert (await http.get("/small/who")).status_code == 200


def test_the_document_lists_every_failure_of_a_route() -> None:
    application = small.application()
    plane = application.planes[0]
    found = document(plane, application.routers["small"].compiled, "http://x")
    create = found["paths"]["/things"]["post"]
    assert create["responses"]["418"]["x-flux-codes"] == ["TEAPOT"]
    assert create["requestBody"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/Thing"
    }
    assert found["components"]["schemas"]["Thing"]["required"] == ["name", "owner"]
    assert found["paths"]["/things"]["get"]["parameters"][0]["name"] == "limit"
    assert found["paths"]["/things/{thing_id}"]["get"]["parameters"][0]["schema"]["pattern"]
    assert "/socket" not in found["paths"]
    assert found["paths"]["/echo"]["post"]["responses"]["200"] == {"description": "Success"}
    assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize("name", ["TEAPOT@418", "TEAPOT"])
async def test_a_status_may_be_named(name: str) -> None:
    async with (
        small.serving(small.application(sandbox=True)) as origin,
        httpx.AsyncClient(base_url=origin) as http,
    ):
        assert (await http.get("/small/who", headers={"X-Flux-Simulate": name})).status_code == 418
