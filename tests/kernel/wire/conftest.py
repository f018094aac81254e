from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from tests.kernel.wire import small


@pytest.fixture
async def origin() -> AsyncIterator[str]:
    async with small.serving(small.application()) as address:
        yield address


@pytest.fixture
async def http(origin: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=origin) as client:
        yield client
