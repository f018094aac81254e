"""Facts from the chain and who signed, put before the rules."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
from msgspec.structs import replace

from flux.kernel.faults import FaultError
from flux.kernel.store import Clock
from flux.paygate.access.turnstile import Turnstile
from flux.paygate.chains.nodes import ChainFailure, RpcRefused
from flux.paygate.chains.registry import Chain
from flux.paygate.chains.service import ChainReader, Facts
from flux.paygate.envelope import chain_fault
from flux.paygate.faults import (
    INVALID_PAYMENT_CHAIN,
    INVALID_SIGNATURE,
    INVALID_WALLET,
    PAYMENT_NOT_FOUND,
    SIGNATURE_EXPIRED,
)
from flux.paygate.payment.rules import Paid, Terms, Window, check_mined, check_paid, payers, wrong_signer
from flux.paygate.signing.curve import Unrecoverable, recover
from flux.paygate.signing.message import Freshness, Signed, call_digest, seconds_of, typed_call_digest
from flux.settings.paygate import PaygateSettings

SEARCH_WINDOW = "timestamp-search"
CONTRACTS_ASKED = 3


class Proof(msgspec.Struct, frozen=True):
    """What a consumer presents: `tx_text` as sent, `tx_hash` in lower case; `signature` as r ‖ s ‖ recovery id."""

    api_id: str
    tx_text: str
    tx_hash: str
    signature: bytes
    timestamp: int | None
    signed: Signed | None
    """With signature version 2: what else is covered."""
    client_ip: str
    signers: tuple[tuple[str, bytes], ...] = ()
    """Who signed what, by each reading of the message; empty until the timestamp is known."""

    def digests(self, timestamp: int) -> list[bytes]:
        """Of the hash text as sent, then of its lower-case form."""
        if self.signed is not None:
            return [typed_call_digest(self.api_id, self.tx_hash, timestamp, self.signed)]
        texts = [self.tx_text] if self.tx_text == self.tx_hash else [self.tx_text, self.tx_hash]
        return [call_digest(self.api_id, text, timestamp) for text in texts]


class Claim(msgspec.Struct, frozen=True):
    """What the payment is for: the current terms, those in force at a block's time, and the listing's rules."""

    terms: Terms
    offers: Callable[[int], list[Terms]]
    """From a block's Unix seconds."""
    listed_at: int
    relayed: bool


class Payments:
    def __init__(
        self, chains: ChainReader, clock: Clock, turnstile: Turnstile, settings: PaygateSettings
    ) -> None:
        self._chains = chains
        self._clock = clock
        self._turnstile = turnstile
        self._settings = settings
        self.freshness = Freshness(settings.signature_seconds, settings.signature_skew_seconds)
        self.max_age_ms = round(settings.max_payment_age_hours * 3_600_000)
        self.grace_ms = round(settings.price_grace_minutes * 60_000)

    def check_fresh(self, timestamp: int) -> None:
        """Raises SIGNATURE_EXPIRED."""
        now = self._clock.now_ms() // 1000
        verdict = self.freshness.verdict(timestamp, now)
        if verdict != "fresh":
            detail = {
                "timestamp": timestamp,
                "serverTime": now,
                "ageSeconds": now - seconds_of(timestamp),
                "maxAgeSeconds": self.freshness.max_age,
            }
            raise SIGNATURE_EXPIRED(reason=verdict, detail=detail)

    def recovered(self, proof: Proof) -> list[tuple[str, bytes]]:
        """Who may have signed what, by each reading of the message. Raises INVALID_WALLET when there is nobody."""
        if proof.signers:
            return list(proof.signers)
        assert proof.timestamp is not None
        found: list[tuple[str, bytes]] = []
        for digest in proof.digests(proof.timestamp):
            try:
                found.append((recover(proof.signature, digest), digest))
            except Unrecoverable:
                continue
        if not found:
            raise INVALID_WALLET()
        return found

    def known(self, proof: Proof, chain: Chain) -> bool:
        """Whether the transaction was looked up lately, so that `verify` asks no node about it."""
        return self._chains.remembers(chain, proof.tx_hash)

    async def verify(self, proof: Proof, claim: Claim) -> Paid:
        """Steps 20 to 26 of the check order. Raises the first that fails."""
        chain = claim.terms.chain
        try:
            facts = await self._facts(proof.tx_hash, chain)
            signed = await self._signer(proof, claim, facts)
            check_mined(facts, chain)
            assert facts.block is not None
            assert signed is not None
            if claim.terms.token is not None:
                await self._chains.check_decimals(chain)
        except ChainFailure as failure:
            raise chain_fault(failure, failure.chain) from failure
        window = Window(claim.listed_at, self._clock.now_ms(), self.max_age_ms)
        signer, digest = signed
        paid = check_paid(facts, claim.offers(facts.block.timestamp), signer, window, relayed=claim.relayed)
        depth = chain.finality_depth
        return replace(paid, digest=digest, final=0 < depth < facts.confirmations)

    async def _facts(self, tx_hash: str, chain: Chain) -> Facts:
        facts = await self._chains.facts(chain, tx_hash)
        if facts is not None:
            return facts
        other = await self._chains.elsewhere(chain, tx_hash)
        if other is not None:
            raise INVALID_PAYMENT_CHAIN(expected=chain.shown(), actual=other.shown())
        searched = [
            chain.name,
            *(one.name for one in self._chains.chains if one is not chain and one.rpc_urls),
        ]
        raise PAYMENT_NOT_FOUND(txHash=tx_hash, chain=chain.name, searchedChains=searched)

    async def _signer(self, proof: Proof, claim: Claim, facts: Facts) -> tuple[str, bytes] | None:
        """The payer, proven; None while a relayed payment is not mined and its payer cannot be known."""
        candidates = payers(facts, claim.terms.token, claim.terms.recipient, relayed=claim.relayed)
        if candidates is None:
            return None
        try:
            return await self.signed_by(proof, candidates)
        except FaultError as refusal:
            if not claim.relayed or proof.timestamp is None or refusal.fault is not INVALID_SIGNATURE:
                raise
            contract = await self._contract_of(proof, candidates, claim.terms.chain)
            if contract is None:
                raise
            return contract

    async def _contract_of(
        self, proof: Proof, candidates: set[str], chain: Chain
    ) -> tuple[str, bytes] | None:
        """EIP-1271: a payer that is a contract, and stands by the signature."""
        assert proof.timestamp is not None
        signature = proof.signature[:64] + bytes([proof.signature[64] + 27])
        for address in sorted(candidates)[:CONTRACTS_ASKED]:
            for digest in proof.digests(proof.timestamp):
                try:
                    if await self._chains.contract_signed(chain, address, digest, signature):
                        return address, digest
                except RpcRefused:
                    continue
        return None

    async def signed_by(self, proof: Proof, candidates: set[str]) -> tuple[str, bytes]:
        """Which of the candidates signed, and what. Raises INVALID_SIGNATURE."""
        if proof.timestamp is None:
            return await self._searched(proof, candidates)
        found = self.recovered(proof)
        for signer, digest in found:
            if signer in candidates:
                return signer, digest
        raise wrong_signer(found[0][0])

    async def _searched(self, proof: Proof, candidates: set[str]) -> tuple[str, bytes]:
        """For calls without a timestamp: hundreds of recoveries, so off the loop and not too often in vain."""
        now = self._clock.now_ms() // 1000
        key = f"{SEARCH_WINDOW}:{proof.tx_hash}"
        limit = self._settings.timestamp_searches_per_minute
        self._turnstile.check_noted(key, "ip", proof.client_ip, limit)
        for text in dict.fromkeys((proof.tx_text, proof.tx_hash)):
            found = await asyncio.to_thread(
                self.freshness.search, proof.api_id, text, proof.signature, candidates, now
            )
            if found is not None:
                digest = call_digest(proof.api_id, text, found)
                return recover(proof.signature, digest), digest
        self._turnstile.note(key, proof.client_ip, limit)
        raise wrong_signer(reason="signer_mismatch_or_expired")
