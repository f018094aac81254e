"""Tags: a few bits about each searchable value of a document, beside every entry of its index. Pure.

A reader who goes through a folder in the order of one field sees by the tags of an entry that most documents cannot
meet a condition on another field, without looking at that field's own index. Tags only ever rule out: what they
let through is looked at. A document's tags are `LANES` lanes of six bits in one integer. A field in a locale (a slot) has the
lane of its number, modulo the lanes; the lane holds 0 when the document has no value there, a code of the value when it has
one, and `LOOK` when it has several or two of its slots share the lane. Rows from before there were tags have -1: `LOOK`
in every lane.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from struct import pack
from typing import Any
from zlib import crc32

LANES = 10
BITS = 6
LOOK = (1 << BITS) - 1
_CODES = LOOK - 1
TAGGED = frozenset({"number", "string"})
"""Families of values that have tags; long texts do not."""


def shift(slot: int) -> int:
    """Where the lane of a slot begins."""
    return slot % LANES * BITS


def code(value: float | str) -> int:
    """Of a number, or of a text case-folded; from 1 to 62."""
    # Adding zero makes one of the two zeros.
    raw = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else pack("<d", value + 0.0)
    return 1 + crc32(raw) % _CODES


def tags(values: Iterable[tuple[int, float | str]]) -> int:
    """Of the tagged values of a document, each with its slot."""
    found = 0
    for slot, value in values:
        at = shift(slot)
        found |= (LOOK if found >> at & LOOK else code(value)) << at
    return found


def bit(number: int) -> int:
    """Of a code, in a mask of 64 bits: shifted to the left by the code it becomes the sign, so that one comparison tells whether
    a lane's code is among those of a mask. No mask has that of a lane without a value, so that none is negative."""
    return 1 << (LOOK - number)


def mask(wanted: Any) -> int:
    """The codes that a lane may hold for the value, or one of the values, to be there."""
    found = bit(LOOK)
    for one in wanted if isinstance(wanted, list) else (wanted,):
        found |= _bit(one)
    return found


@lru_cache(maxsize=4096)
def _bit(wanted: float | str) -> int:
    """The same few are asked for again and again."""
    return bit(code(wanted))
