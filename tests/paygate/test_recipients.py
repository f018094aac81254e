"""Whom listings pay: somebody whose listings are gone is nobody any more."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from flux.kernel.store import Database, Transaction
from flux.kernel.store.migrations import MigrationSet
from flux.paygate.listings import repository
from flux.paygate.plane import migrations

PAYEE = "0x" + "11" * 20
LISTING = """
INSERT INTO paygate_listings (id, provider, name_key, endpoint_key, status, currency, chain_id, category, price_key, search,
    document, openapi, version, created_at, updated_at)
VALUES (:id, :id, :id, :id, 'active', 'ETH', 1, 'data', '1', '', :document, NULL, 1, 0, 0)
"""


@pytest.fixture(scope="module")
def migration_sets() -> Sequence[MigrationSet]:
    return [migrations()]


async def test_deleted_listings_pay_nobody(database: Database) -> None:
    async def listed(tx: Transaction) -> None:
        for api_id in ("one", "two"):
            await tx.run(LISTING, {"id": api_id, "document": b"{}"})
            values = {"address": PAYEE, "id": api_id}
            await tx.run(
                "INSERT INTO paygate_recipients (address, listing_id) VALUES (:address, :id)", values
            )

    assert not await repository.is_recipient(database, PAYEE)
    await database.transact(listed)
    for api_id, others in (("one", True), ("two", False)):
        assert await repository.is_recipient(database, PAYEE)
        assert await database.transact(lambda tx, gone=api_id: repository.delete(tx, gone, 5))  # type: ignore[misc]
        assert await repository.is_recipient(database, PAYEE) is others
