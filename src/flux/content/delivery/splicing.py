"""Documents put in the place of references, in the encoded bytes themselves. Pure.

Only where that is safe: a member whose name stands once in the schema, beside no field that holds JSON of any form. In JSON the
bytes `"name":` are then that member and nothing else, as a quote inside a string is written with a backslash.
"""

from __future__ import annotations

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
def _name(member: str) -> bytes:
    return msgspec.json.encode(member) + b":"


def places(item: bytes, members: Sequence[str]) -> list[Place] | None:
    """In order; members that are absent or null have none. None when some member holds anything but one plain string."""
    found = []
    data = item.find(_DATA)
    for member in members:
        name = _name(member)
        at = item.find(name, data)
        if at < 0:
            continue
        start = at + len(name)
        if item.startswith(b'"', start):
            end = item.find(b'"', start + 1) + 1
            key = item[start + 1 : end - 1]
            if b"\\" in key:
                return None
            found.append(Place(start, end, member, key.decode()))
        elif not item.startswith(b"null", start):
            return None
    if len(found) > 1:
        found.sort(key=_start)
    return found


def _start(place: Place) -> int:
    return place.start


def spliced(item: bytes, found: Sequence[Place], shown: Mapping[str, Mapping[str, bytes | None]]) -> bytes:
    """With what `shown` has, by member and key, in place of the keys: null for None; a key that it lacks stays."""
    if len(found) == 1:
        [one] = found
        documents = shown[one.member]
        if one.key not in documents:
            return item
        return b"".join((item[: one.start], documents[one.key] or b"null", item[one.end :]))
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
