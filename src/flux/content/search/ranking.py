"""Searches that order by relevance or similarity."""

from __future__ import annotations

from typing import Any

from flux.content.faults import INVALID_REQUEST
from flux.content.search.modes import Ranked
from flux.content.search.plan import Plan
from flux.content.search.rows import Found
from flux.kernel.house import House


class Ranking:
    def __init__(self, house: House) -> None:
        self._db = house.db

    async def page(
        self, plan: Plan, ranked: Ranked, token: str | None, *, backwards: bool
    ) -> tuple[Found, dict[str, Any] | None]:
        raise INVALID_REQUEST()
