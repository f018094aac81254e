"""From a decoded body to a listing's content: formats first, then what is understood and not acceptable."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Any

import msgspec

from flux.kernel.faults import FaultError
from flux.paygate.amounts import Amount, BadPrice, NotAnAmount, parse_json_amount, price_units
from flux.paygate.chains.registry import CURRENCIES, Chain, Chains, UnknownChain
from flux.paygate.faults import (
    INVALID_CURRENCY,
    INVALID_ENDPOINT,
    INVALID_OPENAPI,
    INVALID_PARAMETER,
    INVALID_PRICE,
)
from flux.paygate.listings.model import X402, Operation, RateLimit
from flux.paygate.listings.openapi_rules import Declared, check_document, declared_operations
from flux.paygate.listings.schemas import ListingBody, OperationBody, X402Body
from flux.paygate.listings.targets import BadTarget, Target, parse_target
from flux.paygate.listings.templates import BadTemplate, normalised

MAX_NAME = 100
_BLANKS = re.compile(r"\s+")
_NO_CAPABILITY = re.compile(r"[^a-z0-9]+")
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*\Z")
_OWN_HEADERS = (
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "expect",
    "te",
    "trailer",
    "upgrade",
)
_OWN_PREFIXES = ("x-gateway-", "proxy-")


@dataclass(frozen=True, slots=True)
class Policy:
    """What the operator's settings allow."""

    chains: Chains
    allow_http: bool
    max_price: int
    openapi_bytes: int


@dataclass(frozen=True, slots=True)
class Content:
    """A body found good: what a listing is made of besides its identity."""

    name: str
    target: Target
    price: str
    currency: str
    chain: Chain
    operations: list[Operation]
    openapi: dict[str, Any] | None
    declared: list[Declared]
    capabilities: list[str]
    rate_limit: RateLimit | None
    x402: X402 | None
    headers: dict[str, str]


def bad_value(param: str, expected: str, received: object, where: str = "body") -> FaultError:
    text = received if isinstance(received, str) else str(received)
    detail = {"in": where, "expected": expected, "received": text[:100]}
    return INVALID_PARAMETER(param=param, detail=detail)


def name_key(name: str) -> str:
    """Two names of a provider are one when they differ in case, width or spacing only."""
    return _BLANKS.sub(" ", unicodedata.normalize("NFKC", name)).strip().casefold()


def judge(body: ListingBody, policy: Policy) -> Content:
    """Raises the first failing step: formats (400) in field order, then semantics (422)."""
    name = _name(body.name)
    try:
        target = parse_target(body.endpoint, allow_http=policy.allow_http)
    except BadTarget as error:
        raise bad_value("endpoint", str(error), body.endpoint) from None
    amount = _amount("pricePerRequest", body.price_per_request)
    chain = _chain("chain", body.chain, policy)
    drafts = _drafts(body.endpoints, chain, policy)
    headers = _headers(body.upstream_headers)
    x402 = _x402(body.x402, policy)
    price, currency = _priced(amount, body.currency, chain, policy)
    operations = [_operation(draft, currency, amount, policy) for draft in drafts]
    document = _document(body.openapi, policy)
    declared = declared_operations(document)
    limit = RateLimit(body.rate_limit.requests, body.rate_limit.window_seconds) if body.rate_limit else None
    return Content(
        name=name,
        target=target,
        price=price,
        currency=currency,
        chain=chain,
        operations=operations,
        openapi=document,
        declared=declared,
        capabilities=_capabilities(body.capabilities, declared),
        rate_limit=limit,
        x402=x402,
        headers=headers,
    )


def _name(text: str) -> str:
    name = text.strip()
    if not 1 <= len(name) <= MAX_NAME or any(unicodedata.category(letter) in ("Cc", "Cs") for letter in name):
        raise bad_value("name", f"1 to {MAX_NAME} characters without control characters", text)
    return name


def _amount(param: str, raw: msgspec.Raw) -> Amount:
    try:
        return parse_json_amount(bytes(raw))
    except NotAnAmount as error:
        raise bad_value(param, str(error), bytes(raw).decode("utf-8", "replace").strip('"')) from None


def _chain(param: str, given: object, policy: Policy, default: Chain | None = None) -> Chain:
    if given is None:
        return default or policy.chains.default
    try:
        chain = policy.chains.find(given)
    except UnknownChain:
        chain = None
    if chain is None:
        names = ", ".join(one.name for one in policy.chains)
        raise bad_value(param, f"one of {names}, its number or its CAIP-2 form", given)
    return chain


@dataclass(frozen=True, slots=True)
class _Draft:
    """An operation whose formats are fine and whose price is not judged yet."""

    body: OperationBody
    path: str
    own: Amount | None
    chain: Chain


def _drafts(bodies: list[OperationBody], chain: Chain, policy: Policy) -> list[_Draft]:
    drafts: list[_Draft] = []
    for index, body in enumerate(bodies):
        at = f"endpoints.{index}"
        raw = body.price_per_request
        drafts.append(
            _Draft(
                body,
                _path(body),
                _amount(f"{at}.pricePerRequest", raw) if bytes(raw) != b"null" else None,
                _chain(f"{at}.chain", body.chain, policy, chain),
            )
        )
    _unique_operations(bodies, [draft.path for draft in drafts])
    return drafts


def _path(operation: OperationBody) -> str:
    try:
        return normalised(operation.path)
    except BadTemplate as error:
        raise INVALID_ENDPOINT(path=operation.path[:100], reason=str(error)) from None


def _unique_operations(operations: list[OperationBody], paths: list[str]) -> None:
    seen: set[tuple[str, str]] = set()
    for index, (operation, path) in enumerate(zip(operations, paths, strict=True)):
        shape = (operation.method, re.sub(r"\{[^}]*\}", "{}", path))
        if shape in seen:
            raise bad_value(f"endpoints.{index}", "each method and path once", f"{operation.method} {path}")
        seen.add(shape)


def _priced(amount: Amount, currency: str, chain: Chain, policy: Policy) -> tuple[str, str]:
    """The sign before the currency, the decimals after it."""
    known = currency.upper() if currency.isascii() else currency
    decimals = chain.decimals(known)
    try:
        if amount.digits <= 0:
            raise BadPrice("not_positive")
        if known not in CURRENCIES or known not in chain.currencies:
            on_chain = {"chain": chain.name} if known in CURRENCIES else {}
            raise INVALID_CURRENCY(currency=currency[:20], supported=list(CURRENCIES), detail=on_chain)
        price_units(amount, decimals, policy.max_price)
    except BadPrice as error:
        raise INVALID_PRICE(pricePerRequest=str(amount), reason=error.reason, maxDecimals=decimals) from None
    return str(amount), known


def _operation(draft: _Draft, currency: str, price: Amount, policy: Policy) -> Operation:
    """An operation's price must fit the currency and chain that hold for it, its own or the listing's."""
    body = draft.body
    shown, effective = _priced(draft.own or price, body.currency or currency, draft.chain, policy)
    return Operation(
        method=body.method,
        path=draft.path,
        summary=body.summary,
        price=shown if draft.own else None,
        currency=effective if body.currency else None,
        chain_id=draft.chain.chain_id if body.chain is not None else None,
        recipient=body.recipient,
        examples=body.examples,
        timeout_seconds=body.timeout_seconds,
    )


def _x402(body: X402Body | None, policy: Policy) -> X402 | None:
    if body is None:
        return None
    chain = _chain("x402.chain", body.chain, policy) if body.chain is not None else None
    amount: str | None = None
    if bytes(body.amount) != b"null":
        found = _amount("x402.amount", body.amount)
        at = chain or policy.chains.default
        if at.usdc is None:
            raise INVALID_CURRENCY(currency="USDC", supported=list(CURRENCIES), detail={"chain": at.name})
        amount, _ = _priced(found, "USDC", at, policy)
    if body.asset is not None:
        at = chain or policy.chains.default
        if at.usdc is None or at.usdc.address != body.asset:
            raise bad_value("x402.asset", "the USDC token of the chain", body.asset)
    return X402(
        enabled=body.enabled,
        amount=amount,
        chain_id=chain.chain_id if chain else None,
        unpaid_status=body.unpaid_status,
    )


def _document(openapi: Any, policy: Policy) -> dict[str, Any] | None:
    if openapi is None:
        return None
    errors = check_document(openapi, policy.openapi_bytes)
    if errors:
        raise INVALID_OPENAPI(errors=errors)
    document: dict[str, Any] = openapi
    return document


def _capabilities(given: list[str], declared: list[Declared]) -> list[str]:
    """Those given, else the operation ids of the document in their spelling."""
    if given:
        return list(dict.fromkeys(given))
    derived = (
        _NO_CAPABILITY.sub("-", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", op.operation_id).lower())
        .strip("-")[:49]
        .strip("-")
        for op in declared
        if op.operation_id
    )
    return list(dict.fromkeys(name for name in derived if name))[:50]


def _headers(given: dict[str, str]) -> dict[str, str]:
    for name, value in given.items():
        lower = name.lower()
        if not _HEADER_NAME.match(name) or lower in _OWN_HEADERS or lower.startswith(_OWN_PREFIXES):
            raise bad_value("upstreamHeaders", "header names other than those the gateway sets", name)
        if not _HEADER_VALUE.match(value):
            # The value is a secret: it is not repeated.
            raise bad_value(f"upstreamHeaders.{name}", "one line of Latin-1", "…")
    return dict(given)
