from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from tests.operator.small import ADMIN, Small, serving


@pytest.fixture
async def instance(tmp_path: Path) -> AsyncIterator[Small]:
    async with serving(tmp_path) as running:
        yield running


@pytest.fixture
async def http(instance: Small) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=instance.origin) as client:
        yield client


@pytest.fixture
async def admin(instance: Small) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=instance.origin, headers=ADMIN) as client:
        yield client
