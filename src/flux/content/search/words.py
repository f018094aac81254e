"""Which words count as the ones that were asked for, and how much a document is about them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct

MOST_EDITS = 2
_K1 = 1.2
_B = 0.75


class Posting(Struct, frozen=True):
    """A word in one field of one document, `count` times. `positions` only where they were asked for."""

    slot: int
    doc: int
    word: str
    count: int
    positions: tuple[int, ...] = ()


class Statistics(Struct, frozen=True):
    """Of a slot: documents, and their mean length in words."""

    documents: int
    mean: float


def distance(one: str, other: str, most: int) -> int:
    """Insertions, deletions, replacements, and transpositions of neighbours; anything above `most` is `most + 1`."""
    if one == other:
        return 0
    if most == 0:
        return 1
    before: list[int] = []
    last = list(range(len(other) + 1))
    for at, character in enumerate(one, 1):
        row = [at]
        for to, wanted in enumerate(other, 1):
            cost = min(row[to - 1] + 1, last[to] + 1, last[to - 1] + (character != wanted))
            if at > 1 and to > 1 and character == other[to - 2] and one[at - 2] == wanted:
                cost = min(cost, before[to - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
        before, last = last, row
    return min(last[-1], most + 1)


class Rarity(Protocol):
    """What is known of the slots: see lexicon.py."""

    statistics: Mapping[int, Statistics]

    def rarity(self, slot: int, word: str) -> float: ...


def relevance(
    wanted: Sequence[Mapping[str, float]],
    postings: Sequence[Posting],
    known: Rarity,
    lengths: Mapping[tuple[int, int], int],
) -> dict[int, float]:
    """BM25 by document, for those that have every wanted word (one of its likenesses) in some field.

    `wanted` are, for each word asked for, the words that count and their similarity; `lengths` are by slot and doc.
    """
    weights = {
        (slot, word): known.rarity(slot, word) for slot, word in {(one.slot, one.word) for one in postings}
    }
    norms = {
        (slot, doc): _K1 * (1 - _B + _B * length / (known.statistics[slot].mean or 1))
        for (slot, doc), length in lengths.items()
    }
    total: dict[int, float] = {}
    for index, likenesses in enumerate(wanted):
        best: dict[tuple[int, int], float] = {}
        for one in postings:
            similarity = likenesses.get(one.word)
            if similarity is None:
                continue
            place = one.slot, one.doc
            norm = norms.get(place, _K1)
            score = similarity * weights[one.slot, one.word] * one.count * (_K1 + 1) / (one.count + norm)
            if score > best.get(place, 0.0):
                best[place] = score
        scores: dict[int, float] = {}
        for (_, doc), score in best.items():
            scores[doc] = scores.get(doc, 0.0) + score
        total = (
            scores
            if index == 0
            else {doc: total[doc] + score for doc, score in scores.items() if doc in total}
        )
    return total


def has_phrase(words: Sequence[str], positions: Mapping[str, Sequence[int]]) -> bool:
    """The words stand side by side, in order, somewhere in one field."""
    starts = set(positions.get(words[0], ()))
    for offset, word in enumerate(words[1:], 1):
        starts &= {position - offset for position in positions.get(word, ())}
        if not starts:
            return False
    return bool(starts)
