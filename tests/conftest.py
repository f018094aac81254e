"""What every test may use: databases (tests/harness/databases.py) and shared servers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.harness.server import Server, serve

pytest_plugins = ["tests.harness.databases"]


@pytest.fixture(scope="session", params=["sqlite", "postgres"])
def server_database(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
async def server(server_database: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Server]:
    """One sandbox server a database kind and test process. Leave no fault armed and make your own accounts."""
    async with serve(
        tmp_path_factory.mktemp(f"server-{server_database}"), database=server_database
    ) as running:
        yield running
