"""Settings of the community plane: `FLUX_COMMUNITY__<NAME>`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct


class CommunitySettings(Struct, frozen=True, kw_only=True):
    host: Annotated[
        str,
        Meta(description="Host name at which the plane is served at the root; empty: only under /community."),
    ] = ""
