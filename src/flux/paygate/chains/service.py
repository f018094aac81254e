"""`ChainReader`: the plane's one way to look at chains."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

import msgspec

from flux.kernel.faults import Mode, PortFailure, Ports
from flux.kernel.store import Clock
from flux.paygate.chains import decoding
from flux.paygate.chains.decoding import Block, Receipt, Transaction, Undecodable
from flux.paygate.chains.nodes import RECHECK_SECONDS, ChainClient, ChainFailure, Request
from flux.paygate.chains.registry import Chain, Chains
from flux.settings.paygate import PaygateSettings

if TYPE_CHECKING:
    from aiohttp import ClientSession

log = logging.getLogger("flux.paygate.chains")
HEAD_SECONDS = 1.0
FACTS_SECONDS = 10.0
FINAL_SECONDS = 86_400.0
"""For transactions so deep that no reorganisation reaches them."""
UNKNOWN_SECONDS = 2.0
ELSEWHERE_SECONDS = 2.0
CAPACITY = 20_000
DECIMALS_SELECTOR = "0x313ce567"
EIP1271_SELECTOR = "1626ba7e"
"""Of `isValidSignature(bytes32,bytes)`, and what it answers for yes."""


class Facts(msgspec.Struct, frozen=True):
    """What a chain says about a transaction. `receipt` and `block` (the canonical one at the transaction's height)
    are None until it is mined."""

    tx: Transaction
    receipt: Receipt | None
    block: Block | None
    head: int

    @property
    def confirmations(self) -> int:
        return 0 if self.receipt is None else max(0, self.head - self.receipt.block_number + 1)


class ChainReader:
    """Facts are cached for seconds; while a fault is armed at the chain port nothing is."""

    def __init__(self, chains: Chains, settings: PaygateSettings, clock: Clock, ports: Ports) -> None:
        self.chains = chains
        self._settings = settings
        self._clock = clock
        self._ports = ports
        self._session: ClientSession | None = None
        self._clients: dict[int, ChainClient] = {}
        self._facts: dict[tuple[int, str], tuple[float, Facts | None]] = {}
        self._heads: dict[int, tuple[float, int]] = {}
        self._asking: dict[tuple[int, str], asyncio.Task[Facts | None]] = {}
        self._heading: dict[int, asyncio.Task[int]] = {}
        self._decimals_seen: dict[int, float] = {}

    async def start(self) -> None:
        if any(chain.rpc_urls for chain in self.chains):
            import aiohttp

            connector = aiohttp.TCPConnector(limit=200, ttl_dns_cache=30)
            self._session = aiohttp.ClientSession(connector=connector, trust_env=False)
        for chain in self.chains:
            self._clients[chain.chain_id] = ChainClient(
                chain,
                self._session,
                self._clock,
                self._settings.rpc_seconds,
                self._settings.rpc_budget_seconds,
            )

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    async def facts(self, chain: Chain, tx_hash: str) -> Facts | None:
        """None when the chain does not know the transaction. Raises `ChainFailure`."""
        key = (chain.chain_id, tx_hash)
        if self._ports.armed("chain"):
            return await self._read(chain, tx_hash)
        kept = self._facts.get(key)
        if kept is not None and kept[0] > self._clock.monotonic():
            if kept[1] is None:
                return None
            return Facts(kept[1].tx, kept[1].receipt, kept[1].block, await self.head(chain))
        asking = self._asking.get(key)
        if asking is None:
            asking = self._asking[key] = asyncio.ensure_future(self._read(chain, tx_hash))
            asking.add_done_callback(lambda _: self._asking.pop(key, None))
        return await asyncio.shield(asking)

    def remembers(self, chain: Chain, tx_hash: str) -> bool:
        """Whether `facts` has them at hand, and the transaction was found."""
        kept = self._facts.get((chain.chain_id, tx_hash))
        return (
            kept is not None
            and kept[1] is not None
            and kept[0] > self._clock.monotonic()
            and not self._ports.armed("chain")
        )

    async def head(self, chain: Chain) -> int:
        kept = self._heads.get(chain.chain_id)
        if kept is not None and kept[0] > self._clock.monotonic() and not self._ports.armed("chain"):
            return kept[1]
        if self._ports.armed("chain"):
            return await self._read_head(chain)
        # However many ask when the second is over, the node is asked once.
        asking = self._heading.get(chain.chain_id)
        if asking is None:
            asking = self._heading[chain.chain_id] = asyncio.ensure_future(self._read_head(chain))
            asking.add_done_callback(lambda _: self._heading.pop(chain.chain_id, None))
        return await asyncio.shield(asking)

    async def _read_head(self, chain: Chain) -> int:
        [result] = await self.call(chain, ("eth_blockNumber", []))
        return self._keep_head(chain, self._decode(chain, decoding.quantity, result))

    async def receipts(self, chain: Chain, hashes: list[str]) -> list[Receipt | None]:
        """Of many transactions in one batch, as the chain has them now, past every cache. Raises `ChainFailure`."""
        results = await self.call(chain, *(("eth_getTransactionReceipt", [one]) for one in hashes))
        return [self._decode(chain, decoding.receipt, result) for result in results]

    async def block_hash(self, chain: Chain, number: int) -> str | None:
        """Of the canonical block at that height, now. Raises `ChainFailure`."""
        [result] = await self.call(chain, ("eth_getBlockByNumber", [hex(number), False]))
        block: Block | None = self._decode(chain, decoding.block, result)
        return block.hash if block is not None else None

    async def elsewhere(self, chain: Chain, tx_hash: str) -> Chain | None:
        """Another configured chain that knows the transaction. Their failures mean nothing here."""
        others = [one for one in self.chains if one.chain_id != chain.chain_id and one.rpc_urls]

        async def known(other: Chain) -> Chain | None:
            try:
                [result] = await self._clients[other.chain_id].call(("eth_getTransactionByHash", [tx_hash]))
                return other if decoding.transaction(result) is not None else None
            except (PortFailure, Undecodable):
                return None

        try:
            async with asyncio.timeout(ELSEWHERE_SECONDS):
                found = await asyncio.gather(*(known(other) for other in others))
        except TimeoutError:
            return None
        return next((one for one in found if one is not None), None)

    async def has_code(self, chain: Chain, address: str) -> bool:
        [result] = await self.call(chain, ("eth_getCode", [address, "latest"]))
        return bool(self._decode(chain, decoding.data_of, result))

    async def contract_signed(self, chain: Chain, address: str, digest: bytes, signature: bytes) -> bool:
        """EIP-1271: does the contract at `address` stand by the signature? False where there is no contract.

        Raises `ChainFailure`, also when the contract reverts: nodes answer that with an error object.
        """
        if not await self.has_code(chain, address):
            return False
        padded = signature + bytes(-len(signature) % 32)
        arguments = digest + (64).to_bytes(32, "big") + len(signature).to_bytes(32, "big") + padded
        call = {"to": address, "data": "0x" + EIP1271_SELECTOR + arguments.hex()}
        [result] = await self.call(chain, ("eth_call", [call, "latest"]))
        return bool(self._decode(chain, decoding.data_of, result)[:4].hex() == EIP1271_SELECTOR)

    async def check_decimals(self, chain: Chain) -> None:
        """The configured token really has the configured decimals. Raises `ChainFailure`."""
        now = self._clock.monotonic()
        if (
            chain.usdc is None
            or now - self._decimals_seen.get(chain.chain_id, float("-inf")) < RECHECK_SECONDS
        ):
            return
        call = {"to": chain.usdc.address, "data": DECIMALS_SELECTOR}
        [result] = await self.call(chain, ("eth_call", [call, "latest"]))
        found = self._decode(chain, decoding.data_of, result)
        if len(found) != 32 or int.from_bytes(found, "big") != chain.usdc.decimals:
            log.error(
                "chain %s: the USDC token has not the %d decimals configured", chain.name, chain.usdc.decimals
            )
            raise ChainFailure(chain.name, Mode.ERROR, "inconsistent")
        self._decimals_seen[chain.chain_id] = now

    async def call(self, chain: Chain, *requests: Request) -> list[Any]:
        """Raw results of a batch. Raises `ChainFailure`."""
        try:
            await self._ports.strike("chain")
        except PortFailure as failure:
            raise ChainFailure(chain.name, failure.mode, failure.reason) from failure
        return await self._clients[chain.chain_id].call(*requests)

    async def _read(self, chain: Chain, tx_hash: str) -> Facts | None:
        tx_raw, receipt_raw, head_raw = await self.call(
            chain,
            ("eth_getTransactionByHash", [tx_hash]),
            ("eth_getTransactionReceipt", [tx_hash]),
            ("eth_blockNumber", []),
        )
        head = self._keep_head(chain, self._decode(chain, decoding.quantity, head_raw))
        tx = self._decode(chain, decoding.transaction, tx_raw)
        receipt = self._decode(chain, decoding.receipt, receipt_raw)
        if tx is None:
            self._keep(chain, tx_hash, None, UNKNOWN_SECONDS)
            return None
        wrong_chain = tx.chain_id is not None and tx.chain_id != chain.chain_id
        if tx.hash != tx_hash or wrong_chain or (receipt is not None and receipt.tx_hash != tx_hash):
            raise ChainFailure(chain.name, Mode.ERROR, "inconsistent")
        if tx.block_number is None or receipt is None:
            return Facts(tx, None, None, head)
        [block_raw] = await self.call(chain, ("eth_getBlockByNumber", [hex(receipt.block_number), False]))
        block = self._decode(chain, decoding.block, block_raw)
        facts = Facts(tx, receipt, block, max(head, receipt.block_number))
        if block is not None and block.hash == receipt.block_hash:
            final = facts.confirmations > chain.finality_depth
            self._keep(chain, tx_hash, facts, FINAL_SECONDS if final else FACTS_SECONDS)
        return facts

    def forget(self, chain: Chain, tx_hash: str) -> None:
        self._facts.pop((chain.chain_id, tx_hash), None)

    def _keep(self, chain: Chain, tx_hash: str, facts: Facts | None, seconds: float) -> None:
        while len(self._facts) >= CAPACITY:
            del self._facts[next(iter(self._facts))]
        self._facts[chain.chain_id, tx_hash] = (self._clock.monotonic() + seconds, facts)

    def _keep_head(self, chain: Chain, head: int) -> int:
        self._heads[chain.chain_id] = (self._clock.monotonic() + HEAD_SECONDS, head)
        return head

    def _decode(self, chain: Chain, decode: Any, value: Any) -> Any:
        try:
            return decode(value)
        except Undecodable as error:
            log.warning("chain %s: undecodable %s in a node's answer", chain.name, error)
            raise ChainFailure(chain.name, Mode.GARBAGE, "bad_response") from None
