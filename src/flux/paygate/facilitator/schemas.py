"""What crosses the wire about x402."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field


class FacilitatorBody(Struct, kw_only=True, rename="camel"):
    payment_payload: Any
    payment_requirements: Any
    x402_version: int = field(default=2, name="x402Version")


class ResourcesQuery(Struct, kw_only=True):
    type: Literal["http"] = "http"
    limit: Annotated[int, Meta(ge=1, le=100)] = 20
    offset: Annotated[int, Meta(ge=0, le=2**31)] = 0
