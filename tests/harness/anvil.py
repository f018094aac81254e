"""A real EVM chain for tests: anvil from the npm package, on a free port, no process left behind.

    async with anvil(84532) as chain:
        tx_hash = await chain.pay(chain.accounts[1], recipient, 10**15)

`accounts` are anvil's well-known development keys, rich in ether. `stop` and `start` play a node that goes away and
comes back (with its state, when `keep` is given).
"""

from __future__ import annotations

import asyncio
import ctypes
import itertools
import os
import signal
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from eth_account import Account
from eth_account.signers.local import LocalAccount
from tests.harness.server import free_port

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 20.0
MNEMONIC = "test test test test test test test test test test test junk"

Account.enable_unaudited_hdwallet_features()
ACCOUNTS: list[LocalAccount] = [
    Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{index}") for index in range(10)
]


class RpcError(Exception):
    """The node answered with an error object."""


def binary() -> str:
    """The program itself where npm put it, else its launcher."""
    for path in sorted((ROOT / "node_modules" / "@foundry-rs").glob("anvil-*/bin/anvil")):
        if os.access(path, os.X_OK):
            return str(path)
    return str(ROOT / "node_modules" / ".bin" / "anvil")


def _die_with_parent() -> None:
    """Where the system can (Linux): a test run that is killed takes its chains with it."""
    try:
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    except (OSError, AttributeError):
        return


@dataclass
class Anvil:
    """A running chain. All amounts in wei, addresses and hashes as hex text."""

    chain_id: int
    port: int
    state: Path | None = None
    accounts: list[LocalAccount] = field(default_factory=lambda: list(ACCOUNTS))
    process: subprocess.Popen[bytes] | None = None
    http: httpx.AsyncClient = field(default_factory=lambda: httpx.AsyncClient(timeout=10))
    _ids: Any = field(default_factory=itertools.count)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        command = [binary(), "--port", str(self.port), "--chain-id", str(self.chain_id), "--silent"]
        if self.state is not None:
            command += ["--state", str(self.state)]
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )
        deadline = asyncio.get_running_loop().time() + START_SECONDS
        while True:
            try:
                if int(await self.rpc("eth_chainId"), 16) == self.chain_id:
                    return
            except httpx.HTTPError:
                pass
            if self.process.poll() is not None or asyncio.get_running_loop().time() > deadline:
                self.stop()
                raise RuntimeError("anvil does not start")
            await asyncio.sleep(0.02)

    def stop(self) -> None:
        """The whole group: the npm launcher has the program as its child."""
        process, self.process = self.process, None
        if process is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(process.pid, number)
            except ProcessLookupError:
                break
            try:
                process.wait(5)
                break
            except subprocess.TimeoutExpired:
                continue
        process.wait()

    async def rpc(self, method: str, *params: Any) -> Any:
        body = {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": list(params)}
        answer = (await self.http.post(self.url, json=body)).json()
        if "error" in answer:
            raise RpcError(answer["error"])
        return answer["result"]

    async def send(
        self, account: LocalAccount, to: str | None, value: int = 0, data: str = "0x", gas: int = 0
    ) -> str:
        """Sign and broadcast; the hash, whether or not it is mined."""
        price = int(await self.rpc("eth_gasPrice"), 16)
        nonce = int(await self.rpc("eth_getTransactionCount", account.address, "pending"), 16)
        fields: dict[str, Any] = {
            "chainId": self.chain_id, "nonce": nonce, "value": value, "data": data, "gas": gas or 3_000_000,
            "maxFeePerGas": price * 3, "maxPriorityFeePerGas": 1, "type": 2,
        }  # fmt: skip
        if to is not None:
            fields["to"] = to
        signed = account.sign_transaction(fields)
        result: str = await self.rpc("eth_sendRawTransaction", "0x" + signed.raw_transaction.hex())
        return result

    async def pay(self, account: LocalAccount, to: str, value: int) -> str:
        """A plain transfer, mined."""
        tx_hash = await self.send(account, to, value, gas=100_000)
        await self.mined(tx_hash)
        return tx_hash

    async def mined(self, tx_hash: str) -> dict[str, Any]:
        for _ in range(200):
            receipt: dict[str, Any] | None = await self.rpc("eth_getTransactionReceipt", tx_hash)
            if receipt is not None:
                return receipt
            await asyncio.sleep(0.02)
        raise AssertionError(f"{tx_hash} is not mined")

    async def mine(self, blocks: int = 1) -> None:
        await self.rpc("anvil_mine", hex(blocks))

    async def automine(self, on: bool) -> None:
        await self.rpc("evm_setAutomine", on)

    async def reorg(self, depth: int) -> None:
        """Replace the newest `depth` blocks by empty ones."""
        await self.rpc("anvil_reorg", depth, [])


@asynccontextmanager
async def anvil(chain_id: int = 84532, *, state: Path | None = None) -> AsyncIterator[Anvil]:
    """A fresh chain; with `state`, a file it is kept in over `stop` and `start`."""
    chain = Anvil(chain_id, free_port(), state)
    try:
        await chain.start()
        yield chain
    finally:
        chain.stop()
        await chain.http.aclose()
