"""The check order of a paid call (3.2 of the contract), then reserve → send → settle."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from flux.kernel.faults import FaultError
from flux.kernel.store import Clock
from flux.kernel.wire import Call, Raw, Stream
from flux.paygate.access.turnstile import Turnstile
from flux.paygate.catalogue.service import Quotes
from flux.paygate.chains.registry import Chains, UnknownChain
from flux.paygate.facilitator.model import Requirement
from flux.paygate.facilitator.offers import Offers
from flux.paygate.faults import (
    INVALID_PAYMENT_CHAIN,
    INVALID_SIGNATURE,
    MISSING_PAYMENT_TX,
    MISSING_PAYMENT_TX_X402,
)
from flux.paygate.ledger.model import Funds, Hold, Request, transaction_key
from flux.paygate.ledger.service import Ledger
from flux.paygate.listings.model import CallPlan, Listing, Meaning
from flux.paygate.listings.service import Listings
from flux.paygate.outside.dialer import Outgoing
from flux.paygate.outside.paths import joined
from flux.paygate.payment.rules import Paid, Terms
from flux.paygate.payment.service import Claim, Payments, Proof
from flux.paygate.relay.answers import PAYMENT_REQUIRED
from flux.paygate.relay.collecting import CollectFor, Collector
from flux.paygate.relay.exchange import Exchange, Job
from flux.paygate.relay.headers import Passage, origin_signature, to_target
from flux.paygate.relay.proofs import CHAIN, SIGNATURE, TX, Presented, bad_header, material, presented
from flux.paygate.scalars import new_call_id
from flux.paygate.signing.accounts import checksummed
from flux.paygate.signing.message import Signed
from flux.settings.paygate import PaygateSettings

LEASE_SLACK_MS = 30_000
QUERY_KEPT = 2_000


@dataclass(frozen=True, slots=True)
class Asked:
    """A request whose listing, operation and price are known."""

    call: Call
    plan: CallPlan
    meaning: Meaning
    terms: Terms
    suffix: str
    mount: str
    requirement: Requirement | None
    """What it costs over x402, where that is offered."""

    @property
    def listing(self) -> Listing:
        return self.plan.listing

    @property
    def target(self) -> str:
        """Path and query below the listing, as signed by version 2."""
        query = self.call.query_string
        return f"{self.suffix}?{query}" if query else self.suffix


class Flight:
    """How many paid calls are being served by this process."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.count = 0

    @property
    def full(self) -> bool:
        return self.count >= self.limit


class Relay:
    def __init__(
        self,
        listings: Listings,
        quotes: Quotes,
        offers: Offers,
        collector: Collector,
        payments: Payments,
        ledger: Ledger,
        exchange: Exchange,
        turnstile: Turnstile,
        flight: Flight,
        chains: Chains,
        clock: Clock,
        settings: PaygateSettings,
        api_url: str,
    ) -> None:
        self._listings = listings
        self._quotes = quotes
        self._offers = offers
        self._collector = collector
        self._payments = payments
        self._ledger = ledger
        self._exchange = exchange
        self._turnstile = turnstile
        self._flight = flight
        self._chains = chains
        self._clock = clock
        self._settings = settings
        self._api_url = api_url

    async def serve(self, call: Call, api_id: str, suffix: str, mount: str) -> Raw | Stream:
        """`suffix` is the raw path behind the listing id: empty, or starting with a slash. `mount` is gateway or x402."""
        plan, meaning, terms = await self._quotes.resolve(api_id, call.method, suffix)
        requirement = self._offers.requirement(plan, terms, suffix, mount)
        asked = Asked(call, plan, meaning, terms, suffix, mount, requirement)
        try:
            return await self._paid_call(asked)
        except FaultError as refusal:
            if refusal.fault.status == PAYMENT_REQUIRED:
                raise self._offers.dressed(refusal, requirement) from refusal
            raise

    async def _paid_call(self, asked: Asked) -> Raw | Stream:
        shown = presented(asked.call.header_values)
        own_key = shown.idempotency_key is not None
        if shown.x402 is not None:
            funds, collect = await self._by_x402(asked, *shown.x402)
            return await self._send(asked, funds, own_key=own_key, collect=collect)
        proof = await self._proof(asked, shown)
        paid = await self._paid(asked, proof)
        self._check_wallet(asked.listing, paid.payer)
        funds = Funds(
            key=transaction_key(asked.terms.chain.chain_id, proof.tx_hash),
            flow="direct",
            terms=paid.terms,
            payer=paid.payer,
            paid=paid.amount,
            tx_hash=proof.tx_hash,
            block_number=paid.block_number,
            block_hash=paid.block_hash,
        )
        return await self._send(asked, funds, own_key=own_key)

    async def _by_x402(self, asked: Asked, name: str, value: str) -> tuple[Funds, CollectFor | None]:
        if asked.requirement is None:
            raise bad_header(name, "X-Payment-Tx: this listing does not take x402", "")
        await asked.call.body(self._settings.request_body_bytes)
        found = await self._collector.presented(asked.requirement, asked.listing.id, name, value)
        self._check_wallet(asked.listing, found.funds.payer)
        return found.funds, found.collect

    # -- steps 10 to 18 ---------------------------------------------------------------------------------------

    async def _proof(self, asked: Asked, shown: Presented) -> Proof:
        if shown.tx is None:
            raise self._unpaid(asked, [TX, SIGNATURE] if shown.signature is None else [TX])
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
            body = await asked.call.body(self._settings.request_body_bytes)
            chain_id = asked.terms.chain.chain_id
            proof = replace(proof, signed=Signed(chain_id, asked.call.method, asked.target, body))
        if found.timestamp is not None:
            self._payments.recovered(proof)
        await asked.call.body(self._settings.request_body_bytes)
        return proof

    def _unpaid(self, asked: Asked, missing: list[str]) -> FaultError:
        """401, as the reference has it; 402 where the consumer came to be told so."""
        detail = {"payment": asked.terms.shown()}
        nothing = len(missing) > 1
        wanted = asked.listing.x402
        insists = (
            wanted is not None and wanted.unpaid_status == PAYMENT_REQUIRED and asked.requirement is not None
        )
        if nothing and (asked.mount == "x402" or insists):
            return MISSING_PAYMENT_TX_X402(header=TX, missing=missing, detail=detail)
        headers: dict[str, str] = {}
        if nothing and asked.requirement is not None:
            headers = self._offers.required(asked.requirement, MISSING_PAYMENT_TX.message)
            headers["Link"] = f'<{self._offers.resource(asked.plan, asked.suffix)}>; rel="payment"'
        return MISSING_PAYMENT_TX(header=TX, missing=missing, detail=detail, headers=headers)

    def _check_chain(self, terms: Terms, named: str | None) -> None:
        if named is None:
            return
        try:
            chain = self._chains.recognise(named)
        except UnknownChain:
            raise bad_header(CHAIN, "a chain's name, number or CAIP-2 form", named) from None
        if chain.chain_id != terms.chain.chain_id:
            raise INVALID_PAYMENT_CHAIN(expected=terms.chain.shown(), actual=chain.shown())

    # -- steps 19 to 27 ---------------------------------------------------------------------------------------

    async def _paid(self, asked: Asked, proof: Proof) -> Paid:
        terms, listing = asked.terms, asked.listing
        await self._ledger.check_unspent(transaction_key(terms.chain.chain_id, proof.tx_hash), terms)
        grace = self._payments.grace_ms
        claim = Claim(
            terms=terms,
            offers=lambda block_seconds: asked.plan.offers(asked.meaning, block_seconds, grace),
            listed_at=listing.created_at,
            relayed=listing.allow_relayed_payments,
        )
        return await self._payments.verify(proof, claim)

    def _check_wallet(self, listing: Listing, payer: str) -> None:
        self._turnstile.check_ban("wallet", payer)
        limit = listing.rate_limit
        if limit is not None:
            self._turnstile.pass_window(
                f"listing:{listing.id}", "listing", payer, limit.requests, limit.window_seconds
            )

    # -- steps 28 and 29 --------------------------------------------------------------------------------------

    async def _send(
        self, asked: Asked, funds: Funds, *, own_key: bool, collect: CollectFor | None = None
    ) -> Raw | Stream:
        call, listing = asked.call, asked.listing
        own = asked.meaning.own
        timeout = (own.timeout_seconds if own else None) or listing.timeout_seconds
        body = await call.body(self._settings.request_body_bytes)
        hold = await self._ledger.reserve(funds, self._request(asked, len(body), timeout))
        left = False

        def leave() -> None:
            nonlocal left
            if not left:
                left = True
                self._flight.count -= 1

        self._flight.count += 1
        job: Job | None = None
        try:
            job = Job(
                call=call,
                hold=hold,
                listing=listing,
                outgoing=self._outgoing(asked, hold, body, timeout, own_key=own_key),
                gateway_url=f"{self._api_url}/gateway/{listing.id}",
                leave=leave,
                timeout_seconds=timeout,
                collect=(lambda: collect(hold)) if collect is not None else None,
            )
            return await self._exchange.run(job)
        finally:
            if job is None or not job.live:
                leave()

    def _request(self, asked: Asked, size: int, timeout: float) -> Request:
        listing = asked.listing
        longest = self._settings.connect_seconds + timeout + self._settings.total_seconds
        return Request(
            call_id=new_call_id(self._clock),
            api_id=listing.id,
            api_name=listing.name,
            provider=listing.provider,
            method=asked.call.method,
            path=asked.suffix or "/",
            query=asked.call.query_string[:QUERY_KEPT],
            request_bytes=size,
            lease_ms=round(longest * 1000) + LEASE_SLACK_MS,
            monthly_quota=listing.monthly_quota,
        )

    def _outgoing(self, asked: Asked, hold: Hold, body: bytes, timeout: float, *, own_key: bool) -> Outgoing:
        call, listing = asked.call, asked.listing
        url = joined(listing.endpoint, asked.suffix, call.query_string)
        public = urlsplit(self._api_url)
        passage = Passage(
            request_id=call.request_id,
            call_id=hold.call_id,
            consumer=checksummed(hold.funds.payer),
            payment_hash=hold.funds.tx_hash or "",
            amount=hold.funds.terms.amount,
            currency=hold.funds.terms.currency,
            forwarded_proto=public.scheme,
            forwarded_host=call.header("host") or public.netloc,
            client_ip=call.client_ip if listing.forward_client_ip else None,
            forward_authorization=listing.forward_authorization,
            own_key=own_key,
            secrets=self._listings.upstream_headers(listing),
        )
        headers = to_target(call.scope["headers"], passage)
        at = self._clock.now_ms() // 1000
        target = "/" + url.split("/", 3)[3] if url.count("/") > 2 else _root(url)
        mark = origin_signature(self._listings.secret(listing), at, call.method, target, body)
        headers.append(("X-Gateway-Signature", mark))
        has_body = bool(body) or call.header("content-length") is not None
        return Outgoing(call.method, url, headers, body if has_body else None, timeout)


def _root(url: str) -> str:
    """The request target of a URL without a path."""
    query = url.partition("?")[2]
    return f"/?{query}" if query else "/"
