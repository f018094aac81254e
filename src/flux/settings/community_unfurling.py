"""Settings of link previews: `FLUX_COMMUNITY__UNFURLING__<NAME>`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field


class Unfurling(Struct, frozen=True, kw_only=True):
    enabled: Annotated[
        bool, Meta(description="Fetch the pages that messages link to, and show what they are.")
    ] = True
    links: Annotated[int, Meta(ge=0, le=10, description="Links of one message that are shown.")] = 5
    bytes: Annotated[int, Meta(ge=1024, description="How much of a page is read.")] = 524_288
    seconds: Annotated[float, Meta(gt=0, description="Longest wait for a page.")] = 5.0
    cache_entries: Annotated[int, Meta(ge=0, description="Pages that are remembered.")] = 1000
    cache_seconds: Annotated[float, Meta(ge=0, description="How long a page is remembered.")] = 600.0
    allowed_targets: Annotated[
        list[str],
        Meta(
            description="`host:port` or CIDR that may be fetched although they are not of the open internet."
        ),
    ] = field(default_factory=list)
