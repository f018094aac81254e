"""Readings of exact requests, kept: what is asked again need not be understood again, however often documents change.

A key names everything that was asked and the state of the environment's structure; so a reading is good for as long as
anybody asks by that key. What depends on a parent in the path is not kept.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable

from flux.content.delivery.reading import Reading
from flux.content.settled import Settled

LARGEST = 4096
"""Bytes of a request whose reading is kept."""
ENTRY_BYTES = 8000
"""What a kept reading costs in memory, with its key and what is bound to its statements; few cost as much."""


class Readings:
    """Those that were last asked for, at most so many bytes of them."""

    def __init__(self, settled: Settled) -> None:
        self._most = settled.content.reading_cache_bytes // ENTRY_BYTES
        self._kept: OrderedDict[Hashable, Reading] = OrderedDict()

    def of(self, key: Hashable, size: int, read: Callable[[], Reading]) -> Reading:
        """The one under `key`, else what `read` makes of a request of `size` bytes."""
        known = self._kept.get(key)
        if known is not None:
            self._kept.move_to_end(key)
            return known
        made = read()
        if self._most and size <= LARGEST:
            self._kept[key] = made.kept()
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return made
