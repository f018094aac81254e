"""What crosses the wire about x402."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType, field

from flux.paygate.scalars import Address


class FacilitatorBody(Struct, kw_only=True, rename="camel"):
    payment_payload: Any
    payment_requirements: Any
    x402_version: int | UnsetType = field(default=UNSET, name="x402Version")
    """Where it is told, it is the payload's."""


class ResourcesQuery(Struct, kw_only=True):
    """What a bazaar may be asked. Every resource here is of one type, one scheme, and carries the same extensions."""

    type: Annotated[str, Meta(max_length=50)] | None = None
    scheme: Annotated[str, Meta(max_length=50)] | None = None
    network: Annotated[str, Meta(max_length=50)] | None = None
    pay_to: Address | None = field(default=None, name="payTo")
    extensions: Annotated[str, Meta(max_length=50)] | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 20
    offset: Annotated[int, Meta(ge=0, le=2**31)] = 0
