"""Finding listings, and learning what a call costs and how to make it."""

from __future__ import annotations

import math
from typing import Any

from flux.kernel.store import iso
from flux.kernel.wire import Call, Reply, Routes
from flux.paygate.amounts import NotAnAmount, parse_amount
from flux.paygate.catalogue import agents, openapi
from flux.paygate.catalogue.schemas import CatalogueQuery, QuoteQuery
from flux.paygate.catalogue.service import Quotes
from flux.paygate.chains.registry import CURRENCIES, Chains, UnknownChain
from flux.paygate.facilitator.offers import Offers
from flux.paygate.faults import (
    API_DISABLED,
    API_NOT_FOUND,
    BLOCKCHAIN_UNAVAILABLE,
    ENDPOINT_NOT_FOUND,
    INVALID_ENDPOINT,
    INVALID_PARAMETER,
    MISSING_PARAMETER,
    PROVIDER_BLOCKED,
)
from flux.paygate.listings.model import CallPlan, Meaning
from flux.paygate.listings.rules import bad_value
from flux.paygate.listings.service import Listings, price_key
from flux.paygate.listings.views import ListingViews
from flux.paygate.payment.rules import Terms
from flux.paygate.replies import not_modified, viewer
from flux.paygate.scalars import ApiId
from flux.paygate.signing.accounts import checksummed
from flux.paygate.words import API, OPEN
from flux.settings.paygate import PaygateSettings

routes = Routes(tag="catalogue", prefix=API)


@routes.get("/apis", auth=OPEN, raises=[INVALID_PARAMETER])
async def list_apis(call: Call, query: CatalogueQuery) -> dict[str, Any]:
    """Search the catalogue."""
    filters = _filters(call, query)
    offset = (query.page - 1) * query.limit
    rows, total = await call.use(Listings).search(filters, query.search, query.sort, query.limit, offset)
    views, who = call.use(ListingViews), viewer(call)
    return {
        "apis": [views.summary(listing, who, stats) for listing, stats in rows],
        "total": total,
        "page": query.page,
        "limit": query.limit,
        "pages": math.ceil(total / query.limit),
    }


def _filters(call: Call, query: CatalogueQuery) -> dict[str, Any]:
    """Raises INVALID_PARAMETER for what the types cannot say."""
    filters: dict[str, Any] = {}
    if query.currency is not None:
        filters["currency"] = query.currency.upper()
        if filters["currency"] not in CURRENCIES:
            raise bad_value("currency", f"one of {', '.join(CURRENCIES)}", query.currency, "query")
    if query.chain is not None:
        try:
            filters["chain_id"] = call.use(Chains).recognise(query.chain).chain_id
        except UnknownChain:
            raise bad_value("chain", "a chain's name, number or CAIP-2 form", query.chain, "query") from None
    if query.provider is not None:
        filters["provider"] = str(query.provider)
    if query.category is not None:
        filters["category"] = query.category
    if query.tag is not None:
        filters["tag"] = query.tag.casefold()
    if query.max_price is not None:
        try:
            highest = parse_amount(query.max_price)
            if highest.digits < 0:
                raise NotAnAmount("a decimal string that is not negative")
        except NotAnAmount as error:
            raise bad_value("maxPrice", str(error), query.max_price, "query") from None
        filters["max_price"] = price_key(str(highest))
    return filters


@routes.get("/apis/{api_id}/discovery", auth=OPEN, raises=[API_NOT_FOUND])
async def discover(call: Call, api_id: ApiId) -> Reply:
    """What a program needs to call this API."""
    plan = await call.use(Quotes).plan(api_id)
    listing = plan.listing
    cached = not_modified(call, listing.etag)
    if cached is not None:
        return cached
    settings, views = call.use(PaygateSettings), call.use(ListingViews)
    terms = plan.terms(Meaning("*", "/", None))
    shown = terms.shown() if terms is not None else {}
    view = {
        "id": listing.id,
        "name": listing.name,
        "description": listing.description,
        "pricePerRequest": listing.price,
        "currency": listing.currency,
        "provider": checksummed(listing.provider),
        "openapi": await call.use(Listings).openapi(listing),
        "agentInfo": {
            "capabilities": listing.capabilities,
            "requiredHeaders": agents.required_headers(timestamp=not settings.timestamp_search),
        },
        "status": listing.status,
        "chain": views.chain_name(listing.chain_id),
        "chainId": listing.chain_id,
        "recipient": checksummed(listing.payee),
        "decimals": shown.get("decimals"),
        "tokenAddress": shown.get("tokenAddress"),
        "amountBaseUnits": shown.get("amountBaseUnits"),
        "gatewayUrl": views.gateway_url(listing),
        "timestampHeader": "X-Timestamp",
        "signing": _signing(call, plan),
        "x402": _x402(call, plan, terms),
    }
    return Reply(view, headers={"ETag": listing.etag})


@routes.get("/apis/{api_id}/openapi", auth=OPEN, raises=[API_NOT_FOUND])
async def show_openapi(call: Call, api_id: ApiId) -> Reply:
    """The API's OpenAPI document, with prices."""
    plan = await call.use(Quotes).plan(api_id)
    cached = not_modified(call, plan.listing.etag)
    if cached is not None:
        return cached
    document = await call.use(Listings).openapi(plan.listing)
    server = call.use(ListingViews).gateway_url(plan.listing)

    def priced(meaning: Meaning) -> dict[str, Any] | None:
        terms = plan.terms(meaning)
        return agents.pricing(terms) if terms is not None else None

    return Reply(openapi.enriched(plan, document, server, priced), headers={"ETag": plan.listing.etag})


@routes.get("/apis/{api_id}/agent-info", auth=OPEN, raises=[API_NOT_FOUND])
async def show_agent_info(call: Call, api_id: ApiId) -> dict[str, Any]:
    """How an agent pays for and calls this API, with code."""
    plan = await call.use(Quotes).plan(api_id)
    listing, chains = plan.listing, call.use(Chains)
    rows = agents.chain_rows(chains)
    return {
        "api": {
            "id": listing.id,
            "name": listing.name,
            "description": listing.description,
            "status": listing.status,
        },
        "capabilities": agents.capabilities(plan),
        "howToUse": agents.how_to_use(listing, plan, call.use(ListingViews).gateway_url(listing)),
        "signing": _signing(call, plan),
        "supportedChains": [row["name"] for row in rows],
        "supportedTokens": list(CURRENCIES),
        "chains": rows,
        "errors": agents.error_actions(),
    }


@routes.get(
    "/apis/{api_id}/quote",
    auth=OPEN,
    raises=[
        API_NOT_FOUND, PROVIDER_BLOCKED, API_DISABLED, MISSING_PARAMETER, INVALID_PARAMETER, INVALID_ENDPOINT,
        ENDPOINT_NOT_FOUND, BLOCKCHAIN_UNAVAILABLE,
    ],
)  # fmt: skip
async def show_quote(call: Call, api_id: ApiId, query: QuoteQuery) -> dict[str, Any]:
    """Exactly what one call costs; fails where the call would, before anybody pays."""
    quotes = call.use(Quotes)
    plan, terms, expires_at = await quotes.quote(api_id, query.method, query.path)
    requirement = call.use(Offers).requirement(plan, terms, query.path)
    return {
        "apiId": api_id,
        "method": query.method.upper(),
        "path": query.path,
        **terms.shown(),
        "minConfirmations": terms.chain.min_confirmations,
        "maxPaymentAgeSeconds": quotes.max_age_seconds,
        "expiresAt": iso(expires_at),
        "x402": [requirement.v2()] if requirement is not None else None,
    }


def _x402(call: Call, plan: CallPlan, terms: Terms | None) -> dict[str, Any] | None:
    offers = call.use(Offers)
    if terms is None or offers.terms(plan, terms) is None:
        return None
    return {"versions": [1, 2], "url": offers.resource(plan, "")}


def _signing(call: Call, plan: CallPlan) -> dict[str, Any]:
    settings = call.use(PaygateSettings)
    return agents.signing(
        max_age=settings.signature_seconds,
        skew=settings.signature_skew_seconds,
        required=plan.listing.require_signature_version,
    )
