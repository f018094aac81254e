"""Totals for a wallet, and the series of a listing."""

from __future__ import annotations

import asyncio
from typing import Any

from flux.kernel.store import Clock, iso
from flux.paygate.amounts import from_base_units
from flux.paygate.chains.registry import CURRENCIES, Chains
from flux.paygate.credit.service import Credits
from flux.paygate.dashboard.schemas import AnalyticsQuery
from flux.paygate.history import analytics
from flux.paygate.history.service import History
from flux.paygate.listings.rules import bad_value
from flux.paygate.listings.service import Listings
from flux.paygate.outside.breaker import Breakers
from flux.paygate.signing.accounts import checksummed

DAYS_SHOWN = 30
MAX_RANGE_DAYS = 92
DEFAULT_RANGE_DAYS = 30


class Dashboard:
    def __init__(
        self,
        clock: Clock,
        chains: Chains,
        listings: Listings,
        history: History,
        credits: Credits,
        breakers: Breakers,
    ) -> None:
        self._breakers = breakers
        self._clock = clock
        self._listings = listings
        self._history = history
        self._credits = credits
        self._decimals = {
            (chain.name, currency): chain.decimals(currency) for chain in chains for currency in CURRENCIES
        }
        self._names = {chain.chain_id: chain.name for chain in chains}

    async def of(self, wallet: str) -> dict[str, Any]:
        sold = await self._history.sales(provider=wallet)
        spent = await self._history.sales(consumer=wallet)
        apis, active = await self._listings.counts(wallet)
        since = self._clock.now_ms() - DAYS_SHOWN * analytics.DAY_MS
        recent = [sale for sale in sold if sale.at >= since]
        return {
            "address": checksummed(wallet),
            "asProvider": {
                "apis": apis,
                "activeApis": active,
                "calls": len(sold),
                "revenue": analytics.totals(sold, self._decimals),
                "last30Days": analytics.daily(recent, self._decimals),
            },
            "asConsumer": {
                "calls": len(spent),
                "spent": analytics.totals(spent, self._decimals),
                "credits": await self._shown_credits(wallet),
            },
        }

    async def series(self, api_id: str, wallet: str, query: AnalyticsQuery) -> dict[str, Any]:
        """For the listing's owner. Raises INVALID_PARAMETER for a range that is too long or runs backwards."""
        listing = await self._listings.owned(api_id, wallet)
        now = self._clock.now_ms()
        until = int(query.until) if query.until is not None else now
        since = int(query.since) if query.since is not None else until - DEFAULT_RANGE_DAYS * analytics.DAY_MS
        if not 0 <= until - since <= MAX_RANGE_DAYS * analytics.DAY_MS:
            raise bad_value("from", f"a range of at most {MAX_RANGE_DAYS} days", iso(max(0, since)), "query")
        sales = await self._history.sales(api_id=listing.id, since=since, until=until)
        bucket = analytics.HOUR_MS if query.bucket == "hour" else analytics.DAY_MS
        rows, tops = await asyncio.to_thread(
            lambda: (analytics.series(sales, bucket, self._decimals), analytics.tops(sales))
        )
        return {
            "apiId": listing.id,
            "from": iso(since),
            "to": iso(until),
            "bucket": query.bucket,
            "target": self._breakers.state(listing.endpoint),
            "series": rows,
            **tops,
        }

    async def _shown_credits(self, wallet: str) -> list[dict[str, Any]]:
        rows = []
        for account, balance, _ in await self._credits.of_payer(wallet):
            name = self._names.get(account.chain_id, str(account.chain_id))
            decimals = self._decimals.get((name, account.currency), 18)
            amount = str(from_base_units(balance, decimals))
            rows.append(
                {"apiId": account.api_id, "chain": name, "currency": account.currency, "amount": amount}
            )
        return rows
