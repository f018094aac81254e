"""Documents that others refer to: kept while their folders stand still, within bytes, and never older than that."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from flux.content.delivery.fragments import ENTRY_BYTES, Fragments
from flux.content.search.rows import Hit
from flux.kernel.faults import Ports
from flux.settings.content import ContentSettings


class Shelf:
    """Documents by key, and how often each was asked for."""

    def __init__(self, most: int, **documents: str) -> None:
        self.documents = documents
        self.asked: list[str] = []
        house: Any = SimpleNamespace(ports=Ports(enabled=False, deadline_seconds=1))
        settled: Any = SimpleNamespace(content=ContentSettings(fragment_cache_bytes=most))
        search: Any = self
        self.fragments = Fragments(house, settled, search)

    async def many(self, folders: list[str], keys: list[str]) -> list[Hit]:
        self.asked += keys
        return [Hit(1, key, "v", 1, self.documents[key].encode()) for key in keys if key in self.documents]

    async def ask(self, generation: int, *keys: str) -> list[bytes]:
        return [hit.item for hit in await self.fragments.of(("f",), (generation,), keys)]


async def test_asked_for_once_a_state_also_when_there_is_none() -> None:
    shelf = Shelf(100_000, a="1", b="2")
    assert await shelf.ask(1, "a", "c") == [b"1"]
    assert await shelf.ask(1, "a", "b", "c") == [b"1", b"2"]
    assert shelf.asked == ["a", "c", "b"]
    shelf.documents = {"a": "new", "c": "3"}
    assert await shelf.ask(2, "a", "c") == [b"new", b"3"]
    assert await shelf.ask(1, "a") == [b"new"]


async def test_bounded_by_bytes() -> None:
    documents = {f"k{number}": "x" * 100 for number in range(50)}
    shelf = Shelf(10 * (ENTRY_BYTES + 100), **documents)
    for key in documents:
        assert await shelf.ask(1, key) == [b"x" * 100]
        assert 0 < shelf.fragments.bytes <= 10 * (ENTRY_BYTES + 100)
    assert await shelf.ask(1, *documents) == [b"x" * 100] * 50
    off = Shelf(0, a="1")
    assert [await off.ask(1, "a") for _ in range(2)] == [[b"1"]] * 2
    assert off.asked == ["a", "a"]
