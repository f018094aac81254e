from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
from tests.operator.small import ADMIN, Small, serving

PUBLIC = ["/", "/health", "/ready", "/metrics", "/openapi/operator.json", "/errors", "/errors.json"]


async def test_public_paths_answer_with_and_without_a_slash_and_to_head(http: httpx.AsyncClient) -> None:
    for path in PUBLIC:
        plain, slashed, head = (
            await http.get(path),
            await http.get(f"{path.rstrip('/')}/"),
            await http.head(path),
        )
        assert plain.status_code == slashed.status_code == head.status_code == 200, path
        assert (
            plain.headers["content-type"] == slashed.headers["content-type"] == head.headers["content-type"]
        )
        assert head.content == b"" and plain.content


async def test_health_answers_whatever_is_broken(instance: Small, http: httpx.AsyncClient) -> None:
    async def never() -> None:
        await asyncio.Event().wait()

    instance.readiness.add("slow", never)
    instance.house.maintenance.add("content")
    answer = await http.get("/health")
    assert answer.json() == {"status": "ok"} and answer.headers["cache-control"] == "no-store"


async def test_ready_tells_each_check_and_closes_the_door_when_a_required_one_fails(
    instance: Small, http: httpx.AsyncClient, admin: httpx.AsyncClient
) -> None:
    answer = await http.get("/ready")
    assert answer.status_code == 200 and answer.json()["status"] == "ok"
    assert {name: check["status"] for name, check in answer.json()["checks"].items()} == {
        "store": "ok",
        "bus": "ok",
    }
    await admin.post("/sandbox/faults", json={"port": "store", "mode": "unavailable"})
    answer = await http.get("/ready")
    told = answer.json()
    assert answer.status_code == 503 and told["status"] == "unavailable" and told["code"] == "NOT_READY"
    assert told["checks"]["store"]["status"] == "failed" and told["checks"]["bus"]["status"] == "ok"
    assert int(answer.headers["retry-after"]) > 0
    assert instance.plane.envelope.fits(503, answer.content) is None
    assert (await http.get("/ready")).status_code == 200


async def test_an_optional_check_leaves_the_door_open(instance: Small, http: httpx.AsyncClient) -> None:
    async def broken() -> None:
        raise RuntimeError("hidden")

    instance.readiness.add("captcha", broken, required=False)
    answer = await http.get("/ready")
    assert answer.status_code == 200 and answer.json()["status"] == "degraded" and "hidden" not in answer.text


async def test_metrics_count_what_was_answered(http: httpx.AsyncClient) -> None:
    for _ in range(3):
        await http.get("/health")
    await http.get("/nowhere")
    text = (await http.get("/metrics")).text
    assert 'flux_bus_dropped_total{worker="0"} 0.0' in text
    assert 'flux_requests_total{plane="operator",route="GET /health",status="2xx",worker="0"} 3.0' in text
    assert 'flux_faults_total{code="NOT_FOUND",plane="operator",status="404",worker="0"} 1.0' in text


async def test_openapi_by_plane(http: httpx.AsyncClient) -> None:
    document = (await http.get("/openapi/operator.json")).json()
    assert document["openapi"].startswith("3.1") and "/sandbox/clock" in document["paths"]
    for path in (
        "/openapi/nothing.json",
        "/openapi/operator",
        "/openapi/.json",
        "/openapi/a/b.json",
        "/openapi/..%2foperator.json",
    ):
        answer = await http.get(path)
        assert answer.status_code == 404 and answer.json()["code"] == "NOT_FOUND", path


async def test_unknown_paths_and_methods(http: httpx.AsyncClient) -> None:
    answer = await http.get("/no/such/path")
    assert answer.status_code == 404 and answer.headers["x-request-id"]
    answer = await http.post("/health")
    assert answer.status_code == 405 and answer.headers["allow"] == "GET, HEAD"


async def test_outside_the_sandbox_its_paths_do_not_exist(tmp_path: Path) -> None:
    async with (
        serving(tmp_path, sandbox=False) as running,
        httpx.AsyncClient(base_url=running.origin, headers=ADMIN) as admin,
    ):
        for method, path in [
            ("GET", "outbox"),
            ("POST", "clock"),
            ("GET", "ports"),
            ("POST", "faults"),
            ("DELETE", "faults"),
            ("PUT", "dns"),
        ]:
            answer = await admin.request(method, f"/sandbox/{path}", json={})
            assert answer.status_code == 404 and answer.json()["code"] == "NOT_FOUND"
        assert (await admin.get("/operator/maintenance")).status_code == 200
        refused = await admin.get("/health", headers={"X-Flux-Simulate": "NOT_READY"})
        assert refused.status_code == 400 and refused.json()["code"] == "SIMULATION_REFUSED"
        assert "Sandbox." not in (await admin.get("/")).text
