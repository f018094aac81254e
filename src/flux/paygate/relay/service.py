"""A paid call: the listing, the payment of either family, then reserve → send → settle (3.2 of the contract)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from flux.kernel.faults import FaultError
from flux.kernel.store import Clock
from flux.kernel.wire import Call, Raw, Stream
from flux.paygate.access.turnstile import Turnstile
from flux.paygate.amounts import from_base_units
from flux.paygate.catalogue.service import Quotes, target_unavailable
from flux.paygate.credit.service import Credits
from flux.paygate.facilitator.extensions import Extensions
from flux.paygate.facilitator.model import Requirement
from flux.paygate.facilitator.offers import Offers
from flux.paygate.faults import MISSING_PAYMENT_TX
from flux.paygate.ledger.model import Funds, Request
from flux.paygate.ledger.service import Ledger
from flux.paygate.listings.model import Listing
from flux.paygate.listings.service import Listings
from flux.paygate.outside.breaker import Breakers
from flux.paygate.outside.dialer import Outgoing
from flux.paygate.outside.paths import target_of
from flux.paygate.outside.pool import origin_of
from flux.paygate.relay.answers import PAYMENT_REQUIRED
from flux.paygate.relay.asked import Asked, Bill
from flux.paygate.relay.collecting import Collector
from flux.paygate.relay.direct import Direct
from flux.paygate.relay.exchange import Exchange, Job
from flux.paygate.relay.headers import Passage, origin_signature, to_target
from flux.paygate.relay.naming import named
from flux.paygate.relay.proofs import TX, Presented, bad_header, presented
from flux.paygate.relay.replaying import answer_again
from flux.paygate.relay.unpaid import Unpaid
from flux.paygate.replays.model import Kept, Remembered
from flux.paygate.scalars import new_call_id
from flux.paygate.signing.accounts import checksummed
from flux.settings.paygate import PaygateSettings

QUERY_KEPT = 2_000


class Flight:
    """How many paid calls are being served by this process."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.count = 0

    @property
    def full(self) -> bool:
        return self.count >= self.limit

    def enter(self) -> Callable[[], None]:
        """What to call, once or more often, when the call is over."""
        self.count += 1
        left = False

        def leave() -> None:
            nonlocal left
            if not left:
                left = True
                self.count -= 1

        return leave


class Relay:
    def __init__(
        self,
        listings: Listings,
        quotes: Quotes,
        offers: Offers,
        extensions: Extensions,
        unpaid: Unpaid,
        direct: Direct,
        collector: Collector,
        ledger: Ledger,
        credits: Credits,
        exchange: Exchange,
        breakers: Breakers,
        turnstile: Turnstile,
        flight: Flight,
        clock: Clock,
        settings: PaygateSettings,
        api_url: str,
    ) -> None:
        self._listings = listings
        self._quotes = quotes
        self._offers = offers
        self._extensions = extensions
        self._unpaid = unpaid
        self._direct = direct
        self._collector = collector
        self._ledger = ledger
        self._credits = credits
        self._exchange = exchange
        self._breakers = breakers
        self._turnstile = turnstile
        self._flight = flight
        self._clock = clock
        self._settings = settings
        self._api_url = api_url
        public = urlsplit(api_url)
        self._scheme, self._host = public.scheme, public.netloc

    async def serve(self, call: Call, api_id: str, suffix: str, mount: str) -> Raw | Stream:
        """The answer of the target, or of an earlier call under the same Idempotency-Key. Raises declared faults."""
        plan, meaning, terms = await self._quotes.resolve(api_id, call.method, suffix)
        shown = presented(call.scope["headers"])
        if shown.nothing:
            raise await self._unpaid.refusal(plan, meaning, terms, call.method, mount, suffix)
        shown = named(shown)
        offered: Requirement | None = None

        def required() -> Requirement | None:
            """Made when somebody wants it, and once."""
            nonlocal offered
            offered = offered or self._offers.requirement(plan, terms, suffix, mount)
            return offered

        limit = self._settings.request_body_bytes
        asked = Asked(call, plan, plan.listing, meaning, terms, suffix, mount, required, limit)
        try:
            bill = await self._bill(asked, shown)
            if isinstance(bill, Kept):
                return answer_again(bill)
            await self._check_wallet(asked.listing, bill.funds.payer)
            return await self._send(asked, bill, await asked.remembered(shown.idempotency_key))
        except FaultError as refusal:
            if refusal.fault.status == PAYMENT_REQUIRED and (requirement := required()) is not None:
                extensions = await self._extensions.of(plan, meaning, call.method, mount)
                raise self._offers.dressed(refusal, requirement, extensions) from refusal
            raise

    async def _bill(self, asked: Asked, shown: Presented) -> Bill | Kept:
        if shown.x402 is not None:
            requirement = asked.requirement()
            if requirement is None:
                raise bad_header(shown.x402[0], "X-Payment-Tx: this listing does not take x402", "")
            return await self._collector.bill(asked, requirement, shown)
        if shown.tx is None:
            raise MISSING_PAYMENT_TX(header=TX, missing=[TX], detail={"payment": asked.terms.shown()})
        return await self._direct.bill(asked, shown)

    async def _check_wallet(self, listing: Listing, payer: str) -> None:
        self._turnstile.check_ban("wallet", payer)
        limit = listing.rate_limit
        if limit is not None:
            await self._turnstile.pass_exactly(
                f"listing:{listing.id}", "listing", payer, limit.requests, limit.window_seconds
            )

    # -- steps 28 and 29 --------------------------------------------------------------------------------------

    async def _send(self, asked: Asked, bill: Bill, remembered: Remembered | None) -> Raw | Stream:
        own = asked.meaning.own
        timeout = (own.timeout_seconds if own else None) or asked.listing.timeout_seconds
        body = await asked.body()
        request = self._request(asked, len(body), timeout, remembered)
        outgoing = self._outgoing(asked, bill.funds, request, body, timeout)
        endpoint = asked.listing.endpoint
        seconds = self._breakers.enter(endpoint)
        if seconds is not None:
            raise target_unavailable(seconds)
        connection = self._exchange.ready(endpoint)
        try:
            hold = await self._ledger.reserve(bill.funds, request, dispatched=connection is not None)
        except BaseException:
            self._exchange.spare(connection)
            self._breakers.left(endpoint)
            raise
        collect = bill.collect
        leave = self._flight.enter()
        job = Job(
            call=asked.call,
            hold=hold,
            listing=asked.listing,
            outgoing=outgoing,
            gateway_url=f"{self._api_url}/gateway/{asked.listing.id}",
            leave=leave,
            timeout_seconds=timeout,
            connection=connection,
            dispatched=connection is not None,
            collect=(lambda: collect(hold)) if collect is not None else None,
            remaining=self._remaining(bill.funds, asked) if bill.funds.prepaid is not None else None,
        )
        try:
            return await self._exchange.run(job)
        finally:
            if not job.live:
                leave()

    def _remaining(self, funds: Funds, asked: Asked) -> Callable[[], Awaitable[str]]:
        async def remaining() -> str:
            left = await self._credits.balance(funds.payer, asked.listing.id, funds.terms)
            return str(from_base_units(left, funds.terms.decimals))

        return remaining

    def _request(self, asked: Asked, size: int, timeout: float, remembered: Remembered | None) -> Request:
        listing = asked.listing
        settings = self._settings
        longest = settings.connect_seconds + timeout + settings.total_seconds + settings.lease_slack_seconds
        return Request(
            call_id=new_call_id(self._clock),
            api_id=listing.id,
            api_name=listing.name,
            provider=listing.provider,
            method=asked.call.method,
            path=asked.suffix or "/",
            query=asked.call.query_string[:QUERY_KEPT],
            request_bytes=size,
            lease_ms=round(longest * 1000),
            monthly_quota=listing.monthly_quota,
            remembered=remembered,
        )

    def _outgoing(
        self, asked: Asked, funds: Funds, request: Request, body: bytes, timeout: float
    ) -> Outgoing:
        call, listing = asked.call, asked.listing
        target = target_of(origin_of(listing.endpoint).path, asked.suffix, call.query_string)
        headers = to_target(call.scope["headers"], self._passage(asked, funds, request))
        at = self._clock.now_ms() // 1000
        mark = origin_signature(self._listings.secret(listing), at, call.method, target, body)
        headers.append(("X-Gateway-Signature", mark))
        has_body = bool(body) or call.header("content-length") is not None
        return Outgoing(call.method, listing.endpoint, target, headers, body if has_body else None, timeout)

    def _passage(self, asked: Asked, funds: Funds, request: Request) -> Passage:
        call, listing = asked.call, asked.listing
        return Passage(
            request_id=call.request_id,
            call_id=request.call_id,
            consumer=checksummed(funds.payer),
            payment_hash=funds.tx_hash or "",
            amount=funds.terms.amount,
            currency=funds.terms.currency,
            forwarded_proto=self._scheme,
            forwarded_host=call.header("host") or self._host,
            client_ip=call.client_ip if listing.forward_client_ip else None,
            forward_authorization=listing.forward_authorization,
            own_key=request.remembered is not None,
            secrets=self._listings.upstream_headers(listing),
        )
