"""The operator's key at work: one nonce after the other, decided by the database, and none left lying in the way.

A transaction that is passed over by the miners holds up every later one of its key. So what stays unmined too long is
signed again, same nonce and higher fee, and sent again: by whoever waits for it, or by the schedule when nobody does.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from enum import Enum
from pathlib import Path
from typing import Any

from flux.kernel.store import Clock, Database, Transaction
from flux.paygate.chains import decoding
from flux.paygate.chains.decoding import Undecodable
from flux.paygate.chains.nodes import ChainFailure, RpcRefused
from flux.paygate.chains.registry import Chain
from flux.paygate.chains.service import ChainReader
from flux.paygate.facilitator import fees, repository
from flux.paygate.facilitator.fees import Fees
from flux.paygate.facilitator.model import Sent, Transfer
from flux.paygate.facilitator.transactions import Draft
from flux.paygate.ledger.settlements import Settlements
from flux.paygate.signing.curve import address_of
from flux.settings.paygate import PaygateSettings

log = logging.getLogger("flux.paygate.facilitator")
KIND = "paygate.settlements"
SECONDS = 5.0
GAS_MARGIN_PERCENT = 130
NONCES_TRIED = 50
MOST_RAISED = 20
KEPT_MS = 7 * 86_400_000
GWEI = 10**9
Note = Callable[[Transaction, str], Awaitable[None]]
"""Told the hash of a settlement in the unit of work that takes its nonce, before it is broadcast: whose settlement was
sent without a note could not be told from a stranger's after a crash."""


class Fate(Enum):
    """What a node says to a transaction. `OUT` also where it says nothing: it may have it."""

    OUT = "out"
    TAKEN = "taken"
    """Its nonce is another transaction's."""
    REFUSED = "refused"


class Sender:
    def __init__(
        self,
        key: bytes,
        db: Database,
        chains: ChainReader,
        settlements: Settlements,
        clock: Clock,
        settings: PaygateSettings,
    ) -> None:
        self.address = address_of(key)
        self._key = key
        self._db = db
        self._chains = chains
        self._settlements = settlements
        self._clock = clock
        self._max_gas = settings.facilitator_gas
        self._ceiling = settings.facilitator_max_fee_gwei * GWEI
        self._raise_ms = round(settings.facilitator_raise_seconds * 1000)
        self._turns: dict[int, asyncio.Lock] = {}
        self._due: dict[int, float] = {}
        self._mined: dict[int, int] = {}
        """How many of our transactions each chain has mined, when last asked."""

    async def send(self, chain: Chain, transfer: Transfer, note: Note | None) -> str | None:
        """The hash of the broadcast settlement; None when the chain refuses it. Raises `ChainFailure` when nothing was
        sent."""
        sender = {"from": self.address, "to": transfer.token, "data": "0x" + transfer.data.hex()}
        try:
            gas_raw, block = await self._chains.call(
                chain, ("eth_estimateGas", [sender]), ("eth_getBlockByNumber", ["latest", False])
            )
        except RpcRefused:
            return None
        gas = min(_quantity(chain, gas_raw) * GAS_MARGIN_PERCENT // 100, self._max_gas)
        offer = fees.first(_base_fee(chain, block))
        async with self._turns.setdefault(chain.chain_id, asyncio.Lock()):
            return await self._in_turn(chain, transfer, gas, offer, note)

    async def _in_turn(
        self, chain: Chain, transfer: Transfer, gas: int, offer: Fees, note: Note | None
    ) -> str | None:
        [count] = await self._chains.call(chain, ("eth_getTransactionCount", [self.address, "pending"]))
        nonce = _quantity(chain, count)
        for _ in range(NONCES_TRIED):
            sent, raw = self._signed(chain, transfer, nonce, 0, gas, offer)
            nonce += 1
            if not await self._take(sent, note):
                continue
            fate = await self._broadcast(chain, sent, raw)
            if fate is Fate.OUT:
                return sent.tx_hash
            await self._drop(sent)
            if fate is Fate.REFUSED:
                log.error("chain %s refuses a settlement: check the facilitator's gas", chain.name)
                return None
        return None

    async def tries(self, payment_key: str) -> list[list[str]]:
        """What was broadcast to settle the payment, newest first: hashes that exclude each other stand together."""
        by_nonce: dict[int, list[str]] = {}
        for nonce, tx_hash in await repository.tries(self._db, payment_key):
            hashes = by_nonce.setdefault(nonce, [])
            if tx_hash not in hashes:
                hashes.append(tx_hash)
        return list(by_nonce.values())

    # -- raising fees -----------------------------------------------------------------------------------------

    async def hurry(self, chain: Chain) -> None:
        """For who waits for a receipt: looks after what is stuck, now and then."""
        now = self._clock.monotonic()
        if now >= self._due.get(chain.chain_id, 0.0):
            self._due[chain.chain_id] = now + self._raise_ms / 4000
            try:
                await self._look_after(chain)
            except ChainFailure:
                log.warning("chain %s: fees were not looked after", chain.name)

    async def sweep(self, _: dict[str, Any]) -> None:
        """The schedule's, for settlements that nobody waits for any more. Idempotent."""
        before = self._clock.now_ms() - KEPT_MS
        for chain_id, nonce in await repository.newest(self._db, self.address, before):
            chain = self._chains.chains.get(chain_id)
            if chain is not None and chain.rpc_urls and nonce >= self._mined.get(chain_id, 0):
                await self.hurry(chain)

        async def work(tx: Transaction) -> None:
            await repository.sweep(tx, before)

        await self._db.transact(work)

    async def _look_after(self, chain: Chain) -> None:
        count, block = await self._chains.call(
            chain,
            ("eth_getTransactionCount", [self.address, "latest"]),
            ("eth_getBlockByNumber", ["latest", False]),
        )
        nonce, base_fee = _quantity(chain, count), _base_fee(chain, block)
        self._mined[chain.chain_id] = nonce
        waiting = await repository.waiting(self._db, chain.chain_id, self.address, nonce, MOST_RAISED)
        stuck = list(fees.stuck(waiting, base_fee, self._clock.now_ms() - self._raise_ms))
        if stuck:
            tip = await self._wanted_tip(chain)
            for sent in stuck:
                await self._raise(chain, sent, base_fee, tip)

    async def _raise(self, chain: Chain, before: Sent, base_fee: int, tip: int) -> None:
        offer = fees.raised(Fees(before.max_fee, before.tip), base_fee, tip, self._ceiling)
        transfer = Transfer(before.payment_key, before.payer, before.token, before.data)
        sent, raw = self._signed(chain, transfer, before.nonce, before.tries + 1, before.gas, offer)

        async def claim(tx: Transaction, tx_hash: str) -> None:
            await self._settlements.claim(tx, chain.chain_id, sent.payer, tx_hash)

        if await self._take(sent, claim if sent.tx_hash != before.tx_hash else None):
            log.warning("chain %s: settlement %d is sent again at %s", chain.name, sent.nonce, offer)
            if await self._broadcast(chain, sent, raw) is not Fate.OUT:
                await self._drop(sent)

    async def _wanted_tip(self, chain: Chain) -> int:
        try:
            [wanted] = await self._chains.call(chain, ("eth_maxPriorityFeePerGas", []))
        except RpcRefused:
            # Not every node knows what others offer.
            return fees.LEAST_TIP
        return _quantity(chain, wanted)

    # -- one transaction --------------------------------------------------------------------------------------

    def _signed(
        self, chain: Chain, transfer: Transfer, nonce: int, tries: int, gas: int, offer: Fees
    ) -> tuple[Sent, bytes]:
        raw, tx_hash = Draft(
            chain_id=chain.chain_id,
            nonce=nonce,
            max_priority_fee=offer.tip,
            max_fee=offer.max_fee,
            gas=gas,
            to=transfer.token,
            data=transfer.data,
        ).signed(self._key)
        sent = Sent(
            chain_id=chain.chain_id,
            sender=self.address,
            nonce=nonce,
            tries=tries,
            tx_hash=tx_hash,
            payment_key=transfer.payment_key,
            payer=transfer.payer,
            token=transfer.token,
            data=transfer.data,
            gas=gas,
            max_fee=offer.max_fee,
            tip=offer.tip,
            sent_at=self._clock.now_ms(),
        )
        return sent, raw

    async def _take(self, sent: Sent, note: Note | None) -> bool:
        async def work(tx: Transaction) -> bool:
            taken = await repository.take(tx, sent)
            if taken and note is not None:
                await note(tx, sent.tx_hash)
            return taken

        return await self._db.transact(work)

    async def _drop(self, sent: Sent) -> None:
        async def work(tx: Transaction) -> None:
            await repository.drop(tx, sent)

        await self._db.transact(work)

    async def _broadcast(self, chain: Chain, sent: Sent, raw: bytes) -> Fate:
        try:
            await self._chains.call(chain, ("eth_sendRawTransaction", ["0x" + raw.hex()]))
        except RpcRefused as refused:
            text = refused.text.lower()
            if "already known" in text or "already imported" in text:
                return Fate.OUT
            if "nonce" in text:
                return await self._behind_a_nonce(chain, sent)
            return Fate.TAKEN if "underpriced" in text else Fate.REFUSED
        except ChainFailure:
            log.warning("chain %s: whether a settlement was taken is not known", chain.name)
        return Fate.OUT

    async def _behind_a_nonce(self, chain: Chain, sent: Sent) -> Fate:
        """An answer may get lost, and a second try then meets the first one, mined."""
        try:
            [receipt] = await self._chains.call(chain, ("eth_getTransactionReceipt", [sent.tx_hash]))
        except ChainFailure:
            log.warning("chain %s: whose nonce %d is is not known", chain.name, sent.nonce)
            return Fate.OUT
        return Fate.TAKEN if receipt is None else Fate.OUT


def _base_fee(chain: Chain, block: Any) -> int:
    return _quantity(chain, (block or {}).get("baseFeePerGas", "0x0"))


def _quantity(chain: Chain, value: Any) -> int:
    try:
        return decoding.quantity(value)
    except Undecodable:
        raise ChainFailure.nonsense(chain.name) from None


def private_key(setting: str) -> bytes | None:
    """`0x…` itself, or the file that holds it. Raises ValueError at start-up, without repeating the key."""
    if not setting:
        return None
    text = setting if setting.startswith("0x") else Path(setting).read_text("ascii").strip()
    try:
        key = bytes.fromhex(text.removeprefix("0x"))
    except ValueError:
        key = b""
    if len(key) != 32:
        raise ValueError("paygate.facilitator_key: 0x and 64 hexadecimal digits, or a file with them")
    return key
