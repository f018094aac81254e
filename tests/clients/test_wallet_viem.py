"""The same as test_wallet.py with an unmodified viem in Node: login, payment, both versions of the signature."""

from __future__ import annotations

from pathlib import Path

from tests.clients.node import node
from tests.clients.paygate_world import API, chain_settings, purse, target
from tests.harness.anvil import anvil
from tests.harness.server import serve


async def test_viem_logs_in_pays_and_calls(tmp_path: Path) -> None:
    async with anvil() as chain, target() as there, serve(tmp_path, settings=chain_settings(chain)) as server:
        provider = await purse(server, chain.accounts[0]).login()
        listing = await provider.list_api(f"{there.url}/v1")
        account = chain.accounts[3]
        done = await node(
            "wallet.mjs",
            {
                "api": f"{server.origin}{API}",
                "rpc": chain.url,
                "chainId": chain.chain_id,
                "key": "0x" + account.key.hex(),
                "apiId": listing["id"],
                "path": "/weather",
            },
        )
        await provider.http.aclose()
    assert done["session"]["address"] == account.address == done["me"]["address"]
    assert done["first"]["status"] == 200
    assert done["first"]["body"]["headers"]["x-payment-hash"] == done["txHash"]
    assert (done["typed"]["status"], done["typed"]["body"]["target"]) == (200, "/v1/weather?v=2")
    assert done["typed"]["body"]["body"] == '{"typed":true}'
    assert (done["moved"]["status"], done["moved"]["body"]["error"]) == (401, "INVALID_SIGNATURE")
