"""Queries of the catalogue."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from flux.paygate.scalars import Address


class CatalogueQuery(Struct, kw_only=True):
    page: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    limit: Annotated[int, Meta(ge=1, le=100)] = 20
    search: Annotated[str, Meta(max_length=200)] = ""
    currency: str | None = None
    chain: str | None = None
    provider: Address | None = None
    category: Annotated[str, Meta(max_length=50)] | None = None
    tag: Annotated[str, Meta(max_length=50)] | None = None
    max_price: str | None = field(default=None, name="maxPrice")
    sort: Literal["newest", "price", "-price", "calls", "latency"] = "newest"


class QuoteQuery(Struct, kw_only=True):
    path: str
    method: Annotated[str, Meta(max_length=20)] = "GET"
