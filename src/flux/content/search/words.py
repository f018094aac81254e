"""Which words count as the ones that were asked for, and how much a document is about them. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

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


def alike(word: str, vocabulary: Iterable[str], threshold: float) -> dict[str, float]:
    """Words of the vocabulary with their similarity, 1 - edits / length of the longer; at most two edits."""
    found: dict[str, float] = {}
    mask = _mask(word)
    for other in vocabulary:
        longer = max(len(word), len(other))
        allowed = min(MOST_EDITS, math.floor((1 - threshold) * longer + 1e-9))
        if abs(len(word) - len(other)) > allowed:
            continue
        if (mask ^ _mask(other)).bit_count() > 2 * allowed:
            continue
        edits = distance(word, other, allowed)
        if edits <= allowed:
            found[other] = 1 - edits / longer
    return found


_MASKS: dict[str, int] = {}


def _mask(word: str) -> int:
    """The letters of a word as bits: one edit changes at most two of them."""
    mask = _MASKS.get(word)
    if mask is None:
        mask = 0
        for character in word:
            mask |= 1 << (ord(character) & 63)
        if len(_MASKS) > 200_000:
            _MASKS.clear()
        _MASKS[word] = mask
    return mask


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


def relevance(
    wanted: Sequence[Mapping[str, float]],
    postings: Iterable[Posting],
    statistics: Mapping[int, Statistics],
    lengths: Mapping[tuple[int, int], int],
) -> dict[int, float]:
    """BM25 by document, for those that have every wanted word (one of its likenesses) in some field.

    `wanted` are, for each word asked for, the words that count and their similarity; `lengths` are by slot and doc.
    """
    kept = list(postings)
    frequency: dict[tuple[int, str], int] = {}
    for one in kept:
        frequency[one.slot, one.word] = frequency.get((one.slot, one.word), 0) + 1
    total: dict[int, float] = {}
    for index, likenesses in enumerate(wanted):
        best: dict[tuple[int, int], float] = {}
        for one in kept:
            similarity = likenesses.get(one.word)
            if similarity is None:
                continue
            slot = statistics[one.slot]
            rarity = math.log(
                1
                + (slot.documents - frequency[one.slot, one.word] + 0.5)
                / (frequency[one.slot, one.word] + 0.5)
            )
            norm = 1 - _B + _B * lengths.get((one.slot, one.doc), 0) / (slot.mean or 1)
            score = similarity * rarity * one.count * (_K1 + 1) / (one.count + _K1 * norm)
            best[one.slot, one.doc] = max(score, best.get((one.slot, one.doc), 0.0))
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
