"""Searches that order by relevance or similarity.

Text gives every document that has the words a score; vectors give the nearest ones a similarity from 0 to 1. The
mode says how the two meet. What comes out is a ranking of documents, which is then paged.
"""

from __future__ import annotations

from typing import Any

from flux.content.embeddings.rules import unit
from flux.content.embeddings.service import Embeddings
from flux.content.faults import INVALID_REQUEST
from flux.content.search import cursors
from flux.content.search import ranking_repository as repository
from flux.content.search.finding import ALL, Finding, Scored, ordered
from flux.content.search.modes import Ranked, VectorQuery
from flux.content.search.nearness import Nearness
from flux.content.search.plan import Plan
from flux.content.search.rows import Found
from flux.content.search.service import Search
from flux.content.texts import words as words_of
from flux.kernel.house import House

_RANK_CONSTANT = 60


class Ranking:
    def __init__(self, house: House, search: Search, embeddings: Embeddings) -> None:
        self._db = house.db
        self._search = search
        self._embeddings = embeddings
        self._finding = Finding(house)
        self._nearness = Nearness(house)

    async def page(
        self,
        plan: Plan,
        ranked: Ranked,
        token: str | None,
        *,
        backwards: bool,
        sorted_: bool,
        generation: int,
    ) -> tuple[Found, dict[str, Any] | None]:
        """A page, and the metadata of vector searches. With `sorted_` the plan's order replaces the ranking's.
        `generation` stands for the state of the folder."""
        start, end = self._place(plan, ranked, token, backwards=backwards) if not sorted_ else (0, ALL)
        text = None
        if ranked.text is not None:
            # One more than are shown, to know that there are more.
            most = end + 1 if ranked.vector is None else ALL
            text = await self._finding.text(plan, ranked.text, generation, most)
        near = await self._near(plan, ranked.vector) if ranked.vector else None
        found = _merged(ranked, text, near)
        metadata = None
        if ranked.vector is not None:
            used = len(words_of(ranked.vector.query)) if ranked.vector.query else 0
            metadata = {"search_mode": ranked.mode, "vector_search_enabled": True, "tokens_used": used}
        if sorted_:
            among = tuple(sorted(one.doc for one in found))
            page = await self._search.page(plan, token, backwards=backwards, among=among, about=ranked)
        else:
            page = await self._cut(plan, ranked, found, start, end)
        return page, metadata

    async def documents(self, plan: Plan, ranked: Ranked, generation: int) -> list[int]:
        """Everything that is found, by id."""
        text = await self._finding.text(plan, ranked.text, generation) if ranked.text is not None else None
        near = await self._near(plan, ranked.vector) if ranked.vector else None
        return sorted({one.doc for one in _merged(ranked, text, near)})

    # -- vectors ----------------------------------------------------------------------------------------------

    async def _near(self, plan: Plan, query: VectorQuery) -> list[Scored]:
        """Every document with its best field's similarity, from the threshold on; not yet cut to `top_k`."""
        if query.query is not None:
            vector = await self._embeddings.query(query.query)
        else:
            vector = unit(query.vector or ())
        slots = await repository.slots(self._db, plan.scope, query.fields, plan.scope.locales)
        if not slots:
            return []
        return await self._nearness.nearest(plan, slots, vector, query.top_k, query.threshold or 0.0)

    # -- pages ------------------------------------------------------------------------------------------------

    @staticmethod
    def _place(plan: Plan, ranked: Ranked, token: str | None, *, backwards: bool) -> tuple[int, int]:
        """The positions in the ranking where the page begins and ends; a token holds one. Raises `INVALID_REQUEST`."""
        if token is None:
            return plan.offset, plan.offset + plan.limit
        position = cursors.decode_position(token, cursors.fingerprint(plan, ranked), backwards=backwards)
        if position is None:
            raise INVALID_REQUEST()
        return (max(0, position - plan.limit), position) if backwards else (position, position + plan.limit)

    async def _cut(self, plan: Plan, ranked: Ranked, found: list[Scored], start: int, end: int) -> Found:
        stamped = cursors.fingerprint(plan, ranked)
        shown = found[start:end]
        missing = [one.doc for one in shown if one.hit is None]
        read = await repository.documents(self._db, missing) if missing else {}
        hits = [one.hit or read.get(one.doc) for one in shown]
        return Found(
            [hit for hit in hits if hit is not None],
            cursors.encode_position(stamped, end, backwards=False) if end < len(found) else None,
            cursors.encode_position(stamped, start, backwards=True) if start > 0 and shown else None,
        )


def _merged(ranked: Ranked, text: list[Scored] | None, near: list[Scored] | None) -> list[Scored]:
    if near is None:
        return text or []
    if text is None or ranked.mode == "vector":
        return near
    return _boosted(ranked, text, near) if ranked.mode == "vector_boosted" else _hybrid(ranked, text, near)


def _boosted(ranked: Ranked, text: list[Scored], near: list[Scored]) -> list[Scored]:
    """Text hits; those that are also near weigh more."""
    lifted = {one.doc for one in near if one.score >= (ranked.boost.threshold or 0.0)}
    allowed = {one.doc for one in near[: ranked.boost.most]} & lifted
    factor = ranked.boost.factor
    return ordered(
        [Scored(one.doc, one.key, one.score * factor if one.doc in allowed else one.score) for one in text]
    )


def _hybrid(ranked: Ranked, text: list[Scored], near: list[Scored]) -> list[Scored]:
    """The union, by weighted reciprocal ranks, or by weighted scores brought to 0..1."""
    shares: dict[int, float] = {}
    keys = {one.doc: one.key for one in (*text, *near)}
    for found, weight in ((near, ranked.hybrid.vector_weight), (text, ranked.hybrid.text_weight)):
        for rank, (one, scaled) in enumerate(zip(found, _scaled(found), strict=True), 1):
            share = 1 / (_RANK_CONSTANT + rank) if ranked.hybrid.rerank else scaled
            shares[one.doc] = shares.get(one.doc, 0.0) + weight * share
    return ordered([Scored(doc, keys[doc], score) for doc, score in shares.items()])


def _scaled(found: list[Scored]) -> list[float]:
    """Min-max; where all are equal each is 1."""
    if not found:
        return []
    low, high = found[-1].score, found[0].score
    return [1.0 if high == low else (one.score - low) / (high - low) for one in found]
