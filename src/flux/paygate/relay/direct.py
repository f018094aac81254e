"""The direct family: a transaction the consumer made, and a signature over it. Steps 10 to 27 of the check order."""

from __future__ import annotations

from msgspec.structs import replace

from flux.kernel.faults import FaultError
from flux.paygate.chains.registry import Chains, UnknownChain
from flux.paygate.faults import INVALID_PAYMENT_CHAIN, INVALID_SIGNATURE
from flux.paygate.ledger.model import Funds, PaymentRow, Prepaid, transaction_key
from flux.paygate.ledger.rules import is_spent, refusal
from flux.paygate.ledger.service import Ledger
from flux.paygate.payment.rules import Paid, Terms
from flux.paygate.payment.service import Claim, Payments, Proof
from flux.paygate.relay.asked import Asked, Bill
from flux.paygate.relay.proofs import CHAIN, Presented, bad_header, material
from flux.paygate.replays.model import Kept
from flux.paygate.replays.service import Replays
from flux.paygate.signing.message import Signed
from flux.settings.paygate import PaygateSettings


class Direct:
    def __init__(
        self, payments: Payments, ledger: Ledger, replays: Replays, chains: Chains, settings: PaygateSettings
    ) -> None:
        self._payments = payments
        self._ledger = ledger
        self._replays = replays
        self._chains = chains
        self._settings = settings

    async def bill(self, asked: Asked, shown: Presented) -> Bill | Kept:
        """A verified payment, or the answer this very request got before. Raises declared faults."""
        proof = await self._proof(asked, shown)
        plain = shown.idempotency_key is None and not asked.listing.prepaid_credit
        if plain and self._payments.known(proof, asked.terms.chain):
            return await self._judged_first(asked, proof)
        row = await self._ledger.look(transaction_key(asked.terms.chain.chain_id, proof.tx_hash))
        if shown.idempotency_key is not None:
            kept = await self._kept(asked, proof, row, shown.idempotency_key)
            if kept is not None:
                return kept
        if asked.listing.prepaid_credit:
            return await self._from_credit(asked, proof, row)
        await self._ledger.check_unspent(row, asked.terms)
        paid = await self._verified(asked, proof)
        return Bill(_funds(proof, paid))

    async def _judged_first(self, asked: Asked, proof: Proof) -> Bill:
        """No node needs to be asked, so the ledger need not be either before the reservation does: only a refusal yields
        to what the ledger has to say, which comes earlier in the order of the contract."""
        try:
            return Bill(_funds(proof, await self._verified(asked, proof)))
        except FaultError:
            key = transaction_key(asked.terms.chain.chain_id, proof.tx_hash)
            await self._ledger.check_unspent(await self._ledger.look(key), asked.terms)
            raise

    # -- steps 12 to 18 ---------------------------------------------------------------------------------------

    async def _proof(self, asked: Asked, shown: Presented) -> Proof:
        found = material(shown, timestamp_required=not self._settings.timestamp_search)
        self._check_chain(asked.terms, shown.chain)
        wanted = asked.listing.require_signature_version
        if wanted is not None and wanted != found.version:
            raise INVALID_SIGNATURE(reason="version_required", detail={"version": wanted})
        proof = Proof(
            api_id=asked.listing.id,
            tx_text=found.tx_text,
            tx_hash=found.tx_hash,
            signature=found.signature,
            timestamp=found.timestamp,
            signed=None,
            client_ip=asked.call.client_ip,
        )
        if found.timestamp is not None:
            self._payments.check_fresh(found.timestamp)
        if found.version == 2:
            signed = Signed(asked.terms.chain.chain_id, asked.call.method, asked.target, await asked.body())
            proof = replace(proof, signed=signed)
        if found.timestamp is not None:
            proof = replace(proof, signers=tuple(self._payments.recovered(proof)))
        await asked.body()
        return proof

    def _check_chain(self, terms: Terms, named: str | None) -> None:
        if named is None:
            return
        try:
            chain = self._chains.recognise(named)
        except UnknownChain:
            raise bad_header(CHAIN, "a chain's name, number or CAIP-2 form", named) from None
        if chain.chain_id != terms.chain.chain_id:
            raise INVALID_PAYMENT_CHAIN(expected=terms.chain.shown(), actual=chain.shown())

    # -- steps 19 to 26 ---------------------------------------------------------------------------------------

    async def _kept(self, asked: Asked, proof: Proof, row: PaymentRow | None, key: str) -> Kept | None:
        """Looked up for whoever is proven to have signed; without a timestamp only a known payment tells who that is."""
        remembered = await asked.remembered(key)
        assert remembered is not None
        if proof.timestamp is not None:
            payers = [signer for signer, _ in self._payments.recovered(proof)]
        elif row is not None:
            payers = [(await self._payments.signed_by(proof, {row.payer}))[0]]
        else:
            return None
        return await self._replays.find(asked.listing.id, payers, remembered, asked.terms)

    async def _verified(self, asked: Asked, proof: Proof) -> Paid:
        grace = self._payments.grace_ms
        claim = Claim(
            terms=asked.terms,
            offers=lambda block_seconds: asked.plan.offers(asked.meaning, block_seconds, grace),
            listed_at=asked.listing.created_at,
            relayed=asked.listing.allow_relayed_payments,
        )
        paid = await self._payments.verify(proof, claim)
        if self._settings.strict_orphans:
            await self._ledger.check_orphans(paid.payer, asked.terms)
        return paid

    async def _from_credit(self, asked: Asked, proof: Proof, row: PaymentRow | None) -> Bill:
        """The payment becomes credit the first time it is seen; then each call takes its price from there."""
        deposit: Funds | None = None
        if row is not None and is_spent(row):
            if row.api_id != asked.listing.id:
                raise refusal(row, asked.terms)
            payer, digest = await self._payments.signed_by(proof, {row.payer})
        else:
            paid = await self._verified(asked, proof)
            payer, digest = paid.payer, paid.digest
            deposit = _funds(proof, paid)
        return Bill(
            Funds(
                key="",
                flow="credit",
                terms=asked.terms,
                payer=payer,
                paid=asked.terms.required,
                tx_hash=proof.tx_hash,
                prepaid=Prepaid(digest, deposit),
            )
        )


def _funds(proof: Proof, paid: Paid) -> Funds:
    return Funds(
        key=transaction_key(paid.terms.chain.chain_id, proof.tx_hash),
        flow="direct",
        terms=paid.terms,
        payer=paid.payer,
        paid=paid.amount,
        tx_hash=proof.tx_hash,
        block_number=paid.block_number,
        block_hash=paid.block_hash,
        final=paid.final,
    )
