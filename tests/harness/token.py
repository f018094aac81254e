"""USDC for test chains: our own token's code at the address that x402 clients know, so that they pay unmodified."""

from __future__ import annotations

from eth_account.signers.local import LocalAccount
from tests.harness.anvil import Anvil

from flux.demonstration.chain import token_code

ADDRESS = "0x036CbD53842c5426634e7929541eC2318f3dCF7e"
CODE = "0x" + token_code().hex()


def call_data(selector: str, *words: int | str) -> str:
    """`words` are numbers, or addresses as hex."""
    return selector + "".join(f"{int(word, 16) if isinstance(word, str) else word:064x}" for word in words)


class Usdc:
    """Amounts in base units (6 decimals)."""

    def __init__(self, chain: Anvil, address: str = ADDRESS) -> None:
        self.chain = chain
        self.address = address

    async def deploy(self) -> Usdc:
        await self.chain.rpc("anvil_setCode", self.address, CODE)
        return self

    async def mint(self, to: str, amount: int) -> None:
        data = call_data("0x40c10f19", to, amount)
        await self.chain.mined(await self.chain.send(self.chain.accounts[9], self.address, data=data))

    async def balance(self, of: str) -> int:
        call = {"to": self.address, "data": call_data("0x70a08231", of)}
        return int(await self.chain.rpc("eth_call", call, "latest"), 16)

    async def transfer(self, account: LocalAccount, to: str, amount: int, *, gas: int = 200_000) -> str:
        """Mined, whether or not it succeeded."""
        data = call_data("0xa9059cbb", to, amount)
        tx_hash = await self.chain.send(account, self.address, data=data, gas=gas)
        await self.chain.mined(tx_hash)
        return tx_hash
