"""The words of a folder at one state of it: which are alike, how common each is, how long texts are. In memory."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from flux.content.search.words import MOST_EDITS, Statistics, distance

MOST_REMEMBERED = 10_000


class Vocabulary:
    """Every word once, sorted by length, so that few are compared with one that was asked for."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = frozenset(words)
        self._by_length: dict[int, list[tuple[int, str]]] = {}
        for word in self._words:
            self._by_length.setdefault(len(word), []).append((_mask(word), word))
        self._remembered: dict[tuple[str, float], dict[str, float]] = {}

    def alike(self, word: str, threshold: float) -> dict[str, float]:
        """Words with their similarity, 1 - edits / length of the longer; at most two edits."""
        known = self._remembered.get((word, threshold))
        if known is None:
            known = self._compared(word, threshold)
            if len(self._remembered) >= MOST_REMEMBERED:
                self._remembered.clear()
            self._remembered[word, threshold] = known
        return known

    def _compared(self, word: str, threshold: float) -> dict[str, float]:
        found = {word: 1.0} if word in self._words else {}
        mask, size = _mask(word), len(word)
        for length in range(max(1, size - MOST_EDITS), size + MOST_EDITS + 1):
            longer = max(size, length)
            allowed = min(MOST_EDITS, math.floor((1 - threshold) * longer + 1e-9))
            if not allowed or abs(size - length) > allowed:
                continue
            # One edit changes at most two letters of a word.
            most = 2 * allowed
            near = [
                other
                for letters, other in self._by_length.get(length, ())
                if (letters ^ mask).bit_count() <= most
            ]
            for other in near:
                edits = distance(word, other, allowed)
                if edits <= allowed:
                    found[other] = 1 - edits / longer
        return found


def _mask(word: str) -> int:
    """The letters of a word as bits."""
    mask = 0
    for character in word:
        mask |= 1 << (ord(character) & 63)
    return mask


class Lexicon:
    """Of some slots at one generation of their folder. `counts` grow with what is asked."""

    def __init__(self, generation: int, vocabulary: Vocabulary, statistics: Mapping[int, Statistics]) -> None:
        self.generation = generation
        self.vocabulary = vocabulary
        self.statistics = statistics
        self._counts: dict[tuple[int, str], int] = {}
        self._counted: set[str] = set()

    def uncounted(self, words: Iterable[str]) -> list[str]:
        """Those of one query that must be counted. Makes room where too much is remembered, so that the counts of all of
        them are there together."""
        listed = list(words)
        if len(self._counted) > MOST_REMEMBERED:
            self._counted.clear()
            self._counts.clear()
        return [word for word in listed if word not in self._counted]

    def count(self, words: Iterable[str], counts: Mapping[tuple[int, str], int]) -> None:
        """Note in how many documents of each slot the words stand."""
        self._counted.update(words)
        self._counts.update(counts)

    def documents(self, slot: int, word: str) -> int:
        return self._counts.get((slot, word), 0)

    def slots_of(self, words: Iterable[str]) -> list[int]:
        """Where any of the words stands."""
        listed = list(words)
        return [slot for slot in self.statistics if any((slot, word) in self._counts for word in listed)]

    def total(self, words: Iterable[str]) -> int:
        """Postings of all the words together."""
        return sum(self.documents(slot, word) for word in words for slot in self.statistics)

    def rarity(self, slot: int, word: str) -> float:
        """The inverse document frequency of BM25."""
        count = self.documents(slot, word)
        return math.log(1 + (self.statistics[slot].documents - count + 0.5) / (count + 0.5))
