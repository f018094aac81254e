"""A call as it is kept. Times in Unix ms, addresses in lower case, amounts in base units and as people write them."""

from __future__ import annotations

from typing import Literal

import msgspec

Status = Literal["success", "upstream_error", "gateway_error", "timeout", "aborted", "in_progress"]
PaymentStatus = Literal["consumed", "released", "credited", "orphaned"]


class CallRow(msgspec.Struct, frozen=True, kw_only=True):
    """In the order of the table's columns."""

    id: str
    api_id: str
    api_name: str
    consumer: str
    provider: str
    method: str
    path: str
    query: str
    tx_hash: str | None
    chain: str
    amount_base: str
    amount: str
    currency: str
    payment_flow: str
    payment_key: str
    status: str
    http_status: int | None
    error_code: str | None
    latency_ms: int | None
    request_bytes: int
    response_bytes: int | None
    payment_status: str | None
    created_at: int
    completed_at: int | None


class Outcome(msgspec.Struct):
    """How a call ended. `seen`: the target may have seen the request. `charge`: its payment is used up. `undecided`: money
    may still move for it, so that it is not refused for good."""

    status: Status
    charge: bool
    seen: bool
    undecided: bool = False
    http_status: int | None = None
    error_code: str | None = None
    response_bytes: int | None = None
    latency_ms: int = 0
