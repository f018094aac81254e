"""Text search: the documents that have every word asked for, each with its relevance."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Hashable
from typing import Any

from msgspec import Struct

from flux.content.search import ranking_repository as repository
from flux.content.search import words, words_repository
from flux.content.search.lexicon import Lexicon, Vocabulary
from flux.content.search.modes import TextQuery
from flux.content.search.plan import Plan
from flux.content.search.rows import Hit
from flux.content.texts import words as words_of
from flux.kernel.house import House

CHEAP = 1500
"""Rows of an index that may be read in the loop: about a millisecond."""
LIST_CHEAPNESS = 6
"""How many documents of a list are read in the time of one row."""
LOOK_COST = 4
"""How many documents of a list are read in the time of one look into the index."""
MOST_LEXICONS = 100
ALL = 1 << 60


WITH_KEYS = 64
"""So few documents are read whole where their keys are asked for: they are about to be shown."""


class Scored(Struct, frozen=True):
    """`hit` where the document has been read already."""

    doc: int
    key: str
    score: float
    hit: Hit | None = None


def ordered(found: list[Scored]) -> list[Scored]:
    return sorted(found, key=lambda one: (-one.score, one.key))


class Finding:
    def __init__(self, house: House) -> None:
        self._db = house.db
        self._lexicons: dict[tuple[int, ...], Lexicon] = {}
        self._slots_known: dict[Hashable, tuple[int, list[int]]] = {}

    async def text(self, plan: Plan, query: TextQuery, generation: int, most: int = ALL) -> list[Scored]:
        """By relevance; beyond the first `most` some may be missing. `generation` stands for the state of the folder."""
        asked = words_of(query.query)
        slots = await self._slots(plan, query, generation)
        if not asked or not slots:
            return []
        lexicon = await self._lexicon(slots, generation)
        # What was published since then has been counted nowhere.
        slots = [one for one in slots if one in lexicon.statistics]
        wanted = [
            {**lexicon.vocabulary.alike(word, query.threshold), word: 1.0} for word in dict.fromkeys(asked)
        ]
        await self._count(lexicon, slots, [word for one in wanted for word in one])
        found = await self._found(lexicon, wanted, asked if query.phrase else None)
        docs = sorted({one.doc for one in found})
        keys: dict[int, str] | None = None
        if docs and _is_narrowed(plan):
            keys = await repository.allowed(self._db, plan, docs)
            docs = sorted(keys)
            found = [one for one in found if one.doc in keys]
        if not docs:
            return []
        read = {one.slot for one in found}
        lengths = await repository.lengths(self._reading(len(docs) * len(read)), sorted(read), docs)
        scores = words.relevance(wanted, found, lexicon, lengths)
        return await self._keyed(_leading(scores, most), keys)

    async def _slots(self, plan: Plan, query: TextQuery, generation: int) -> list[int]:
        if not query.fields:
            return []
        scope = plan.scope
        address = scope.folder, scope.component, scope.locales, tuple(query.fields)
        known = self._slots_known.get(address)
        if known is None or known[0] != generation:
            slots = await repository.slots(self._db, scope, query.fields, scope.locales)
            if len(self._slots_known) >= MOST_LEXICONS:
                self._slots_known.clear()
            known = self._slots_known[address] = generation, slots
        return known[1]

    async def _lexicon(self, slots: list[int], generation: int) -> Lexicon:
        """Read again when the folder has changed."""
        address = tuple(slots)
        known = self._lexicons.get(address)
        if known is None or known.generation != generation:
            vocabulary = Vocabulary(await words_repository.vocabulary(self._db, slots))
            known = Lexicon(generation, vocabulary, await repository.statistics(self._db, slots))
            if len(self._lexicons) >= MOST_LEXICONS:
                self._lexicons.clear()
            self._lexicons[address] = known
        return known

    async def _count(self, lexicon: Lexicon, slots: list[int], asked: list[str]) -> None:
        missing = lexicon.uncounted(dict.fromkeys(asked))
        if missing:
            lexicon.count(missing, await words_repository.counts(self._db, slots, missing))

    async def _found(
        self, lexicon: Lexicon, wanted: list[dict[str, float]], phrase: list[str] | None
    ) -> list[words.Posting]:
        """Postings in documents that have every word, side by side in one field for a phrase."""
        if self._db.dialect != "sqlite":
            found = await self._meeting(lexicon, wanted, positions=phrase is not None)
            return found if phrase is None else _in_phrases(phrase, found)
        rarest = min(lexicon.total(one) for one in wanted)
        if rarest == 0:
            return []
        slots = lexicon.slots_of({word for one in wanted for word in one})
        if phrase is not None and len(phrase) > 1:
            return await words_repository.in_phrase(self._reading(rarest), slots, phrase)
        return await words_repository.meeting(self._reading(rarest), slots, [list(one) for one in wanted])

    async def _meeting(
        self, lexicon: Lexicon, wanted: list[dict[str, float]], *, positions: bool
    ) -> list[words.Posting]:
        """Postings in documents that have every word. Which documents these are is found out first, by the rarest word
        before the others: of most words far more is stored than is asked for."""
        docs = await self._having_all(lexicon, wanted) if len(wanted) > 1 else None
        if docs is not None and not docs:
            return []
        asked = {word for one in wanted for word in one}
        slots = lexicon.slots_of(asked)
        among = None if docs is None else sorted(docs)
        rows = lexicon.total(asked)
        if among is not None:
            rows = min(rows, len(slots) * len(asked) * len(among))
        return await words_repository.postings(
            self._reading(rows), slots, sorted(asked), among, positions=positions
        )

    async def _having_all(self, lexicon: Lexicon, wanted: list[dict[str, float]]) -> set[int]:
        """Documents that have every word, in any of the fields."""
        docs: set[int] | None = None
        for likenesses in sorted(wanted, key=lexicon.total):
            size = lexicon.total(likenesses)
            if not size or (docs is not None and not docs):
                return set()
            slots = lexicon.slots_of(likenesses)
            looks = len(slots) * len(likenesses) * len(docs) if docs is not None else ALL
            among = sorted(docs) if docs is not None and looks * LOOK_COST < size else None
            reading = self._reading(size // LIST_CHEAPNESS if among is None else looks)
            here = await words_repository.having(reading, slots, sorted(likenesses), among)
            docs = set(here) if docs is None else docs.intersection(here)
        return docs or set()

    def _reading(self, rows: int) -> repository.Read:
        """Off the loop for many rows."""
        read: Callable[..., Any] = self._db.all if rows <= CHEAP else self._db.scan
        return read

    async def _keyed(self, scores: dict[int, float], keys: dict[int, str] | None) -> list[Scored]:
        if len(scores) <= WITH_KEYS:
            hits = await repository.documents(self._db, list(scores))
            return ordered([Scored(doc, hit.key, scores[doc], hit) for doc, hit in hits.items()])
        if keys is None:
            keys = await repository.keys(self._reading(len(scores)), sorted(scores))
        # A document that was deleted meanwhile has no key any more.
        return ordered([Scored(doc, keys[doc], score) for doc, score in scores.items() if doc in keys])


def _is_narrowed(plan: Plan) -> bool:
    """Whether anything but the folder decides which documents count: a slot belongs to one folder and component."""
    return bool(plan.where) or plan.scope.parent is not None or any(one.required for one in plan.joins)


def _leading(scores: dict[int, float], most: int) -> dict[int, float]:
    """The first `most` by score, and whoever has the same score as the last of them."""
    if len(scores) <= most:
        return scores
    least = heapq.nlargest(most, scores.values())[-1]
    return {doc: score for doc, score in scores.items() if score >= least}


def _in_phrases(asked: list[str], postings: list[words.Posting]) -> list[words.Posting]:
    """Those in fields where all the words stand side by side."""
    places: dict[tuple[int, int], dict[str, tuple[int, ...]]] = {}
    for one in postings:
        places.setdefault((one.slot, one.doc), {})[one.word] = one.positions
    kept = {place for place, positions in places.items() if words.has_phrase(asked, positions)}
    return [one for one in postings if (one.slot, one.doc) in kept]
