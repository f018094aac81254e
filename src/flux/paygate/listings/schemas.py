"""What crosses the wire about listings."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Raw, Struct

from flux.paygate.scalars import Address, Recipient

NULL = Raw(b"null")
"""msgspec has no unions with raw JSON, so this stands for an amount that is not given."""
ChainRef = str | int
Tag = Annotated[str, Meta(min_length=1, max_length=50)]
Capability = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,48}\Z")]
HeaderName = Annotated[str, Meta(max_length=100)]


class OperationBody(Struct, kw_only=True, rename="camel"):
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
    path: str
    summary: Annotated[str, Meta(max_length=500)] | None = None
    price_per_request: Raw = msgspec.field(default_factory=lambda: NULL)
    currency: str | None = None
    chain: ChainRef | None = None
    recipient: Recipient | None = None
    examples: Annotated[list[Annotated[str, Meta(max_length=1000)]], Meta(max_length=20)] = msgspec.field(
        default_factory=list
    )
    timeout_seconds: Annotated[float, Meta(ge=1, le=120)] | None = None


class RateLimitBody(Struct, kw_only=True, rename="camel"):
    requests: Annotated[int, Meta(ge=1, le=1_000_000)]
    window_seconds: Annotated[int, Meta(ge=1, le=2_678_400)]


class X402Body(Struct, kw_only=True, rename="camel"):
    enabled: bool = True
    amount: Raw = msgspec.field(default_factory=lambda: NULL)
    asset: Address | None = None
    chain: ChainRef | None = None
    unpaid_status: Literal[401, 402] | None = None


class ListingBody(Struct, kw_only=True, rename="camel"):
    """Body of POST and PUT; PATCH takes any part of it, null meaning the default."""

    name: str
    endpoint: str
    price_per_request: Raw
    currency: str
    description: Annotated[str, Meta(max_length=5000)] = ""
    openapi: Any = None
    chain: ChainRef | None = None
    recipient: Recipient | None = None
    status: Literal["active", "disabled"] = "active"
    endpoints: Annotated[list[OperationBody], Meta(max_length=200)] = msgspec.field(default_factory=list)
    capabilities: Annotated[list[Capability], Meta(max_length=50)] = msgspec.field(default_factory=list)
    tags: Annotated[list[Tag], Meta(max_length=20)] = msgspec.field(default_factory=list)
    category: Tag | None = None
    monthly_quota: Annotated[int, Meta(ge=1, le=2**53)] | None = None
    rate_limit: RateLimitBody | None = None
    charge_policy: Literal["success", "no-5xx", "always"] = "no-5xx"
    prepaid_credit: bool = False
    x402: X402Body | None = None
    validate_json: bool = True
    timeout_seconds: Annotated[float, Meta(ge=1, le=120)] = 30.0
    allow_relayed_payments: bool = False
    hide_endpoint: bool = False
    forward_authorization: bool = False
    forward_set_cookie: bool = False
    forward_client_ip: bool = False
    upstream_headers: Annotated[
        dict[HeaderName, Annotated[str, Meta(max_length=4096)]], Meta(max_length=20)
    ] = msgspec.field(default_factory=dict)
    require_signature_version: Literal[1, 2] | None = None
