"""Every code of the operator surface, through a real door."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from tests.harness.server import Server, serve

from flux.operator.envelope import OperatorEnvelope
from flux.operator.faults import operator

Scenario = Callable[[Server], Awaitable[httpx.Response]]


def admin(server: Server) -> dict[str, str]:
    return server.sandbox.headers


async def invalid_request(server: Server) -> httpx.Response:
    body = {"port": "the moon", "mode": "error"}
    return await server.http.post("/sandbox/faults", json=body, headers=admin(server))


async def simulation_refused(server: Server) -> httpx.Response:
    return await server.http.get("/health", headers={"X-Flux-Simulate": "NO_SUCH_CODE"})


async def unauthorized(server: Server) -> httpx.Response:
    return await server.http.get("/sandbox/ports", headers={"Authorization": "Bearer guess"})


async def not_found(server: Server) -> httpx.Response:
    return await server.http.get("/no/such/path")


async def method_not_allowed(server: Server) -> httpx.Response:
    return await server.http.delete("/health")


async def request_too_large(server: Server) -> httpx.Response:
    return await server.http.put("/sandbox/dns", content=b" " * 70_000, headers=admin(server))


async def url_too_long(server: Server) -> httpx.Response:
    return await server.http.get("/health?" + "x" * 20_000)


async def unsupported_media_type(server: Server) -> httpx.Response:
    headers = {**admin(server), "Content-Type": "text/plain"}
    return await server.http.post("/sandbox/clock", content=b"later", headers=headers)


async def headers_too_large(server: Server) -> httpx.Response:
    return await server.http.get("/health", headers={"X-Long": "x" * 40_000})


async def internal_error(server: Server) -> httpx.Response:
    await server.sandbox.fault("store", "error")
    return await server.http.get("/sandbox/outbox", headers=admin(server))


async def service_unavailable(server: Server) -> httpx.Response:
    await server.sandbox.fault("store", "unavailable")
    return await server.http.get("/sandbox/outbox", headers=admin(server))


async def not_ready(server: Server) -> httpx.Response:
    await server.sandbox.fault("store", "unavailable")
    return await server.http.get("/ready")


SCENARIOS: dict[str, Scenario] = {
    "INVALID_REQUEST@400": invalid_request,
    "SIMULATION_REFUSED@400": simulation_refused,
    "UNAUTHORIZED@401": unauthorized,
    "NOT_FOUND@404": not_found,
    "METHOD_NOT_ALLOWED@405": method_not_allowed,
    "REQUEST_TOO_LARGE@413": request_too_large,
    "URL_TOO_LONG@414": url_too_long,
    "UNSUPPORTED_MEDIA_TYPE@415": unsupported_media_type,
    "HEADERS_TOO_LARGE@431": headers_too_large,
    "INTERNAL_ERROR@500": internal_error,
    "SERVICE_UNAVAILABLE@503": service_unavailable,
    "NOT_READY@503": not_ready,
}
ELSEWHERE = {"REQUEST_TIMEOUT@408"}
"""Reached below by a client that stalls, on a server of less patience."""


def fits(name: str, status: int, body: bytes) -> None:
    assert f"{json.loads(body)['code']}@{status}" == name
    assert OperatorEnvelope().fits(status, body) is None


@pytest.mark.parametrize("name", SCENARIOS)
async def test_the_code_leaves_by_a_real_door(server: Server, name: str) -> None:
    try:
        answer = await SCENARIOS[name](server)
    finally:
        await server.sandbox.clear()
    fits(name, answer.status_code, answer.content)
    assert answer.headers["x-request-id"]


async def test_a_client_that_stalls_is_told_and_let_go(tmp_path: Path) -> None:
    async with serve(tmp_path, settings={"server.body_seconds": 0.3}) as server:
        url = urlsplit(server.origin)
        reader, writer = await asyncio.open_connection(url.hostname, url.port)
        token = admin(server)["Authorization"]
        head = f"POST /sandbox/clock HTTP/1.1\r\nHost: flux\r\nAuthorization: {token}\r\nContent-Length: 50\r\n\r\n{{"
        writer.write(head.encode())
        async with asyncio.timeout(30):
            status = await reader.readline()
            length = 0
            while (line := await reader.readline()).strip():
                if line.lower().startswith(b"content-length:"):
                    length = int(line.partition(b":")[2])
            fits("REQUEST_TIMEOUT@408", int(status.split()[1]), await reader.readexactly(length))
        writer.close()


def test_no_code_is_forgotten() -> None:
    assert set(SCENARIOS) | ELSEWHERE == {f"{fault.code}@{fault.status}" for fault in operator}


async def test_each_code_is_simulated_on_request(server: Server) -> None:
    for fault in operator:
        name = f"{fault.code}@{fault.status}"
        answer = await server.http.get("/health", headers={"X-Flux-Simulate": name})
        fits(name, answer.status_code, answer.content)
