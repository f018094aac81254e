"""Quotes: the relay's own checks up to the price, without a payment."""

from __future__ import annotations

from flux.kernel.faults import FaultError
from flux.kernel.store import Clock
from flux.paygate.access.service import Providers
from flux.paygate.faults import (
    API_DISABLED,
    BLOCKCHAIN_UNAVAILABLE,
    ENDPOINT_NOT_FOUND,
    INVALID_ENDPOINT,
    SERVICE_UNAVAILABLE,
)
from flux.paygate.listings.model import CallPlan, Meaning
from flux.paygate.listings.service import Listings
from flux.paygate.outside.breaker import Breakers
from flux.paygate.outside.paths import path_fault
from flux.paygate.payment.rules import Terms
from flux.settings.paygate import PaygateSettings

AVAILABLE_SHOWN = 20
RETRY_SECONDS = 5


class Quotes:
    def __init__(
        self,
        listings: Listings,
        providers: Providers,
        breakers: Breakers,
        clock: Clock,
        settings: PaygateSettings,
    ) -> None:
        self._breakers = breakers
        self._listings = listings
        self._providers = providers
        self._clock = clock
        self._grace_ms = round(settings.price_grace_minutes * 60_000)
        self.max_age_seconds = round(settings.max_payment_age_hours * 3600)

    async def plan(self, api_id: str) -> CallPlan:
        return await self._listings.plan(api_id)

    async def resolve(self, api_id: str, method: str, suffix: str) -> tuple[CallPlan, Meaning, Terms]:
        """Steps 5 to 9 of a paid call, and that the target is not known to be down: who has not paid yet should not.
        `suffix` as sent: empty, or starting with a slash."""
        plan = await self._listings.plan(api_id)
        listing = plan.listing
        await self._providers.check(listing.provider)
        if listing.status != "active":
            raise API_DISABLED(apiId=listing.id)
        reason = path_fault(suffix)
        if reason is not None:
            raise INVALID_ENDPOINT(path=suffix[:100], reason=reason)
        meaning = plan.find(method, suffix or "/")
        if meaning is None:
            available = {"available": plan.available[:AVAILABLE_SHOWN]}
            raise ENDPOINT_NOT_FOUND(method=method, path=suffix or "/", detail=available)
        terms = plan.terms(meaning)
        if terms is None:
            # The operator has taken the listing's chain or token out of the settings.
            raise BLOCKCHAIN_UNAVAILABLE(
                chain=str(listing.chain_id),
                reason="not_configured",
                seconds=RETRY_SECONDS,
                detail={"retryable": False},
            )
        seconds = self._breakers.wait(listing.endpoint)
        if seconds is not None:
            raise target_unavailable(seconds)
        return plan, meaning, terms

    async def quote(self, api_id: str, method: str, path: str) -> tuple[CallPlan, Terms, int]:
        """The plan, the terms, and until when a payment at them is certainly accepted (Unix ms)."""
        if path and not path.startswith("/"):
            raise INVALID_ENDPOINT(path=path[:100], reason="bad_template")
        plan, _, terms = await self.resolve(api_id, method.upper(), "" if path == "/" else path)
        return plan, terms, self._clock.now_ms() + self._grace_ms


def target_unavailable(seconds: int) -> FaultError:
    """The listing's target failed too often lately, and is not called for a while."""
    return SERVICE_UNAVAILABLE(reason="target_unavailable", seconds=seconds)
