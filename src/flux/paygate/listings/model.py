"""A listing as it is kept and as the other rooms see it."""

from __future__ import annotations

from typing import Literal

import msgspec

from flux.paygate.amounts import parse_amount, price_units
from flux.paygate.chains.registry import Chain, Chains
from flux.paygate.listings.openapi_rules import Declared
from flux.paygate.listings.templates import Operations
from flux.paygate.payment.rules import Terms

MAX_PRICE_UNITS = 10**18


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """A method and path template below the target; None where the listing's own value holds. Addresses in lower case."""

    method: str
    path: str
    summary: str | None = None
    price: str | None = None
    currency: str | None = None
    chain_id: int | None = None
    recipient: str | None = None
    examples: list[str] = []
    timeout_seconds: float | None = None


class RateLimit(msgspec.Struct, frozen=True, rename="camel"):
    requests: int
    window_seconds: int


class X402(msgspec.Struct, frozen=True, kw_only=True):
    """`amount` is a USDC price, for listings in ether."""

    enabled: bool = True
    amount: str | None = None
    chain_id: int | None = None
    unpaid_status: int | None = None


class Pricing(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a price depends on. `until` (Unix ms) is when it was replaced; None for the one in force."""

    price: str
    currency: str
    chain_id: int
    recipient: str | None
    endpoints: list[Operation] = []
    until: int | None = None


class Listing(msgspec.Struct, frozen=True, kw_only=True):
    """Times in Unix ms, addresses in lower case, prices as canonical decimal strings."""

    id: str
    provider: str
    name: str
    endpoint: str
    price: str
    currency: str
    description: str
    chain_id: int
    recipient: str | None
    status: Literal["active", "disabled"]
    endpoints: list[Operation]
    declared: list[Declared]
    """The operations of the OpenAPI document."""
    has_openapi: bool
    capabilities: list[str]
    tags: list[str]
    category: str | None
    monthly_quota: int | None
    rate_limit: RateLimit | None
    charge_policy: Literal["success", "no-5xx", "always"]
    prepaid_credit: bool
    x402: X402 | None
    validate_json: bool
    timeout_seconds: float
    allow_relayed_payments: bool
    hide_endpoint: bool
    forward_authorization: bool
    forward_set_cookie: bool
    forward_client_ip: bool
    require_signature_version: int | None
    sealed_secret: bytes
    sealed_headers: bytes | None
    history: list[Pricing]
    """Pricings of the last day and a quarter of an hour, newest first."""
    created_at: int
    updated_at: int
    version: int

    @property
    def pricing(self) -> Pricing:
        return Pricing(
            price=self.price,
            currency=self.currency,
            chain_id=self.chain_id,
            recipient=self.recipient,
            endpoints=self.endpoints,
        )

    @property
    def payee(self) -> str:
        return self.recipient or self.provider

    @property
    def etag(self) -> str:
        return f'"{self.id}-{self.version}"'


class Meaning(msgspec.Struct, frozen=True):
    """What a request to a listing is: the declared operation, if any, with its own pricing, if any."""

    method: str
    template: str
    own: Operation | None


ANYTHING = Meaning("*", "/", None)


class CallPlan:
    """A listing compiled for calls: its operations, and what each costs. Built once a version."""

    def __init__(self, listing: Listing, chains: Chains) -> None:
        self.listing = listing
        self._chains = chains
        self._current: dict[tuple[str, str], Terms | None] = {}
        entries = [(op.method, op.path, Meaning(op.method, op.path, op)) for op in listing.endpoints]
        entries += [(op.method, op.path, Meaning(op.method, op.path, None)) for op in listing.declared]
        self._operations: Operations[Meaning] = Operations(entries)

    def chain(self, chain_id: int) -> Chain | None:
        return self._chains.get(chain_id)

    @property
    def available(self) -> list[str]:
        return self._operations.names

    def find(self, method: str, path: str) -> Meaning | None:
        """What the request means; everything is allowed where nothing is declared."""
        return self._operations.find(method, path) if len(self._operations) else ANYTHING

    def meaning(self, method: str, template: str) -> Meaning:
        """An operation by its own name, not by a request."""
        own = (op for op in self.listing.endpoints if (op.method, op.path) == (method, template))
        return Meaning(method, template, next(own, None))

    def terms(self, meaning: Meaning) -> Terms | None:
        """The price in force; None while the operator has its chain or token not configured."""
        known = (meaning.method, meaning.template)
        if known not in self._current:
            self._current[known] = self._terms(self.listing.pricing, meaning.own)
        return self._current[known]

    def offers(self, meaning: Meaning, block_seconds: int, grace_ms: int) -> list[Terms]:
        """The terms in force at any moment of the grace period up to and including the block, newest first.

        A price replaced before that period does not help any more, and one set after it does not help yet.
        """
        if not self.listing.history:
            terms = self.terms(meaning)
            return [terms] if terms is not None else []
        earliest, latest = block_seconds * 1000 - grace_ms, block_seconds * 1000 + 999
        ages = [self.listing.pricing, *self.listing.history]
        begins = [*(pricing.until or 0 for pricing in ages[1:]), 0]
        offers: list[Terms] = []
        chain_id = self._chain_id(ages[0], meaning.own)
        for pricing, began in zip(ages, begins, strict=True):
            if began > latest or (pricing.until is not None and pricing.until < earliest):
                continue
            own = _own(pricing, meaning)
            terms = self._terms(pricing, own) if self._chain_id(pricing, own) == chain_id else None
            if terms is not None and terms not in offers:
                offers.append(terms)
        return offers

    @staticmethod
    def _chain_id(pricing: Pricing, own: Operation | None) -> int:
        return (own.chain_id if own else None) or pricing.chain_id

    def _terms(self, pricing: Pricing, own: Operation | None) -> Terms | None:
        chain = self._chains.get(self._chain_id(pricing, own))
        currency = (own.currency if own else None) or pricing.currency
        if chain is None or currency not in chain.currencies:
            return None
        price = (own.price if own else None) or pricing.price
        recipient = (own.recipient if own else None) or pricing.recipient or self.listing.provider
        return terms_of(chain, currency, price, recipient)


def _own(pricing: Pricing, meaning: Meaning) -> Operation | None:
    """The operation's own pricing as it was then."""
    known = (meaning.method, meaning.template)
    return next((op for op in pricing.endpoints if (op.method, op.path) == known), None)


def terms_of(chain: Chain, currency: str, price: str, recipient: str) -> Terms:
    """Raises `BadPrice` when the price does not fit the currency's decimals."""
    decimals = chain.decimals(currency)
    required = price_units(parse_amount(price), decimals, MAX_PRICE_UNITS)
    return Terms(chain, currency, chain.token_address(currency), decimals, recipient, required)
