"""Verifying on chain, and settling with the operator's gas: never the same transfer twice."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from flux.kernel.store import Clock
from flux.paygate.chains import decoding
from flux.paygate.chains.decoding import Receipt, Undecodable
from flux.paygate.chains.nodes import ChainFailure, RpcRefused
from flux.paygate.chains.registry import Chain
from flux.paygate.chains.service import ChainReader
from flux.paygate.facilitator import rules
from flux.paygate.facilitator.model import Payload, Refused, Requirement, Settlement, Transfer
from flux.paygate.facilitator.sender import Note, Sender
from flux.paygate.facilitator.transactions import balance_call, state_call, transfer_call
from flux.paygate.payment.rules import TRANSFER_TOPIC
from flux.paygate.signing.accounts import checksummed
from flux.paygate.signing.typed import address_word
from flux.settings.paygate import PaygateSettings

AUTHORIZATION_USED = "0x98de503528ee59b575ef0c0a2576a82497bfc029a5685b209e9ec333479b10a5"
"""Of `AuthorizationUsed(address,bytes32)`."""
LOGS_BLOCKS = 200
FIRST_POLL_SECONDS = 0.05
LONGEST_POLL_SECONDS = 1.0


class Facilitator:
    """`address` is None where the operator has configured no key: then nothing is offered over x402."""

    def __init__(
        self, chains: ChainReader, clock: Clock, settings: PaygateSettings, sender: Sender | None
    ) -> None:
        self._chains = chains
        self._clock = clock
        self._wait_seconds = settings.facilitator_settle_seconds
        self._sender = sender
        self.address = sender.address if sender is not None else None

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
        await self._chains.check_decimals(chain)
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
        assert self._sender is not None
        chain, token = requirement.chain, requirement.token.address
        transfer = Transfer(_key(payload, requirement), payload.payer, token, transfer_call(payload))
        tx_hash = await self._sender.send(chain, transfer, note)
        if tx_hash is None:
            return self._failed(payload, requirement, "transaction_failed")
        return await self._settled(tx_hash, payload, requirement)

    async def _settled(self, tx_hash: str, payload: Payload, requirement: Requirement) -> Settlement:
        """`settlement_pending` when time runs out first. Its fee is raised on the way, so its hash may change."""
        assert self._sender is not None
        deadline = self._clock.monotonic() + self._wait_seconds
        wait, hashes = FIRST_POLL_SECONDS, [tx_hash]
        while True:
            try:
                [receipt] = await self._receipts(requirement.chain, [hashes])
            except ChainFailure:
                # The transaction is out; a node that stumbles now decides nothing.
                receipt = None
            if receipt is not None:
                return self._judged(receipt, payload, requirement)
            if self._clock.monotonic() >= deadline:
                return self._failed(payload, requirement, "settlement_pending", hashes[0])
            await self._sender.hurry(requirement.chain)
            tries = await self._sender.tries(_key(payload, requirement))
            hashes = next((found for found in tries if tx_hash in found), hashes)
            await asyncio.sleep(wait)
            wait = min(wait * 1.5, LONGEST_POLL_SECONDS)

    async def sent(self, payload: Payload, requirement: Requirement) -> list[list[str]]:
        """What was broadcast to settle this payment, newest first; see `Sender.tries`."""
        return await self._sender.tries(_key(payload, requirement)) if self._sender is not None else []

    async def look(
        self, tries: Sequence[Sequence[str]], payload: Payload, requirement: Requirement
    ) -> Settlement | None:
        """What came of a settlement so far; None while the newest try is not mined. Raises `ChainFailure`."""
        newest, *_ = receipts = await self._receipts(requirement.chain, tries)
        done = next((one for one in receipts if one is not None and one.status == 1), newest)
        if done is not None:
            return self._judged(done, payload, requirement)
        if payload.authorization.valid_before <= self._clock.now_ms() // 1000:
            # It can not be mined with success any more.
            return self._failed(payload, requirement, "transaction_failed", tries[0][0])
        return None

    async def moved_by_another(self, payload: Payload, requirement: Requirement) -> Settlement | None:
        """Anyone who saw an authorisation can broadcast it. It was unused when the call was verified: if it has moved
        the money since, the consumer has paid, whoever sent it. None also while the chain cannot be asked."""
        chain = requirement.chain
        try:
            wanted = {
                "address": requirement.token.address,
                "fromBlock": hex(max(0, await self._chains.head(chain) - LOGS_BLOCKS)),
                "toBlock": "latest",
                "topics": [
                    AUTHORIZATION_USED,
                    "0x" + address_word(payload.payer).hex(),
                    "0x" + payload.authorization.nonce.hex(),
                ],
            }
            [logs] = await self._chains.call(chain, ("eth_getLogs", [wanted]))
            entries = [one for one in logs if isinstance(one, dict)] if isinstance(logs, list) else []
            hashes = [str(one.get("transactionHash", "")).lower() for one in entries]
            if not hashes:
                return None
            [receipt] = await self._receipts(chain, [hashes])
        except ChainFailure:
            return None
        found = self._judged(receipt, payload, requirement) if receipt is not None else None
        return found if found is not None and found.success else None

    # -- asking the chain -------------------------------------------------------------------------------------

    async def _simulate(self, payload: Payload, requirement: Requirement) -> None:
        call = _view(requirement.token.address, transfer_call(payload), self.address)
        try:
            await self._chains.call(requirement.chain, call)
        except RpcRefused:
            raise Refused("invalid_exact_evm_transaction_simulation_failed", payer=payload.payer) from None

    async def _receipts(self, chain: Chain, tries: Sequence[Sequence[str]]) -> list[Receipt | None]:
        """The one receipt of each of the tries. Raises `ChainFailure`."""
        wanted = [("eth_getTransactionReceipt", [tx_hash]) for hashes in tries for tx_hash in hashes]
        try:
            found = [decoding.receipt(raw) for raw in await self._chains.call(chain, *wanted)]
        except Undecodable:
            raise ChainFailure.nonsense(chain.name) from None
        mined = {receipt.tx_hash: receipt for receipt in found if receipt is not None}
        return [next((mined[one] for one in hashes if one in mined), None) for hashes in tries]

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


def _key(payload: Payload, requirement: Requirement) -> str:
    return payload.key(requirement.chain.chain_id, requirement.token.address)


def _view(to: str, data: bytes, sender: str | None = None) -> tuple[str, list[Any]]:
    call = {"to": to, "data": "0x" + data.hex(), **({"from": sender} if sender else {})}
    return "eth_call", [call, "latest"]
