"""Documents that others refer to, kept while their folders stand still: many pages show the same few."""

from __future__ import annotations

from collections.abc import Sequence

from flux.content.search.rows import Hit
from flux.content.search.service import Search
from flux.content.settled import Settled
from flux.kernel.house import House

ENTRY_BYTES = 400
"""What a kept document costs in memory beside its bytes."""

Folders = tuple[str, ...]
_Kept = tuple[tuple[int, ...], dict[str, tuple[Hit, ...]]]


class Fragments:
    """By folders looked in and key, also keys that lead nowhere; at most so many bytes, then all of them are dropped."""

    def __init__(self, house: House, settled: Settled, search: Search) -> None:
        self._ports = house.ports
        self._search = search
        self._most_bytes = settled.content.fragment_cache_bytes
        self._kept: dict[Folders, _Kept] = {}
        self.bytes = 0

    async def of(self, folders: Folders, generations: tuple[int, ...], keys: Sequence[str]) -> list[Hit]:
        """The documents with these keys, each with its folder as what it is sorted by. `generations` are those of the folders, from
        before. What is not kept is asked for at once. While a fault waits at the store nothing is kept."""
        if self._ports.armed("store") or not self._most_bytes:
            return await self._search.many(list(folders), list(keys))
        kept = self._of_now(folders, generations)
        missing = [key for key in keys if key not in kept]
        led: dict[str, tuple[Hit, ...]] = dict.fromkeys(missing, ())
        if missing:
            for hit in await self._search.many(list(folders), missing):
                led[hit.key] = (*led[hit.key], hit)
            self._keep(folders, generations, led)
        return [hit for key in keys for hit in (led[key] if key in led else kept[key])]

    def _of_now(self, folders: Folders, generations: tuple[int, ...]) -> dict[str, tuple[Hit, ...]]:
        known = self._kept.get(folders)
        if known is None:
            return {}
        if known[0] != generations:
            self.bytes -= sum(_size(hits) for hits in known[1].values())
            del self._kept[folders]
            return {}
        return known[1]

    def _keep(self, folders: Folders, generations: tuple[int, ...], led: dict[str, tuple[Hit, ...]]) -> None:
        """Unless others have meanwhile kept a newer state, or an older one that is still asked for."""
        size = sum(_size(hits) for hits in led.values())
        if size > self._most_bytes:
            return
        if self.bytes + size > self._most_bytes:
            self._kept.clear()
            self.bytes = 0
        known = self._kept.setdefault(folders, (generations, {}))
        if known[0] != generations:
            return
        self.bytes += sum(_size(hits) for key, hits in led.items() if key not in known[1])
        known[1].update(led)


def _size(hits: tuple[Hit, ...]) -> int:
    return ENTRY_BYTES + sum(len(hit.item) for hit in hits)
