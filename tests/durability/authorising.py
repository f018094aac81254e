"""The lives that are paid by transfer authorisation (x402, both versions), on a chain of their own that mines at once.

An authorisation is known by its nonce: the target finds it in its query, the node in what it is asked about it, the
chain in what was used.
"""

from __future__ import annotations

import base64
import json
import random
import time
from dataclasses import dataclass, field
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount
from tests.clients.paygate_world import API, Purse
from tests.durability.lives import Life
from tests.harness.anvil import Anvil
from tests.harness.node import HostileNode
from tests.harness.server import Server
from tests.harness.token import Usdc, call_data

CHAIN_ID = 8453
ADDRESS = "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"
PRICE = 10_000
RECIPIENT = "0x" + "60" * 20
VALID_SECONDS = 100_000
TRANSFER = "0xe3ee160e"
STATE = "0xe94a0102"
_TYPES = {
    "TransferWithAuthorization": [
        {"name": "from", "type": "address"},
        {"name": "to", "type": "address"},
        {"name": "value", "type": "uint256"},
        {"name": "validAfter", "type": "uint256"},
        {"name": "validBefore", "type": "uint256"},
        {"name": "nonce", "type": "bytes32"},
    ]
}


@dataclass
class Authorising:
    """`listing` sells at `PRICE` base units of USDC; the paygate's own key settles."""

    server: Server
    chain: Anvil
    node: HostileNode
    usdc: Usdc
    listing: dict[str, Any]
    required: dict[str, Any]
    """What version 2 is asked for."""
    first: dict[str, Any]
    """What version 1 is asked for."""
    payloads: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By the life's nonce: its authorisation, signed."""
    stolen: set[str] = field(default_factory=set)

    @classmethod
    async def opened(
        cls, server: Server, chain: Anvil, node: HostileNode, usdc: Usdc, provider: Purse, url: str
    ) -> Authorising:
        await usdc.mint(chain.accounts[1].address, 10**12)
        listing = await provider.list_api(
            url, currency="USDC", pricePerRequest="0.01", chain="base", recipient=RECIPIENT, timeoutSeconds=1
        )
        unpaid = await server.http.get(f"{API}/x402/{listing['id']}/ok")
        required = json.loads(base64.b64decode(unpaid.headers["payment-required"]))
        return cls(
            server, chain, node, usdc, listing, required["accepts"][0], unpaid.json()["accepts"][0]
        )  # fmt: skip

    @property
    def payer(self) -> LocalAccount:
        return self.chain.accounts[1]

    def sign(self, life: Life, dice: random.Random) -> None:
        nonce = f"0x{dice.getrandbits(256):064x}"
        message = {
            "from": self.payer.address,
            "to": RECIPIENT,
            "value": PRICE,
            "validAfter": 0,
            "validBefore": int(time.time()) + VALID_SECONDS,
            "nonce": nonce,
        }
        domain = {**self.required["extra"], "chainId": CHAIN_ID, "verifyingContract": ADDRESS}
        signed = Account.sign_typed_data(self.payer.key, domain, _TYPES, message)
        life.tx_hash = nonce
        shown = {name: value if name == "nonce" else str(value) for name, value in message.items()}
        self.payloads[nonce] = {"signature": "0x" + signed.signature.hex(), "authorization": shown}

    def proof(self, life: Life) -> dict[str, str]:
        payload = self.payloads[life.tx_hash]
        if life.kind == "x402-v2":
            name, proof = "PAYMENT-SIGNATURE", {"x402Version": 2, "accepted": self.required}
        else:
            name = "X-PAYMENT"
            proof = {"x402Version": 1, "scheme": "exact", "network": self.first["network"]}
        text = json.dumps({**proof, "payload": payload})
        return {name: base64.b64encode(text.encode()).decode()}

    def url(self, life: Life, path: str) -> str:
        """Version 1 comes by the one mount, version 2 by the other."""
        mount = "x402" if life.kind == "x402-v2" else "gateway"
        path, _, query = path.partition("?")
        return (
            f"{self.server.origin}{API}/{mount}/{self.listing['id']}/{path}?life={life.tx_hash}"
            + (f"&{query}" if query else "")
        )  # fmt: skip

    def key(self, life: Life) -> str:
        """The ledger's name for it."""
        return f"eip3009:{CHAIN_ID}:{ADDRESS.lower()}:{self.payer.address.lower()}:{life.tx_hash}"

    async def steal(self, life: Life) -> None:
        """Somebody else broadcasts the authorisation."""
        if life.tx_hash in self.stolen:
            return
        self.stolen.add(life.tx_hash)
        payload = self.payloads[life.tx_hash]
        wanted, signature = payload["authorization"], payload["signature"][2:]
        numbers = [int(wanted[name]) for name in ("value", "validAfter", "validBefore")]
        data = call_data(TRANSFER, wanted["from"], wanted["to"], *numbers)
        data += wanted["nonce"][2:] + f"{int(signature[128:], 16):064x}" + signature[:128]
        call = {"from": self.chain.accounts[5].address, "to": ADDRESS, "data": data, "gas": hex(300_000)}
        await self.chain.mined(str(await self.chain.rpc("eth_sendTransaction", call)))

    def mislead(self, life: Life, method: str, mood: str) -> None:
        """The node's mood when it is next asked this about the authorisation."""
        name = life.tx_hash[2:]
        if mood == "stolen":
            self.node.named.setdefault(name, []).append((method, lambda: self.steal(life)))
        else:
            self.node.named.setdefault(name, []).append((method, mood))

    def used_call(self, life: Life) -> tuple[str, list[Any]]:
        """What tells whether the chain has moved its money."""
        data = call_data(STATE, self.payer.address) + life.tx_hash[2:]
        return "eth_call", [{"to": ADDRESS, "data": data}, "latest"]
