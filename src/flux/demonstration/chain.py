"""A wallet's view of a chain, over JSON-RPC."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from flux.demonstration.asking import ask
from flux.paygate.facilitator.transactions import Draft, balance_call
from flux.paygate.signing.accounts import checksummed
from flux.paygate.signing.curve import address_of, personal_digest, sign
from flux.paygate.signing.typed import address_word, word

MINT = bytes.fromhex("40c10f19")
GAS = 2_000_000
PATIENCE = 20.0
COPIES_ITSELF = "61{size:04x}80600c6000396000f3"
"""Creation code: puts what follows it on chain as it is."""


def token_code() -> bytes:
    """The test token's runtime code, which runs at any address."""
    return bytes.fromhex((Path(__file__).parent / "Token.hex").read_text("ascii").replace("\n", ""))


class Wallet:
    def __init__(self, key: str) -> None:
        self.key = bytes.fromhex(key.removeprefix("0x"))
        self.address = address_of(self.key)

    @property
    def shown(self) -> str:
        return checksummed(self.address)

    def personal_sign(self, message: bytes) -> str:
        return sign(personal_digest(message), self.key)

    def sign(self, digest: bytes) -> str:
        return sign(digest, self.key)


class Chain:
    """Amounts in wei or base units, addresses and hashes as hex text."""

    def __init__(self, url: str, chain_id: int) -> None:
        self.url = url
        self.chain_id = chain_id

    def rpc(self, method: str, *params: Any) -> Any:
        """Raises RuntimeError with the node's words."""
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(params)}
        answer = ask(self.url, body=body).body
        if "result" not in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def send(self, wallet: Wallet, to: str, *, value: int = 0, data: bytes = b"") -> dict[str, Any]:
        """Signed, broadcast and mined: the receipt. `to` is empty for a new contract."""
        price = int(self.rpc("eth_gasPrice"), 16)
        raw, tx_hash = Draft(
            chain_id=self.chain_id,
            nonce=int(self.rpc("eth_getTransactionCount", wallet.address, "pending"), 16),
            max_priority_fee=1,
            max_fee=price * 2,
            gas=GAS,
            to=to,
            data=data,
            value=value,
        ).signed(wallet.key)
        self.rpc("eth_sendRawTransaction", "0x" + raw.hex())
        return self._mined(tx_hash)

    def deploy_token(self, wallet: Wallet) -> str:
        """The address of a token of our own, put on chain by an ordinary transaction."""
        code = token_code()
        creation = bytes.fromhex(COPIES_ITSELF.format(size=len(code))) + code
        address: str = self.send(wallet, "", data=creation)["contractAddress"]
        return address

    def copy_code(self, source: str, to: str) -> None:
        """Only a test chain can: the code of one address, at another one too."""
        self.rpc("anvil_setCode", to, self.rpc("eth_getCode", source, "latest"))

    def mint(self, wallet: Wallet, token: str, to: str, amount: int) -> None:
        self.send(wallet, token, data=MINT + address_word(to) + word(amount))

    def balance(self, token: str, of: str) -> int:
        return int(self.rpc("eth_call", {"to": token, "data": "0x" + balance_call(of).hex()}, "latest"), 16)

    def _mined(self, tx_hash: str) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            receipt: dict[str, Any] | None = self.rpc("eth_getTransactionReceipt", tx_hash)
            if receipt is not None:
                return receipt
            time.sleep(0.02)
        raise RuntimeError(f"{tx_hash} is not mined")
