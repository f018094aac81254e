"""Settings of voice: `FLUX_COMMUNITY__VOICE__<NAME>`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field


class Region(Struct, frozen=True, kw_only=True):
    id: Annotated[str, Meta(min_length=1, max_length=64)]
    name: Annotated[str, Meta(min_length=1, max_length=100)]
    emoji: Annotated[str, Meta(max_length=32)] = ""


class Voice(Struct, frozen=True, kw_only=True):
    regions: Annotated[
        list[Region],
        Meta(description="Where voice can be carried, a JSON array of {id, name, emoji}."),
    ] = field(default_factory=lambda: [Region(id="local", name="Local", emoji="🏠")])
