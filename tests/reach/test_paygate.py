"""Every code of the paygate, through a real door, on a real chain."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio
from tests.clients.paygate_world import chain_settings, purse, target
from tests.gates.observed import allowed
from tests.harness.anvil import Anvil, anvil
from tests.harness.rows import open_rows
from tests.harness.server import free_port, serve
from tests.harness.token import Usdc
from tests.reach.paygate_scenarios import SCENARIOS, Scene, answer_nonsense
from tests.reach.witness import Watch

from flux.kernel.faults import load_contract
from flux.paygate.envelope import PaygateEnvelope

CALLED = {"paygate_calls", "paygate_journal", "paygate_payments"}
LEAVES = {"GATEWAY_ERROR": CALLED, "INVALID_GATEWAY_RESPONSE": CALLED, "GATEWAY_TIMEOUT": CALLED}
"""A call that came to nothing at the target is written down, and its payment is free again. Every other refusal leaves no
row."""

pytestmark = pytest.mark.asyncio(loop_scope="module")


@asynccontextmanager
async def nonsense_node(words: list[bytes]) -> AsyncIterator[str]:
    server = await asyncio.start_server(partial(answer_nonsense, words), "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await server.wait_closed()


def settings_of(chain: Anvil, other: Anvil, nonsense: str) -> dict[str, object]:
    settings = chain_settings(
        chain,
        other,
        management_per_minute="150",
        default_chain="base-sepolia",
        facilitator_key="0x" + chain.accounts[8].key.hex(),
    )
    settings["paygate.chains"] += [
        {"name": "nonsense", "chainId": 9991, "rpcUrls": [nonsense]},
        {"name": "gone", "chainId": 9992, "rpcUrls": [f"http://127.0.0.1:{free_port()}"]},
    ]
    return settings


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sqlite", "postgres"])
async def scene(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Scene]:
    directory: Path = tmp_path_factory.mktemp("reach-paygate")
    words = [b"<html>"]
    async with (
        anvil(84532) as chain,
        anvil(31337) as other,
        nonsense_node(words) as node,
        target() as there,
        serve(directory, database=request.param, settings=settings_of(chain, other, node)) as server,
    ):
        await Usdc(chain).deploy()
        wallets = [purse(server, chain.accounts[index]) for index in range(3)]
        for wallet in wallets:
            await wallet.login()
        async with open_rows(server) as rows:
            watch = Watch(rows, LEAVES, "error")
            for wallet in wallets:
                watch.follow(wallet.http)
            yield Scene(server, chain, other, words, there, *wallets)
            assert watch.refusals
            assert watch.left <= LEAVES.keys()
        for wallet in wallets:
            await wallet.http.aclose()


@pytest.mark.parametrize("key", SCENARIOS)
async def test_the_door_answers(scene: Scene, key: str) -> None:
    code, _, status = key.partition("@")
    for wallet in (scene.provider, scene.consumer, scene.stranger):
        # Each scenario is another caller as far as windows are concerned.
        wallet.http.headers["X-Forwarded-For"] = f"198.18.{list(SCENARIOS).index(key)}.1"
    answer = await SCENARIOS[key](scene)
    assert (answer.json()["error"], answer.status_code) == (code, int(status)), answer.text
    assert PaygateEnvelope().fits(answer.status_code, answer.content) is None
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"]
    on_gateway = any(mount in answer.request.url.path for mount in ("/gateway/", "/x402/"))
    assert answer.headers.get("x-gateway-error") == (code if on_gateway else None)
    retry = answer.headers.get("retry-after")
    assert (retry is not None) == ("retryAfterSeconds" in answer.json()["details"])


async def test_every_declared_code_has_a_scenario_or_waits_for_one() -> None:
    declared = {f"{row.code}@{row.status}" for row in load_contract("paygate")}
    waiting = {key.removeprefix("paygate:") for key in allowed("paygate")}
    assert declared == set(SCENARIOS) | waiting
    assert not set(SCENARIOS) & waiting
