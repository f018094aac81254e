"""Wallets that are contracts (EIP-1271): they log in, and pay through whoever relays for them."""

from __future__ import annotations

from pathlib import Path

from eth_account import Account
from eth_account.messages import encode_defunct
from tests.clients.paygate_world import API, chain_settings, purse, target
from tests.harness.anvil import Anvil, anvil
from tests.harness.server import serve
from tests.harness.token import Usdc, call_data

CODE = "0x" + (Path(__file__).parents[1] / "harness" / "contracts" / "Wallet.hex").read_text().replace(
    "\n", ""
)
ADDRESS = "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb"


async def contract_wallet(chain: Anvil, owner: str) -> None:
    await chain.rpc("anvil_setCode", ADDRESS, CODE)
    await chain.rpc("anvil_setStorageAt", ADDRESS, "0x" + "00" * 32, "0x" + "00" * 12 + owner[2:].lower())


async def relayed_payment(chain: Anvil, usdc: Usdc, to: str, amount: int) -> str:
    """A relayer's transaction in which the contract moves its own tokens."""
    inner = bytes.fromhex(call_data("0xa9059cbb", to, amount)[2:])
    data = call_data("0xa3d6bde9", usdc.address, 64, len(inner)) + inner.hex() + "00" * (-len(inner) % 32)
    tx_hash = await chain.send(chain.accounts[4], ADDRESS, data=data)
    assert (await chain.mined(tx_hash))["status"] == "0x1"
    return tx_hash


async def test_a_contract_logs_in_and_pays(tmp_path: Path) -> None:
    owner, stranger = Account.create(), Account.create()
    async with anvil() as chain, target() as there, serve(tmp_path, settings=chain_settings(chain)) as server:
        usdc = await Usdc(chain).deploy()
        await contract_wallet(chain, owner.address)
        await usdc.mint(ADDRESS, 100_000)
        provider = await purse(server, chain.accounts[0]).login()
        for signer, status in ((stranger, 401), (owner, 200)):
            made = await provider.http.post(f"{API}/auth/nonce", json={"address": ADDRESS, "chainId": 84532})
            message = made.json()["message"]
            signature = "0x" + signer.sign_message(encode_defunct(text=message)).signature.hex()
            opened = await provider.http.post(
                f"{API}/auth/verify", json={"message": message, "signature": signature}
            )
            assert opened.status_code == status, opened.text
        assert opened.json()["address"] == ADDRESS
        listing = await provider.list_api(
            there.url, currency="USDC", pricePerRequest="0.01", allowRelayedPayments=True
        )
        strict = await provider.list_api(f"{there.url}/strict", currency="USDC", pricePerRequest="0.01")
        tx_hash = await relayed_payment(chain, usdc, provider.address, 10_000)
        payer = purse(server, owner)
        for api, signer, status in (
            (strict["id"], payer, 401),
            (listing["id"], purse(server, stranger), 401),
            (listing["id"], purse(server, chain.accounts[4]), 401),
            (listing["id"], payer, 200),
        ):
            answer = await signer.call(api, "/a", tx_hash)
            assert answer.status_code == status, answer.text
        assert answer.json()["headers"]["x-consumer-wallet"] == ADDRESS
        again = await payer.call(listing["id"], "/a", tx_hash)
        assert again.json()["details"]["reason"] == "payment_already_used"
        await provider.http.aclose()
