"""Verifying on chain, and settling with the operator's gas: one sender a chain, never the same transfer twice."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from flux.kernel.store import Clock
from flux.paygate.chains import decoding
from flux.paygate.chains.decoding import Receipt, Undecodable
from flux.paygate.chains.nodes import ChainFailure, RpcRefused
from flux.paygate.chains.registry import Chain
from flux.paygate.chains.service import ChainReader
from flux.paygate.facilitator import rules
from flux.paygate.facilitator.model import Payload, Refused, Requirement, Settlement
from flux.paygate.facilitator.transactions import Draft, balance_call, state_call, transfer_call
from flux.paygate.payment.rules import TRANSFER_TOPIC
from flux.paygate.signing.accounts import checksummed
from flux.paygate.signing.curve import address_of
from flux.settings.paygate import PaygateSettings

log = logging.getLogger("flux.paygate.facilitator")
GAS_MARGIN_PERCENT = 130
TIP_WEI = 1_000_000
NONCE_ATTEMPTS = 3
FIRST_POLL_SECONDS = 0.05
LONGEST_POLL_SECONDS = 1.0
Note = Callable[[str], Awaitable[None]]
"""Told the hash of a settlement before it is broadcast."""


class Facilitator:
    """`address` is None where the operator has configured no key: then nothing is offered over x402."""

    def __init__(self, chains: ChainReader, clock: Clock, settings: PaygateSettings) -> None:
        self._chains = chains
        self._clock = clock
        self._max_gas = settings.facilitator_gas
        self._wait_seconds = settings.facilitator_settle_seconds
        self._key = _private_key(settings.facilitator_key)
        self.address = address_of(self._key) if self._key is not None else None
        self._senders: dict[int, asyncio.Lock] = {}

    def serves(self, chain: Chain) -> bool:
        return (
            self.address is not None
            and bool(chain.rpc_urls)
            and chain.usdc is not None
            and chain.usdc.eip3009
        )

    def supported(self) -> dict[str, Any]:
        """What facilitator clients ask first."""
        kinds: list[dict[str, Any]] = []
        for chain in self._chains.chains:
            if self.serves(chain):
                kinds.append({"x402Version": 2, "scheme": "exact", "network": chain.caip2})
                if chain.v1_name is not None:
                    kinds.append({"x402Version": 1, "scheme": "exact", "network": chain.v1_name})
        signers = {"eip155:*": [checksummed(self.address)]} if self.address is not None else {}
        return {"kinds": kinds, "extensions": [], "signers": signers}

    async def verify(self, payload: Payload, requirement: Requirement) -> None:
        """Everything but the transfer itself. Raises `Refused`, or `ChainFailure`."""
        rules.check_match(payload, requirement)
        rules.check_times(payload, self._clock.now_ms() // 1000)
        own = rules.signed_by_payer(payload, requirement)
        chain, token, payer = requirement.chain, requirement.token.address, payload.payer
        if not own and not await self._chains.has_code(chain, payer):
            raise Refused("invalid_exact_evm_payload_signature", payer=payer)
        code, used, balance = await self._chains.call(
            chain,
            ("eth_getCode", [token, "latest"]),
            _view(token, state_call(payload)),
            _view(token, balance_call(payer)),
        )
        if not self._data(chain, code):
            raise Refused("asset_not_deployed_contract", payer=payer)
        if int.from_bytes(self._data(chain, used), "big"):
            raise Refused("invalid_exact_evm_nonce_already_used", payer=payer)
        if int.from_bytes(self._data(chain, balance), "big") < payload.authorization.value:
            raise Refused("invalid_exact_evm_insufficient_balance", payer=payer)
        await self._simulate(payload, requirement)

    async def settle(
        self, payload: Payload, requirement: Requirement, note: Note | None = None
    ) -> Settlement:
        """Move the money and wait for the receipt. Failures are in the settlement; raises `ChainFailure` only when
        nothing was sent."""
        assert self._key is not None
        chain = requirement.chain
        lock = self._senders.setdefault(chain.chain_id, asyncio.Lock())
        async with lock:
            tx_hash = await self._send(payload, requirement, note)
        if tx_hash is None:
            return self._failed(payload, requirement, "transaction_failed")
        return await self.settled(tx_hash, payload, requirement)

    async def settled(self, tx_hash: str, payload: Payload, requirement: Requirement) -> Settlement:
        """What came of a settlement that was broadcast; `settlement_pending` when time runs out first."""
        deadline = self._clock.monotonic() + self._wait_seconds
        wait = FIRST_POLL_SECONDS
        while True:
            receipt = await self._receipt(requirement.chain, tx_hash)
            if receipt is not None:
                return self._judged(receipt, payload, requirement)
            if self._clock.monotonic() >= deadline:
                return self._failed(payload, requirement, "settlement_pending", tx_hash)
            await asyncio.sleep(wait)
            wait = min(wait * 1.5, LONGEST_POLL_SECONDS)

    async def look(self, tx_hash: str, payload: Payload, requirement: Requirement) -> Settlement | None:
        """What came of a settlement so far; None while it is not mined. Raises `ChainFailure`."""
        [raw] = await self._chains.call(requirement.chain, ("eth_getTransactionReceipt", [tx_hash]))
        try:
            receipt = decoding.receipt(raw)
        except Undecodable:
            raise ChainFailure.nonsense(requirement.chain.name) from None
        if receipt is not None:
            return self._judged(receipt, payload, requirement)
        if payload.authorization.valid_before <= self._clock.now_ms() // 1000:
            # It can not be mined with success any more.
            return self._failed(payload, requirement, "transaction_failed", tx_hash)
        return None

    # -- sending ----------------------------------------------------------------------------------------------

    async def _send(self, payload: Payload, requirement: Requirement, note: Note | None) -> str | None:
        """The hash of the broadcast settlement; None when the chain refuses it."""
        chain, data = requirement.chain, transfer_call(payload)
        sender = {"from": self.address, "to": requirement.token.address, "data": "0x" + data.hex()}
        try:
            gas_raw, block_raw = await self._chains.call(
                chain, ("eth_estimateGas", [sender]), ("eth_getBlockByNumber", ["latest", False])
            )
        except RpcRefused:
            return None
        gas = min(self._quantity(chain, gas_raw) * GAS_MARGIN_PERCENT // 100, self._max_gas)
        base_fee = self._quantity(chain, (block_raw or {}).get("baseFeePerGas", "0x0"))
        for _ in range(NONCE_ATTEMPTS):
            [count] = await self._chains.call(chain, ("eth_getTransactionCount", [self.address, "pending"]))
            draft = Draft(
                chain_id=chain.chain_id,
                nonce=self._quantity(chain, count),
                max_priority_fee=TIP_WEI,
                max_fee=base_fee * 2 + TIP_WEI,
                gas=gas,
                to=requirement.token.address,
                data=data,
            )
            assert self._key is not None
            raw, tx_hash = draft.signed(self._key)
            if note is not None:
                await note(tx_hash)
            try:
                await self._chains.call(chain, ("eth_sendRawTransaction", ["0x" + raw.hex()]))
                return tx_hash
            except RpcRefused as refused:
                # Another process may send from the same key: its nonce, not ours, is then the next.
                if "nonce" not in refused.text.lower() and "already known" not in refused.text.lower():
                    log.error("chain %s refuses a settlement: check the facilitator's gas", chain.name)
                    return None
        return None

    async def _simulate(self, payload: Payload, requirement: Requirement) -> None:
        call = _view(requirement.token.address, transfer_call(payload), self.address)
        try:
            await self._chains.call(requirement.chain, call)
        except RpcRefused:
            raise Refused("invalid_exact_evm_transaction_simulation_failed", payer=payload.payer) from None

    async def _receipt(self, chain: Chain, tx_hash: str) -> Receipt | None:
        try:
            [raw] = await self._chains.call(chain, ("eth_getTransactionReceipt", [tx_hash]))
            return decoding.receipt(raw)
        except (ChainFailure, Undecodable):
            # The transaction is out; a node that stumbles now decides nothing.
            return None

    def _judged(self, receipt: Receipt, payload: Payload, requirement: Requirement) -> Settlement:
        if receipt.status != 1:
            return self._failed(payload, requirement, "invalid_transaction_state", receipt.tx_hash)
        wanted = ("0x" + "0" * 24 + payload.payer[2:], "0x" + "0" * 24 + requirement.pay_to[2:])
        moved = any(
            log.address == requirement.token.address
            and log.topics[:1] == (TRANSFER_TOPIC,)
            and log.topics[1:3] == wanted
            and int.from_bytes(log.data, "big") == requirement.amount
            for log in receipt.logs
        )
        if not moved:
            return self._failed(
                payload, requirement, "invalid_exact_evm_transfer_event_mismatch", receipt.tx_hash
            )
        return Settlement(
            True,
            payload.payer,
            requirement.chain,
            requirement.amount,
            receipt.tx_hash,
            block_number=receipt.block_number,
            block_hash=receipt.block_hash,
        )

    @staticmethod
    def _failed(payload: Payload, requirement: Requirement, reason: str, tx_hash: str = "") -> Settlement:
        return Settlement(False, payload.payer, requirement.chain, requirement.amount, tx_hash, reason)

    @staticmethod
    def _data(chain: Chain, value: Any) -> bytes:
        try:
            return decoding.data_of(value)
        except Undecodable:
            raise ChainFailure.nonsense(chain.name) from None

    @staticmethod
    def _quantity(chain: Chain, value: Any) -> int:
        try:
            return decoding.quantity(value)
        except Undecodable:
            raise ChainFailure.nonsense(chain.name) from None


def _view(to: str, data: bytes, sender: str | None = None) -> tuple[str, list[Any]]:
    call = {"to": to, "data": "0x" + data.hex(), **({"from": sender} if sender else {})}
    return "eth_call", [call, "latest"]


def _private_key(setting: str) -> bytes | None:
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
