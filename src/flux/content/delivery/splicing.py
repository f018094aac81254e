"""Documents put in the place of references, in the encoded bytes themselves. Pure.

Only where that is safe: a member whose name stands once in the schema, beside no field that holds JSON of any form. In JSON the
bytes `"name":` are then that member and nothing else, as a quote inside a string is written with a backslash.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

import msgspec
from msgspec import Struct

_DATA = b'"data":{'


class Place(Struct, frozen=True):
    """Where a document names another: the bytes from `start` to `end` are the key, with its quotes."""

    start: int
    end: int
    member: str
    key: str


@lru_cache(maxsize=1024)
def _pattern(member: str) -> re.Pattern[bytes]:
    name = re.escape(msgspec.json.encode(member))
    return re.compile(name + rb':(?:("[^"\\]*")|null|(.))', re.DOTALL)


def places(item: bytes, members: Sequence[str]) -> list[Place] | None:
    """In order; members that are absent or null have none. None when some member holds anything but one plain string."""
    found = []
    data = item.find(_DATA)
    for member in members:
        match = _pattern(member).search(item, data)
        if match is None:
            continue
        start, end = match.span(1)
        if start >= 0:
            found.append(Place(start, end, member, item[start + 1 : end - 1].decode()))
        elif match.start(2) >= 0:
            return None
    if len(members) > 1:
        found.sort(key=lambda one: one.start)
    return found


def spliced(item: bytes, found: Sequence[Place], shown: Mapping[str, Mapping[str, bytes | None]]) -> bytes:
    """With what `shown` has, by member and key, in place of the keys: null for None; a key that it lacks stays."""
    parts: list[bytes] = []
    at = 0
    for one in found:
        documents = shown[one.member]
        if one.key in documents:
            parts += (item[at : one.start], documents[one.key] or b"null")
            at = one.end
    if not parts:
        return item
    parts.append(item[at:])
    return b"".join(parts)
