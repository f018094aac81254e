"""schemathesis over the paygate document, and hostile proofs at its two mounts of the paid call; see attacks.py.

As a stranger with invented ids, and as a wallet that is logged in and knows its listing, its call and its transaction: with
windows off, a chain behind it and x402 on, so that requests get past the first checks.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.clients.paygate_world import API, PRICE, Purse, chain_settings, purse, target
from tests.harness.anvil import Anvil, anvil
from tests.harness.server import Server, serve
from tests.harness.token import Usdc
from tests.hostile.attacks import MODES, PATIENCE, attack

from flux.paygate.envelope import PaygateEnvelope

LONG = bool(os.environ.get("FLUX_LONG"))
PROOFS = 2_000 if LONG else 60
HEADERS = (
    "X-Payment-Tx", "X-Signature", "X-Timestamp", "X-Payment-Chain", "X-Signature-Version", "Idempotency-Key",
    "x-flux-payment-tx", "PAYMENT-SIGNATURE", "X-PAYMENT",
)  # fmt: skip
BROKEN_WORLD = {"BLOCKCHAIN_ERROR", "BLOCKCHAIN_UNAVAILABLE", "SERVICE_UNAVAILABLE"}


def opened(chain: Anvil) -> dict[str, Any]:
    return chain_settings(
        chain, facilitator_key="0x" + chain.accounts[8].key.hex(), gateway_per_minute="0", ban_after="1000000"
    )


async def known_values(server: Server, chain: Anvil, wallet: Purse, endpoint: str) -> dict[str, str]:
    """What path parameters may be called, by their names."""
    listing = await wallet.list_api(endpoint, x402={"amount": "0.01"})
    tx_hash = await chain.pay(wallet.account, listing["recipient"], PRICE)
    answer = await wallet.call(listing["id"], "/a", tx_hash)
    return {
        "api_id": listing["id"], "call_id": answer.headers["x-call-id"], "tx_hash": tx_hash, "address": wallet.address,
    }  # fmt: skip


def knowing(document: dict[str, Any], values: dict[str, str]) -> dict[str, Any]:
    """The document with path parameters that can only be what is there. Nothing that would end the listing or session."""
    for path in [path for path in document["paths"] if path.endswith("/auth/logout")]:
        del document["paths"][path]
    for item in document["paths"].values():
        item.pop("delete", None)
        for operation in item.values():
            for parameter in operation.get("parameters", []):
                if parameter["in"] == "path" and parameter["name"] in values:
                    parameter["schema"] = {"enum": [values[parameter["name"]]]}
    return document


@pytest.mark.parametrize("known", [False, True], ids=["stranger", "known"])
async def test_no_input_makes_the_server_fail(tmp_path: Path, known: bool) -> None:
    async with anvil() as chain, target() as there, serve(tmp_path, settings=opened(chain)) as server:
        await Usdc(chain).deploy()
        document = (await server.http.get("/openapi/paygate.json")).json()
        headers: dict[str, str] = {}
        if known:
            wallet = await purse(server, chain.accounts[1]).login()
            document = knowing(document, await known_values(server, chain, wallet, there.url))
            headers = wallet.headers
            await wallet.http.aclose()
        base = document["servers"][0]["url"]
        failures: list[str] = []
        session = requests.Session()
        sent = 0
        for found in schemathesis.openapi.from_dict(document).get_all_operations():
            for mode in MODES:
                sent += await attack(found.ok(), mode, base, headers, session, failures)
        assert failures == []
        assert sent > len(document["paths"])
        assert (await server.http.get("/health")).status_code == 200
        assert "Traceback" not in server.log()


junk = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=140)
hexes = st.binary(min_size=0, max_size=66).map(lambda raw: "0x" + raw.hex())
numbers = st.one_of(st.integers(), st.floats(), st.text(max_size=8), st.none(), st.booleans())
parts = st.recursive(
    st.one_of(numbers, junk, hexes),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(junk, inner, max_size=3)),
    max_leaves=6,
)
words = st.sampled_from(
    [
        "x402Version",
        "scheme",
        "network",
        "accepted",
        "payload",
        "signature",
        "authorization",
        "extensions",
        "resource",
    ]
)
values = st.one_of(st.sampled_from([1, 2, "exact", "base-sepolia", "eip155:84532"]), parts)
proofs = st.dictionaries(
    words, st.one_of(values, st.dictionaries(words, values, max_size=6)), max_size=9
).map(lambda proof: base64.b64encode(json.dumps(proof).encode()).decode())
sent_headers = st.dictionaries(
    st.sampled_from(HEADERS),
    st.one_of(junk, hexes, proofs, st.just("0x" + "1" * 64), st.just("1700000000")),
    max_size=5,
)


async def test_no_proof_makes_the_paid_call_fail(tmp_path: Path) -> None:
    """Anything in any payment header, at both mounts: a declared refusal in the envelope, and never a call."""
    async with anvil() as chain, target() as there, serve(tmp_path, settings=opened(chain)) as server:
        await Usdc(chain).deploy()
        wallet = await purse(server, chain.accounts[0]).login()
        listing = await wallet.list_api(there.url, x402={"amount": "0.01"})
        await wallet.http.aclose()
        session = requests.Session()
        envelope = PaygateEnvelope()

        @settings(max_examples=PROOFS, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
                  suppress_health_check=list(HealthCheck))  # fmt: skip
        @given(mount=st.sampled_from(["gateway", "x402"]), headers=sent_headers)
        def present(mount: str, headers: dict[str, str]) -> None:
            url = f"{server.origin}{API}/{mount}/{listing['id']}/a"
            answer = session.get(url, headers=headers, timeout=PATIENCE)
            assert answer.status_code in (400, 401, 402, 429) or answer.json()["error"] in BROKEN_WORLD, (
                headers,
                answer.text,
            )
            assert envelope.fits(answer.status_code, answer.content) is None
            assert answer.headers["x-gateway-error"] == answer.json()["error"]

        await asyncio.to_thread(present)
        assert not there.hits
        assert "Traceback" not in server.log()
