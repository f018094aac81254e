"""Numbers over calls. Pure: from light rows to totals, series and tops."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from flux.kernel.store import iso
from flux.paygate.amounts import from_base_units
from flux.paygate.signing.accounts import checksummed

HOUR_MS = 3_600_000
DAY_MS = 86_400_000
TOP = 10
GATEWAY_FAILURES = ("gateway_error", "timeout", "aborted")


@dataclass(frozen=True, slots=True)
class Sale:
    """What numbers need of a call. `amount` in base units counts when the payment was consumed and stayed."""

    at: int
    consumer: str
    method: str
    path: str
    status: str
    http_status: int | None
    error_code: str | None
    latency_ms: int | None
    chain: str
    currency: str
    amount: int
    payment_status: str | None

    @property
    def earned(self) -> bool:
        return self.payment_status == "consumed"


def totals(sales: Iterable[Sale], decimals: dict[tuple[str, str], int]) -> list[dict[str, str]]:
    """`[{chain, currency, amount}]` of what was earned (or spent)."""
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for sale in sales:
        if sale.earned:
            sums[sale.chain, sale.currency] += sale.amount
    return [
        {
            "chain": chain,
            "currency": currency,
            "amount": str(from_base_units(amount, decimals.get((chain, currency), 18))),
        }
        for (chain, currency), amount in sorted(sums.items())
    ]


def series(
    sales: Sequence[Sale], bucket_ms: int, decimals: dict[tuple[str, str], int]
) -> list[dict[str, Any]]:
    """One entry a bucket that saw calls, oldest first."""
    buckets: dict[int, list[Sale]] = defaultdict(list)
    for sale in sales:
        buckets[sale.at // bucket_ms * bucket_ms].append(sale)
    rows: list[dict[str, Any]] = []
    for start in sorted(buckets):
        found = buckets[start]
        latencies = sorted(sale.latency_ms for sale in found if sale.latency_ms is not None)
        rows.append(
            {
                "t": iso(start),
                "calls": len(found),
                "success": sum(sale.status == "success" for sale in found),
                "errors4xx": sum(_between(sale, 400) for sale in found),
                "errors5xx": sum(_between(sale, 500) for sale in found),
                "gatewayErrors": sum(sale.status in GATEWAY_FAILURES for sale in found),
                "revenue": totals(found, decimals),
                "p50Ms": percentile(latencies, 50),
                "p95Ms": percentile(latencies, 95),
                "uniqueConsumers": len({sale.consumer for sale in found}),
            }
        )
    return rows


def tops(sales: Sequence[Sale]) -> dict[str, list[dict[str, Any]]]:
    consumers = Counter(sale.consumer for sale in sales).most_common(TOP)
    paths = Counter((sale.method, sale.path) for sale in sales).most_common(TOP)
    codes = Counter(sale.error_code for sale in sales if sale.error_code).most_common(TOP)
    return {
        "topConsumers": [{"consumer": checksummed(who), "calls": count} for who, count in consumers],
        "topPaths": [{"method": method, "path": path, "calls": count} for (method, path), count in paths],
        "errorCodes": [{"code": code, "calls": count} for code, count in codes],
    }


def daily(sales: Sequence[Sale], decimals: dict[tuple[str, str], int]) -> list[dict[str, Any]]:
    days: dict[str, list[Sale]] = defaultdict(list)
    for sale in sales:
        days[f"{datetime.fromtimestamp(sale.at / 1000, UTC):%Y-%m-%d}"].append(sale)
    return [
        {"date": day, "calls": len(found), "revenue": totals(found, decimals)}
        for day, found in sorted(days.items())
    ]


def percentile(ordered: Sequence[int], percent: int) -> int | None:
    """Nearest rank of sorted values."""
    if not ordered:
        return None
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def _between(sale: Sale, floor: int) -> bool:
    return sale.http_status is not None and floor <= sale.http_status < floor + 100
