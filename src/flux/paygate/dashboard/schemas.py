"""Queries of the dashboard."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

from flux.paygate.history.schemas import Moment


class AnalyticsQuery(Struct, kw_only=True):
    since: Moment | None = field(default=None, name="from")
    until: Moment | None = field(default=None, name="to")
    bucket: Literal["hour", "day"] = "day"
