"""How a listing looks from outside."""

from __future__ import annotations

from typing import Any

from flux.kernel.store import iso
from flux.paygate.chains.registry import Chains
from flux.paygate.listings.model import Listing, Operation
from flux.paygate.signing.accounts import checksummed

MASK = "********"
NO_STATS = {"calls": 0, "uniqueConsumers": 0, "successRate": None, "p50LatencyMs": None}


class ListingViews:
    """`viewer` is the logged-in wallet, which sees more of its own listings."""

    def __init__(self, chains: Chains, api_url: str) -> None:
        self._chains = chains
        self._api_url = api_url

    def gateway_url(self, listing: Listing) -> str:
        return f"{self._api_url}/gateway/{listing.id}"

    def endpoint(self, listing: Listing, viewer: str | None) -> str:
        """The target, unless its provider hides it from everyone else."""
        hidden = listing.hide_endpoint and viewer != listing.provider
        return self.gateway_url(listing) if hidden else listing.endpoint

    def chain_name(self, chain_id: int) -> str:
        chain = self._chains.get(chain_id)
        return chain.name if chain is not None else str(chain_id)

    def summary(self, listing: Listing, viewer: str | None, stats: dict[str, Any] | None) -> dict[str, Any]:
        view: dict[str, Any] = {
            "id": listing.id,
            "name": listing.name,
            "provider": checksummed(listing.provider),
            "pricePerRequest": listing.price,
            "currency": listing.currency,
            "endpoint": self.endpoint(listing, viewer),
            "description": listing.description,
            "chain": self.chain_name(listing.chain_id),
            "chainId": listing.chain_id,
            "recipient": checksummed(listing.payee),
            "status": listing.status,
            "endpoints": [self.operation(operation) for operation in listing.endpoints],
            "capabilities": listing.capabilities,
            "tags": listing.tags,
            "category": listing.category,
            "monthlyQuota": listing.monthly_quota,
            "rateLimit": _rate_limit(listing),
            "chargePolicy": listing.charge_policy,
            "prepaidCredit": listing.prepaid_credit,
            "x402": self._x402(listing),
            "validateJson": listing.validate_json,
            "timeoutSeconds": _number(listing.timeout_seconds),
            "allowRelayedPayments": listing.allow_relayed_payments,
            "hideEndpoint": listing.hide_endpoint,
            "forwardAuthorization": listing.forward_authorization,
            "forwardSetCookie": listing.forward_set_cookie,
            "forwardClientIp": listing.forward_client_ip,
            "requireSignatureVersion": listing.require_signature_version,
            "gatewayUrl": self.gateway_url(listing),
            "stats": stats or NO_STATS,
            "createdAt": iso(listing.created_at),
            "updatedAt": iso(listing.updated_at),
        }
        if viewer == listing.provider:
            view["listingSecret"] = MASK
            view["upstreamHeaders"] = MASK if listing.sealed_headers is not None else None
        return view

    def operation(self, operation: Operation) -> dict[str, Any]:
        """Only what the operation says itself."""
        view: dict[str, Any] = {"method": operation.method, "path": operation.path}
        if operation.summary is not None:
            view["summary"] = operation.summary
        if operation.price is not None:
            view["pricePerRequest"] = operation.price
        if operation.currency is not None:
            view["currency"] = operation.currency
        if operation.chain_id is not None:
            view["chain"], view["chainId"] = self.chain_name(operation.chain_id), operation.chain_id
        if operation.recipient is not None:
            view["recipient"] = checksummed(operation.recipient)
        if operation.examples:
            view["examples"] = operation.examples
        if operation.timeout_seconds is not None:
            view["timeoutSeconds"] = _number(operation.timeout_seconds)
        return view

    def writable(self, listing: Listing, openapi: dict[str, Any] | None) -> dict[str, Any]:
        """What a PUT that changes nothing would send: the ground a patch is laid on."""
        operations = []
        for operation in listing.endpoints:
            view = self.operation(operation)
            if "chain" in view:
                view["chain"] = view.pop("chainId")
            operations.append(view)
        given: dict[str, Any] = {
            "name": listing.name,
            "endpoint": listing.endpoint,
            "pricePerRequest": listing.price,
            "currency": listing.currency,
            "description": listing.description,
            "openapi": openapi,
            "chain": listing.chain_id,
            "recipient": listing.recipient,
            "status": listing.status,
            "endpoints": operations,
            "capabilities": listing.capabilities,
            "tags": listing.tags,
            "category": listing.category,
            "monthlyQuota": listing.monthly_quota,
            "rateLimit": _rate_limit(listing),
            "chargePolicy": listing.charge_policy,
            "prepaidCredit": listing.prepaid_credit,
            "x402": self._x402(listing, number=True),
            "validateJson": listing.validate_json,
            "timeoutSeconds": listing.timeout_seconds,
            "allowRelayedPayments": listing.allow_relayed_payments,
            "hideEndpoint": listing.hide_endpoint,
            "forwardAuthorization": listing.forward_authorization,
            "forwardSetCookie": listing.forward_set_cookie,
            "forwardClientIp": listing.forward_client_ip,
            "requireSignatureVersion": listing.require_signature_version,
        }
        return {name: value for name, value in given.items() if value is not None}

    def _x402(self, listing: Listing, *, number: bool = False) -> dict[str, Any] | None:
        if listing.x402 is None:
            return None
        view: dict[str, Any] = {"enabled": listing.x402.enabled}
        if listing.x402.amount is not None:
            view["amount"] = listing.x402.amount
        if listing.x402.chain_id is not None:
            view["chain"] = listing.x402.chain_id if number else self.chain_name(listing.x402.chain_id)
        if listing.x402.unpaid_status is not None:
            view["unpaidStatus"] = listing.x402.unpaid_status
        return view


def _rate_limit(listing: Listing) -> dict[str, int] | None:
    limit = listing.rate_limit
    return {"requests": limit.requests, "windowSeconds": limit.window_seconds} if limit else None


def _number(seconds: float) -> float | int:
    return int(seconds) if seconds == int(seconds) else seconds
