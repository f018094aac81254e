"""Every row of the three references, asked for by name from a real server: both clients raise its class, and ask a
second time exactly for the transient ones."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

from tests.harness.server import serve

from flux.client import AsyncFluxClient, FluxClient, FluxError, Refusal, RetryPolicy
from flux.client.dialects import COMMUNITY, CONTENT, PAYGATE
from flux.kernel.faults import ContractRow, load_contract

DIALECTS = {"community": COMMUNITY, "content": CONTENT, "paygate": PAYGATE}
TRANSIENT = {
    "community": {429, 500, 502, 503, 504},
    "content": {408, 429, *range(500, 600)},
    "paygate": {429, *range(500, 600)},
}
TWICE = RetryPolicy(attempts=2, deadline=1e9)


def rows() -> list[ContractRow]:
    return [row for plane in DIALECTS for row in load_contract(plane)]


def simulate(row: ContractRow) -> dict[str, str]:
    return {"X-Flux-Simulate": f"{row.code}@{row.status}"}


def transient(row: ContractRow) -> bool:
    """As the references' retry sections say it, with what `details.retryable` adds and takes away."""
    if row.code == "QUOTA_EXCEEDED":
        return False
    return row.status in TRANSIENT[row.plane]


async def no_wait(seconds: float) -> None:
    return None


def complaint(row: ContractRow, error: FluxError | None) -> str | None:
    """What is wrong with the exception for `row`; None when it is the right one."""
    expected = DIALECTS[row.plane].errors.rows[row.code, row.status]
    if type(error) is not expected or not isinstance(error, Refusal):
        return f"{row.key}: {error!r}, not {expected.__name__}"
    if (error.code, error.status) != (row.code, row.status) or not error.message or "{" in error.message:
        return f"{row.key}: {error}"
    if not error.request_id:
        return f"{row.key}: no request id"
    if error.attempts != (2 if transient(row) else 1):
        return f"{row.key}: {error.attempts} attempts"
    return None


async def wrong_through_the_async_client(origin: str) -> list[str]:
    wrong: list[str | None] = []
    async with AsyncFluxClient(origin, retry=TWICE, sleep=no_wait) as flux:
        for row in rows():
            try:
                await getattr(flux, row.plane).request("GET", "/anything", headers=simulate(row))
            except FluxError as error:
                wrong.append(complaint(row, error))
            else:
                wrong.append(complaint(row, None))
    return [text for text in wrong if text]


def wrong_through_the_blocking_client(origin: str) -> list[str]:
    wrong: list[str | None] = []
    with FluxClient(origin, retry=TWICE, sleep=lambda seconds: None) as flux:
        for row in rows():
            try:
                getattr(flux, row.plane).request("GET", "/anything", headers=simulate(row))
            except FluxError as error:
                wrong.append(complaint(row, error))
            else:
                wrong.append(complaint(row, None))
    return [text for text in wrong if text]


def test_there_are_156_published_rows() -> None:
    assert sum(row.published for row in rows()) == 156


async def test_every_row_through_both_clients(tmp_path: Path) -> None:
    async with serve(tmp_path, sandbox=True) as server:
        assert await wrong_through_the_async_client(server.origin) == []
        assert await asyncio.to_thread(wrong_through_the_blocking_client, server.origin) == []


async def test_the_operator_file_opens_every_plane(tmp_path: Path) -> None:
    async with serve(tmp_path, sandbox=True) as server:
        path = server.data_dir / "operator.json"
        async with AsyncFluxClient.from_operator_file(path) as flux:
            assert flux.community.base_url.startswith(server.origin)
            reads: list[Awaitable[Any]] = [
                flux.community.request("GET", "/.well-known/fluxer"),
                flux.content.request("GET", f"/v1/{server.operator['content']['environment']}/folders/tree/"),
                flux.paygate.request("GET", "/apis"),
            ]
            for read in reads:
                assert isinstance(await read, dict | list)
