"""Vector search where the database measures first, and where it does not: the same answers."""

from __future__ import annotations

import random
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from flux.content.embeddings.rules import packed, unit
from flux.content.plane import migrations
from flux.content.projection import repository
from flux.content.search.nearness import Nearness
from flux.content.search.plan import DEFAULT_SORT, Plan, Scope
from flux.kernel.store import Database, MigrationSet, Transaction
from flux.kernel.store.opening import open_database
from flux.settings.store import StoreSettings

DOCUMENTS = 400
DIMENSIONS = 16
SLOT = 1
PLAN = Plan(Scope("f", "", None, ("en",)), (), DEFAULT_SORT, 10, 0, None)


@pytest.fixture(scope="session")
def migration_sets() -> Sequence[MigrationSet]:
    return [migrations()]


async def fill(database: Database, chance: random.Random) -> None:
    """Two vectors a document: some equal, some of nothing, some of another length."""
    crowd = [unit([chance.gauss(0, 1) for _ in range(DIMENSIONS)]) for _ in range(40)]

    def vector() -> bytes:
        kind = chance.randrange(10)
        if kind == 0:
            return packed([0.0] * DIMENSIONS)
        if kind == 1:
            return packed(unit([chance.gauss(0, 1) for _ in range(DIMENSIONS + 4)]))
        if kind < 6:
            return packed(chance.choice(crowd))
        return packed(unit([chance.gauss(0, 1) for _ in range(DIMENSIONS)]))

    documents = [
        {"id": number, "key": f"k{number * 7919 % 10007:05}", "item": b"{}"}
        for number in range(1, DOCUMENTS + 1)
    ]
    vectors = [
        {"slot": SLOT, "doc": one["id"], "ord": ord_, "vector": vector()}
        for one in documents
        for ord_ in (0, 1)
    ]

    async def work(tx: Transaction) -> None:
        await tx.run_many(
            "INSERT INTO content_documents (id, environment, folder, key, owner, component, version, revision, "
            "created_at, updated_at, plain, item) VALUES (:id, 'e', 'f', :key, '', '', 'v', 'r', 0, 0, 1, :item)",
            documents,
        )
        near = database.dialect == "postgres" and await repository.keeps_near(tx)
        await repository.put_vectors(tx, vectors[::2], near=near)
        # As they were before the extension came.
        await repository.put_vectors(tx, vectors[1::2][:40], near=False)
        await repository.put_vectors(tx, vectors[1::2][40:], near=near)

    await database.transact(work)


async def test_the_database_only_helps(database_url: str) -> None:
    database = await open_database(StoreSettings(database=database_url), None)  # type: ignore[arg-type]
    chance = random.Random(3)
    await fill(database, chance)
    house: Any = SimpleNamespace(db=database)
    helped, alone = Nearness(house), Nearness(house)
    alone._knows = False
    for _ in range(60):
        vector = unit([chance.gauss(0, 1) for _ in range(DIMENSIONS)])
        most, threshold = chance.choice((1, 5, 20, 100, 390)), chance.choice((0.0, 0.0, 0.2, 0.6, 1.0))
        asked = PLAN, [SLOT], vector, most, threshold
        found = await helped.nearest(*asked)
        assert found == await alone.nearest(*asked)
        assert found or threshold
    assert helped._knows, "neither sqlite-vec nor pgvector is there"
    await database.close()
