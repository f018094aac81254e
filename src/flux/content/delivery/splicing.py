"""Documents put in the place of references, in the encoded bytes themselves. Pure.

Only where that is safe: a member whose name stands once in the schema, beside no field that holds JSON of any form. In JSON the
bytes `"name":` are then that member and nothing else, as a quote inside a string is written with a backslash.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from operator import itemgetter

import msgspec
from msgspec import Struct

from flux.content.projection.rules import MEMBERS

Reference = tuple[str, bytes]
"""The member in which a document names another, and that one's key."""
_QUOTE = ord('"')


class Page(Struct, frozen=True):
    """Documents with commas between them. `places` are where they name others, in order: the bytes from the first to the second
    number are the key with its quotes."""

    whole: bytes
    places: list[tuple[int, int, Reference]]


@lru_cache(maxsize=1024)
def _name(member: str) -> bytes:
    return msgspec.json.encode(member) + b":"


def page(items: Sequence[bytes], members: Sequence[str]) -> Page | None:
    """Members that are absent or null name nothing. None when some member holds anything but one plain string, or is
    called like what every document has beside its data."""
    if not MEMBERS.isdisjoint(members):
        return None
    whole = b",".join(items)
    find = whole.find
    places: list[tuple[int, int, Reference]] = []
    for member in members:
        name = _name(member)
        width = len(name)
        # Documents of a schema are written alike, and what stands behind a long text is found four times as fast from behind.
        seek = whole.rfind if items and items[0].find(name) * 2 > len(items[0]) else find
        begin = 0
        for item in items:
            end = begin + len(item)
            at = seek(name, begin, end)
            begin = end + 1
            if at < 0:
                continue
            start = at + width
            if whole[start] == _QUOTE:
                close = find(b'"', start + 1)
                places.append((start, close + 1, (member, whole[start + 1 : close])))
            elif not whole.startswith(b"null", start):
                return None
    if b"\\" in b"".join([key for _, _, (_, key) in places]):
        return None
    if len(members) > 1:
        places.sort(key=itemgetter(0))
    return Page(whole, places)


def spliced(page: Page, shown: Mapping[Reference, bytes]) -> bytes:
    """With what is shown for them in place of the keys; a key that is not among these stays."""
    whole = page.whole
    parts: list[bytes] = []
    at = 0
    for start, end, reference in page.places:
        document = shown.get(reference)
        if document is not None:
            parts += (whole[at:start], document)
            at = end
    parts.append(whole[at:])
    return b"".join(parts)
