"""Refresh tokens at rest: no longer than they are good for."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from flux.content.accounts.service import Accounts
from flux.content.plane import migrations
from flux.kernel.faults import FaultError
from flux.kernel.identity import Vault
from flux.kernel.store import Database, MigrationSet, SandboxClock
from flux.settings.content import ContentSettings


@pytest.fixture(scope="module")
def migration_sets() -> Sequence[MigrationSet]:
    return [migrations()]


async def test_tokens_that_are_over_are_forgotten_and_others_are_not(database: Database) -> None:
    clock = SandboxClock()
    settings = ContentSettings(refresh_token_seconds=1000, access_token_seconds=100)
    house: Any = SimpleNamespace(
        db=database, clock=clock, vault=Vault(bytes(32)), settings=SimpleNamespace(content=settings)
    )
    accounts = Accounts(house)

    async def kept() -> int:
        return int(await database.value("SELECT count(*) FROM content_refresh_tokens", {}))

    user = (await accounts.found("ada@example.test", "correct horse", "Ada", "L")).key
    first = await accounts.issue(user)
    await accounts.refresh(first.refresh)
    clock.advance(900)
    still_good = await accounts.issue(user)
    assert await kept() == 3, "the spent one too: it must stay spent"
    with pytest.raises(FaultError):
        await accounts.refresh(first.refresh)
    clock.advance(150)
    await accounts.issue(user)
    assert await kept() == 2
    assert await accounts.refresh(still_good.refresh)
