"""What a listing asks for over x402, and how an unpaid answer says so to clients of either version."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from flux.kernel.faults import FaultError
from flux.paygate.chains.registry import Chain
from flux.paygate.facilitator.extensions import NAMES
from flux.paygate.facilitator.model import EXACT, Requirement
from flux.paygate.facilitator.payloads import encoded
from flux.paygate.facilitator.schemas import ResourcesQuery
from flux.paygate.facilitator.service import Facilitator
from flux.paygate.listings.model import ANYTHING, CallPlan, Meaning, terms_of
from flux.paygate.payment.rules import Terms

REQUIRED = "PAYMENT-REQUIRED"
MIME_TYPE = "application/json"
DESCRIPTION_KEPT = 300
CAPACITY = 2_000


class Offers:
    """USDC prices are offered by themselves, ether prices where the listing names an amount in USDC."""

    def __init__(self, facilitator: Facilitator, api_url: str) -> None:
        self._facilitator = facilitator
        self._api_url = api_url
        self._offered: dict[tuple[int, int], tuple[CallPlan, Terms, Terms | None]] = {}

    def terms(self, plan: CallPlan, terms: Terms) -> Terms | None:
        """What a call costs over x402; None where it is not offered. Found once for a plan and its terms."""
        key = (id(plan), id(terms))
        known = self._offered.get(key)
        # Both are kept beside the answer, so that their ids are theirs for as long as it is kept.
        if known is None or known[0] is not plan or known[1] is not terms:
            if len(self._offered) >= CAPACITY:
                self._offered.clear()
            known = self._offered[key] = (plan, terms, self._find(plan, terms))
        return known[2]

    def _find(self, plan: CallPlan, terms: Terms) -> Terms | None:
        wanted = plan.listing.x402
        if wanted is not None and not wanted.enabled:
            return None
        offered: Terms | None = terms
        if wanted is not None and wanted.amount is not None:
            chain = plan.chain(wanted.chain_id or terms.chain.chain_id)
            if chain is None or chain.usdc is None:
                return None
            offered = terms_of(chain, "USDC", wanted.amount, terms.recipient)
        if offered is None or offered.token is None or not self._facilitator.serves(offered.chain):
            return None
        return offered

    def requirement(
        self, plan: CallPlan, terms: Terms, suffix: str, mount: str = "x402"
    ) -> Requirement | None:
        offered = self.terms(plan, terms)
        if offered is None or offered.chain.usdc is None:
            return None
        return Requirement(
            chain=offered.chain,
            token=offered.chain.usdc,
            amount=offered.required,
            pay_to=offered.recipient,
            resource=self.resource(plan, suffix, mount),
            description=plan.listing.description[:DESCRIPTION_KEPT] or plan.listing.name,
            mime_type=MIME_TYPE,
        )

    def resource(self, plan: CallPlan, suffix: str, mount: str = "x402") -> str:
        return f"{self._api_url}/{mount}/{plan.listing.id}{suffix}"

    def networks(self, chains: Iterable[Chain], query: ResourcesQuery) -> list[int]:
        """The chains on which there may be what the query asks for."""
        asked = ((query.type, ("http",)), (query.scheme, (EXACT,)), (query.extensions, NAMES))
        if any(word is not None and word not in known for word, known in asked):
            return []
        served = [chain for chain in chains if self._facilitator.serves(chain)]
        return [one.chain_id for one in served if query.network in (None, one.caip2, one.v1_name)]

    def item(self, plan: CallPlan, meaning: Meaning) -> dict[str, Any] | None:
        """One thing in the bazaar; None where the operator does not take x402 for it."""
        terms = plan.terms(meaning)
        suffix = meaning.template if meaning.template != "/" else ""
        requirement = self.requirement(plan, terms, suffix) if terms is not None else None
        if requirement is None:
            return None
        listing = plan.listing
        metadata = {"name": listing.name, "description": listing.description, "apiId": listing.id}
        if meaning.method != ANYTHING.method:
            metadata["method"] = meaning.method
        return {
            "resource": requirement.resource,
            "type": "http",
            "x402Version": 2,
            "accepts": [requirement.v2()],
            "lastUpdated": listing.updated_at // 1000,
            "description": requirement.description,
            "mimeType": requirement.mime_type,
            "serviceName": listing.name,
            "tags": listing.tags,
            "metadata": metadata,
        }

    def required(self, requirement: Requirement, error: str, extensions: msgspec.Raw) -> dict[str, str]:
        """The header that clients of version 2 read."""
        resource = {
            "url": requirement.resource,
            "description": requirement.description,
            "mimeType": requirement.mime_type,
        }
        required = {
            "x402Version": 2,
            "error": error,
            "resource": resource,
            "accepts": [requirement.v2()],
            "extensions": extensions,
        }
        return {REQUIRED: encoded(required)}

    def dressed(self, error: FaultError, requirement: Requirement, extensions: msgspec.Raw) -> FaultError:
        """A 402 with both forms: the header of version 2, and version 1 in the body beside the envelope."""
        first = requirement.v1()
        extra: dict[str, Any] = {"x402Version": 1, "accepts": [first]} if first is not None else {}
        headers = {**self.required(requirement, error.message, extensions), "Cache-Control": "no-store"}
        return FaultError(
            error.fault,
            error.params,
            error.detail,
            {**error.extra, **extra},
            {**headers, **error.extra_headers},
        )
