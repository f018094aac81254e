"""Money under fire, over real HTTP, on a real chain: on SQLite, and on PostgreSQL with two worker processes.

`FLUX_LONG=1` lives ten thousand lives on each instead of a few dozen; `FLUX_FIRE_LIVES` and `FLUX_FIRE_SEED` choose.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from tests.clients.paygate_world import API, PRICE, chain_settings, purse
from tests.durability import authorising
from tests.durability.audit import audit
from tests.durability.authorising import Authorising
from tests.durability.books import Books
from tests.durability.fire import Fire, FireTarget
from tests.durability.lives import COLLECTING, HANGS_UP_SECONDS, Life
from tests.harness.anvil import anvil
from tests.harness.node import hostile_node
from tests.harness.server import serve
from tests.harness.token import Usdc

pytestmark = pytest.mark.asyncio(loop_scope="module")
LONG = bool(os.environ.get("FLUX_LONG"))
LIVES = int(os.environ.get("FLUX_FIRE_LIVES", "10000" if LONG else "80"))
SEED = int(os.environ.get("FLUX_FIRE_SEED", "20260101"))
POINTS = {"unreserved", "reserved", "dispatched", "answered", "settled", "noted", "broadcast"}
"""Between which states of the ledger calls stood when their process died."""
FINALITY = 12
"""Blocks; each wave mines three, so that payments of a few waves are watched at a time."""
TOLD_EVERY = 500
SEEN_ALL = 2_000
"""Of so many lives some die at every point."""
AT_ONCE = 100 if LONG else 30
TOKENS = {
    "USDC": {
        "address": authorising.ADDRESS,
        "decimals": 6,
        "eip712": {"name": "USDC", "version": "2"},
        "eip3009": True,
    }
}
SETTINGS = {
    "gateway_per_minute": "0", "max_in_flight": "5000", "connect_seconds": "1", "total_seconds": "1",
    "idle_seconds": "1", "lease_slack_seconds": "1", "rpc_seconds": "2", "rpc_budget_seconds": "6",
    "facilitator_settle_seconds": "1", "facilitator_raise_seconds": "1",
    "lease_sweep_seconds": "0.5", "reorg_check_seconds": "1",
}  # fmt: skip


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["sqlite", "postgres"])
async def fire(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Fire]:
    directory: Path = tmp_path_factory.mktemp("fire")
    fate = Path(__file__).parent / "fate"
    os.environ["FATE_LOG"] = str(directory / "fate.log")
    target = FireTarget()
    await target.start()
    workers = 2 if request.param == "postgres" else 1
    async with (
        anvil() as chain,
        hostile_node(chain.url) as node,
        anvil(authorising.CHAIN_ID) as other,
        hostile_node(other.url) as other_node,
    ):
        settings = chain_settings(chain, facilitator_key="0x" + other.accounts[8].key.hex(), **SETTINGS)
        settings["paygate.chains"][0] |= {"rpcUrls": [node.url], "finalityDepth": FINALITY}
        settings["paygate.chains"] += [
            {"name": "base", "chainId": other.chain_id, "rpcUrls": [other_node.url], "tokens": TOKENS}
        ]
        usdc = await Usdc(other, authorising.ADDRESS).deploy()
        settings["jobs.lease_seconds"] = "2"
        async with (
            serve(
                directory, database=request.param, workers=workers, settings=settings, first_on_path=fate
            ) as server,
            aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=HANGS_UP_SECONDS)
            ) as http,
        ):
            provider = await purse(server, chain.accounts[0]).login()
            recipient = "0x" + "5f" * 20
            listing = await provider.list_api(f"{target.url}/fire", timeoutSeconds=1, recipient=recipient)
            patient = await provider.list_api(f"{target.url}/crowd", timeoutSeconds=30, recipient=recipient)
            x402 = await Authorising.opened(server, other, other_node, usdc, provider, f"{target.url}/x402")
            await provider.http.aclose()
            await chain.automine(False)
            yield Fire(server, chain, node, target, listing, patient, x402, http, SEED)
    target.gate.set()
    await target.stop()


async def test_a_thousand_calls_with_one_payment_are_one(fire: Fire) -> None:
    life = Life("plain", patient=True)
    await fire.pay([life])
    await fire.chain.mine()
    answers = await asyncio.gather(*(until_decided(fire, life) for _ in range(1000)))
    assert Counter(status for status, _ in answers) == {200: 1, 402: 999}
    assert {word for status, word in answers if status == 402} <= {"payment_in_use", "payment_already_used"}
    assert len(fire.target.hits) == 1
    books = await Books.of(fire.server)
    books.check()
    assert [row["state"] for row in books.payments.values()] == ["consumed"]
    [[call]] = books.calls.values()
    assert (call["status"], call["payment_status"]) == ("success", "consumed")
    moves = [
        (move["kind"], int(move["amount_base"]))
        for [*all_moves] in books.movements.values()
        for move in all_moves
    ]
    assert moves == [("reserve", PRICE), ("charge", -PRICE)]
    fire.lives.append(life)


async def until_decided(fire: Fire, life: Life) -> tuple[int, str]:
    """A thousand at once may well be more than a busy machine's node answers in time; 503 decides nothing."""
    while True:
        status, word = await fire.call(life, "ok")
        if status != 503:
            return status, word
        await asyncio.sleep(0.5)


async def test_lives_under_fire(fire: Fire, capsys: pytest.CaptureFixture[str]) -> None:
    began, number, told = time.monotonic(), 0, 0

    def tell(*words: object) -> None:
        """Past pytest's capture: who waits for ten thousand lives sees how far they are."""
        with capsys.disabled():
            print(f"{time.monotonic() - began:.0f} s", *words, flush=True)

    while len(fire.lives) < LIVES:
        # A crew waits before it replaces workers that die young: they die in every second wave.
        await fire.wave(min(AT_ONCE, LIVES - len(fire.lives)), crashing=not fire.crew or number % 2 == 0)
        number += 1
        if LONG and len(fire.lives) // TOLD_EVERY > told:
            told = len(fire.lives) // TOLD_EVERY
            tell(fire.summary())
    await fire.finish()
    if LONG:
        tell("all lives are over; the audit begins")
    ends = await audit(fire)
    stood = Counter(Path(os.environ["FATE_LOG"]).read_text("utf-8").split())
    if LONG:
        tell(f"{fire.summary()}; ends {dict(ends)}; stood at {dict(stood)}")
    assert len(fire.lives) == LIVES
    assert ends["served"] > LIVES // 3
    # Over a connection that stands already, the reservation and its dispatch are one; of few lives all may have one, and
    # of those that settle none may come so far before its process dies.
    usual = POINTS - {"reserved", "dispatched", *COLLECTING}
    assert usual <= set(stood) <= POINTS
    assert {"reserved", "dispatched"} & set(stood)
    assert LIVES < SEEN_ALL or set(stood) == POINTS


async def test_the_operators_journal_says_the_same(fire: Fire) -> None:
    headers = {"Authorization": f"Bearer {fire.server.operator['admin_token']}"}
    sums: Counter[str] = Counter()
    after = 0
    while True:
        path = f"{fire.server.origin}{API}/admin/journal?limit=1000&after={after}"
        async with fire.http.get(path, headers=headers) as answer:
            page = await answer.json()
        if not page["movements"]:
            break
        for move in page["movements"]:
            sums[move["payment"]] += int(move["amountBase"])
        after = page["next"]
    payments = (await Books.of(fire.server)).payments.values()
    # A settlement's own transaction pays for nothing by itself.
    assert len(sums) == sum(int(row["required_base"]) > 0 for row in payments)
    assert set(sums.values()) == {0}
