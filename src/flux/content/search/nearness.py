"""Vector search: the documents nearest to a vector, exactly.

Where the database can compare vectors it is asked for the nearest, in its 32-bit arithmetic; these are then measured
again here, in 64 bits, and more are asked for while one that was left out might belong among them. Elsewhere every
vector is measured here. Both ways give the same documents with the same similarities.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from flux.content.embeddings.rules import packed, similarities
from flux.content.search import ranking_repository as repository
from flux.content.search.finding import Scored, ordered
from flux.content.search.plan import Plan
from flux.content.search.ranking_repository import Near
from flux.kernel.house import House

MANY = 200
"""More vectors than this are compared in a thread."""
_SPARE = 64
_ERROR = 1e-4
"""Far more than what 32-bit arithmetic gets wrong about a cosine."""


class Nearness:
    def __init__(self, house: House) -> None:
        self._db = house.db
        self._knows: bool | None = None

    async def nearest(
        self, plan: Plan, slots: Sequence[int], vector: Sequence[float], most: int, threshold: float
    ) -> list[Scored]:
        """Each document once, by its best similarity, from the threshold on; at most `most`."""
        if self._knows is None:
            self._knows = await repository.knows_distances(self._db)
        if not self._knows:
            stored = await repository.vectors(self._db, plan, slots)
            return (await _measured(vector, stored, threshold))[:most]
        query, size = packed(vector), 2 * most + _SPARE
        while True:
            stored = await repository.vectors(self._db, plan, slots, (query, size))
            found = await _measured(vector, stored, threshold)
            if len(stored) < size or _is_settled(found, stored[-1], most, threshold):
                return found[:most]
            size *= 4


def _is_settled(found: list[Scored], last: Near, most: int, threshold: float) -> bool:
    """Whether nothing beyond the last one that was looked at can belong to the answer."""
    if last.distance is None:
        return False
    beyond = 1 - last.distance + _ERROR
    return beyond < threshold or (len(found) >= most and beyond < found[most - 1].score)


async def _measured(vector: Sequence[float], stored: list[Near], threshold: float) -> list[Scored]:
    bodies = [one.vector for one in stored]
    if len(bodies) > MANY:
        measured = await asyncio.to_thread(similarities, vector, bodies)
    else:
        measured = similarities(vector, bodies)
    best: dict[int, Scored] = {}
    for one, near in zip(stored, measured, strict=True):
        if near >= threshold and (one.doc not in best or near > best[one.doc].score):
            best[one.doc] = Scored(one.doc, one.key, near)
    return ordered(list(best.values()))
