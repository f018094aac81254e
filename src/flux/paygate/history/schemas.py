"""What crosses the wire about calls."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from flux.kernel.store import iso
from flux.paygate.history.model import CallRow
from flux.paygate.signing.accounts import checksummed

LATEST_MS = 253_402_300_799_000
"""The last second of the year 9999."""


class Moment(int):
    """Unix milliseconds from an RFC 3339 time in a query."""

    __slots__ = ()

    @classmethod
    def from_wire(cls, value: object) -> Moment:
        try:
            moment = datetime.fromisoformat(str(value).strip().upper())
        except ValueError:
            raise ValueError("an RFC 3339 date and time") from None
        if moment.tzinfo is None:
            raise ValueError("an RFC 3339 date and time with Z or an offset")
        at = round(moment.timestamp() * 1000)
        if not 0 <= at <= LATEST_MS:
            raise ValueError("an RFC 3339 date and time between 1970 and 9999")
        return cls(at)

    @classmethod
    def json_schema(cls) -> dict[str, str]:
        return {"type": "string", "format": "date-time"}


class HistoryQuery(Struct, kw_only=True):
    api_id: str | None = field(default=None, name="apiId")
    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    offset: Annotated[int, Meta(ge=0, le=2**53)] = 0
    role: Literal["consumer", "provider"] = "consumer"
    status: (
        Literal["success", "upstream_error", "gateway_error", "timeout", "aborted", "in_progress"] | None
    ) = None
    since: Moment | None = field(default=None, name="from")
    until: Moment | None = field(default=None, name="to")


class CallView(Struct, kw_only=True, rename="camel"):
    id: str
    api_id: str
    api_name: str
    consumer: str
    provider: str
    method: str
    path: str
    tx_hash: str | None
    chain: str
    amount: str
    currency: str
    payment_flow: str
    status: str
    http_status: int | None
    error_code: str | None
    latency_ms: int | None
    request_bytes: int
    response_bytes: int | None
    payment_status: str | None
    created_at: str
    completed_at: str | None


class HistoryPage(Struct, kw_only=True):
    calls: list[CallView]
    total: int
    limit: int
    offset: int


def redacted(query: str) -> str:
    """`a=…&b=…`: the names of a query without its values."""
    return "&".join(f"{pair.partition('=')[0]}=…" for pair in query.split("&"))


def call_view(row: CallRow, viewer: str) -> CallView:
    """Values of the query string are the consumer's own business."""
    query = row.query if viewer == row.consumer else redacted(row.query)
    return CallView(
        id=row.id,
        api_id=row.api_id,
        api_name=row.api_name,
        consumer=checksummed(row.consumer),
        provider=checksummed(row.provider),
        method=row.method,
        path=f"{row.path}?{query}" if row.query else row.path,
        tx_hash=row.tx_hash,
        chain=row.chain,
        amount=row.amount,
        currency=row.currency,
        payment_flow=row.payment_flow,
        status=row.status,
        http_status=row.http_status,
        error_code=row.error_code,
        latency_ms=row.latency_ms,
        request_bytes=row.request_bytes,
        response_bytes=row.response_bytes,
        payment_status=row.payment_status,
        created_at=iso(row.created_at),
        completed_at=iso(row.completed_at) if row.completed_at is not None else None,
    )
