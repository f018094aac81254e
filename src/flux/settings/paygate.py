"""Settings of the paygate plane: `FLUX_PAYGATE__<NAME>`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct


class PaygateSettings(Struct, frozen=True, kw_only=True):
    host: Annotated[
        str,
        Meta(description="Host name at which the plane is served at the root; empty: only under /paygate."),
    ] = ""
