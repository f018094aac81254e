"""Encoded answers: kept while what they stand on stands, made once for equal requests at once, bounded."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from flux.content.delivery.answers import ENTRY_BYTES, PROBLEM_BYTES, Answers, Depends
from flux.content.faults import VALIDATION_ERROR
from flux.content.generations.service import Generations, advance
from flux.content.plane import migrations
from flux.kernel.faults import FaultError, Ports
from flux.kernel.identity import Vault
from flux.kernel.store import Database, MigrationSet, Transaction
from flux.settings.content import ContentSettings


@pytest.fixture(scope="session")
def migration_sets() -> Sequence[MigrationSet]:
    return [migrations()]


class Kitchen:
    """Answers over a real database, and something to answer: the generation of the folder `dishes`."""

    def __init__(self, database: Database, **settings: Any) -> None:
        self.db = database
        house: Any = SimpleNamespace(
            db=database, ports=Ports(enabled=False, deadline_seconds=1), vault=Vault(bytes(32))
        )
        settled: Any = SimpleNamespace(content=ContentSettings(**settings))
        self.answers = Answers(house, settled, Generations(house))
        self.made = 0
        self.open = asyncio.Event()
        self.open.set()

    async def make(self, depends: Depends) -> bytes:
        generation = await depends.on("dishes")
        self.made += 1
        await self.open.wait()
        return b"dish %d" % generation

    async def ask(self, key: object = "menu") -> bytes:
        return (await self.answers.answer(key, self.make)).body

    async def change(self) -> None:
        async def work(tx: Transaction) -> None:
            await advance(tx, "dishes")

        await self.db.transact(work)

    async def making(self, count: int) -> None:
        async with asyncio.timeout(20):
            while self.made < count:
                await asyncio.sleep(0.001)


async def test_an_answer_is_kept_until_something_changes(database: Database) -> None:
    kitchen = Kitchen(database)
    assert [await kitchen.ask() for _ in range(3)] == [b"dish 0"] * 3
    await kitchen.change()
    assert [await kitchen.ask() for _ in range(3)] == [b"dish 1"] * 3
    assert kitchen.made == 2


async def test_equal_requests_at_once_are_one_piece_of_work(database: Database) -> None:
    kitchen = Kitchen(database)
    kitchen.open.clear()
    asking = [asyncio.create_task(kitchen.ask()) for _ in range(20)]
    await kitchen.making(1)
    await asyncio.sleep(0.05)
    kitchen.open.set()
    assert set(await asyncio.gather(*asking)) == {b"dish 0"}
    assert kitchen.made == 1


async def test_who_asks_after_a_change_is_not_given_what_began_before(database: Database) -> None:
    kitchen = Kitchen(database, delivery_cache_entries=0)
    kitchen.open.clear()
    early = asyncio.create_task(kitchen.ask())
    await kitchen.making(1)
    await kitchen.change()
    late = asyncio.create_task(kitchen.ask())
    await asyncio.sleep(0.05)
    kitchen.open.set()
    assert (await early, await late) == (b"dish 0", b"dish 1")


async def test_who_waits_outlives_who_works(database: Database) -> None:
    """The first is cancelled, as by its time limit: the others do without it."""
    kitchen = Kitchen(database)
    kitchen.open.clear()
    asking = [asyncio.create_task(kitchen.ask()) for _ in range(3)]
    await kitchen.making(1)
    asking[0].cancel()
    await kitchen.making(2)
    kitchen.open.set()
    assert await asyncio.gather(*asking[1:]) == [b"dish 0"] * 2
    with pytest.raises(asyncio.CancelledError):
        await asking[0]


async def test_the_oldest_answers_make_room(database: Database) -> None:
    kitchen = Kitchen(database, delivery_cache_bytes=3 * (ENTRY_BYTES + 10))
    for key in "abcabd":
        await kitchen.ask(key)
    assert kitchen.made == 4
    for key in "abd":
        await kitchen.ask(key)
    assert kitchen.made == 4
    await kitchen.ask("c")
    assert kitchen.made == 5


async def test_a_refusal_is_kept_and_bounded_like_an_answer(database: Database) -> None:
    kitchen = Kitchen(database, delivery_cache_bytes=3 * ENTRY_BYTES + 4 * PROBLEM_BYTES)
    refused = VALIDATION_ERROR(detail=[{"field": "a", "message": "m", "details": "d"}])
    kitchen.answers.refuse("bad", refused)
    for _ in range(2):
        with pytest.raises(FaultError) as caught:
            kitchen.answers.at_hand("bad")
        assert caught.value is refused
    for number in range(3):
        kitchen.answers.refuse(number, refused)
    assert kitchen.answers.at_hand("bad") is None


async def test_what_is_at_hand_is_never_older_than_the_last_change(database: Database) -> None:
    kitchen = Kitchen(database)
    for expected in (b"dish 0", b"dish 1"):
        assert await kitchen.ask() == expected
        kept = kitchen.answers.at_hand("menu")
        # Elsewhere another process may have changed it: only the database knows.
        assert (kept is not None and kept.body == expected) or database.dialect == "postgres"
        await kitchen.change()
        assert kitchen.answers.at_hand("menu") is None
