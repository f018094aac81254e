"""The built-in model, and vectors as bytes. Pure."""

from __future__ import annotations

import hashlib
import math
import sys
from array import array
from collections.abc import Iterable, Sequence
from operator import mul

from flux.content.texts import words

LONGEST_TEXT = 8000
"""Characters of a text that count."""
_NGRAM = 3


def hashed(text: str, dimensions: int) -> list[float]:
    """Signed feature hashing of words and their character trigrams; a word weighs as much as all its trigrams."""
    vector = [0.0] * dimensions
    for word in words(text[:LONGEST_TEXT]):
        _add(vector, f"w:{word}", 1.0)
        grams = _grams(word)
        for gram in grams:
            _add(vector, f"g:{gram}", 1.0 / math.sqrt(len(grams)))
    return unit(vector)


def _grams(word: str) -> list[str]:
    framed = f"<{word}>"
    return [framed[at : at + _NGRAM] for at in range(max(1, len(framed) - _NGRAM + 1))]


def _add(vector: list[float], feature: str, weight: float) -> None:
    digest = int.from_bytes(hashlib.blake2b(feature.encode(), digest_size=8).digest(), "little")
    vector[(digest >> 1) % len(vector)] += weight if digest & 1 else -weight


def unit(vector: Sequence[float]) -> list[float]:
    """Of length 1; a vector of nothing stays nothing."""
    largest = max((abs(one) for one in vector), default=0.0)
    if not largest:
        return [0.0] * len(vector)
    scaled = [one / largest for one in vector]
    length = math.sqrt(sum(map(mul, scaled, scaled)))
    return [one / length for one in scaled]


def packed(vector: Sequence[float]) -> bytes:
    """32-bit little-endian floats."""
    numbers = array("f", vector)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()


def unpacked(stored: bytes) -> array[float]:
    numbers = array("f")
    numbers.frombytes(stored)
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def similarities(query: Sequence[float], stored: Iterable[bytes]) -> list[float]:
    """Cosine of unit vectors, from 0 to 1; opposite directions are 0, other lengths too."""
    wanted = len(query) * 4
    return [
        min(1.0, max(0.0, sum(map(mul, query, unpacked(one))))) if len(one) == wanted else 0.0
        for one in stored
    ]
