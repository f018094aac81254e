"""Pages of history that were printed a moment ago, so that what everybody reads is not printed for each of them."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence

from msgspec import Struct

from flux.community.messages.records import ID, Columns, MessageRow
from flux.community.messages.schemas import ReactionView

_MOST_SEEN = 1000
_ROW_BYTES = 700
"""About what a row takes beside its text."""


class Material(Struct, frozen=True):
    """All that the JSON of a page depends on: its rows, what they answer, accounts as others see them, and the reactions as
    the viewer sees them."""

    rows: Sequence[Columns]
    answered: Mapping[int, MessageRow]
    cards: Mapping[int, bytes]
    reactions: Mapping[int, list[ReactionView]]


class KeptPages:
    """Printed pages, about `most_bytes` of them; what was kept first goes first.

    Nothing here can be stale: a page counts only for equal material, and that is read from the database each time, whoever
    changed it and in whichever process.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._bytes = 0
        self._seen: set[tuple[int, int]] = set()
        self._kept: OrderedDict[tuple[int, int], tuple[Material, bytes, int]] = OrderedDict()

    def find(self, made_of: Material) -> bytes | None:
        """The JSON of its messages."""
        kept = self._kept.get(_key(made_of))
        return kept[1] if kept is not None and kept[0] == made_of else None

    def offer(self, made_of: Material, text: bytes) -> None:
        """Keeps a page that is read for the second time: most are read once, and to hold them would only cost."""
        key = _key(made_of)
        if key not in self._seen:
            if len(self._seen) >= _MOST_SEEN:
                self._seen.clear()
            self._seen.add(key)
            return
        if (before := self._kept.pop(key, None)) is not None:
            self._bytes -= before[2]
        size = len(text) * 2 + len(made_of.rows) * _ROW_BYTES
        self._kept[key] = (made_of, text, size)
        self._bytes += size
        while self._bytes > self._most:
            self._bytes -= self._kept.popitem(last=False)[1][2]


def _key(made_of: Material) -> tuple[int, int]:
    rows = made_of.rows
    return (rows[0][ID], rows[-1][ID]) if rows else (0, 0)
