"""Indexing a folder again after its schema changed."""

from __future__ import annotations

from typing import Any

from flux.content.projection.service import REINDEX, Projection
from flux.kernel.jobs import Jobs


def register(jobs: Jobs, projection: Projection) -> None:
    async def reindex(payload: dict[str, Any]) -> None:
        await projection.reindex(payload["folder"], payload["component"])

    jobs.handle(REINDEX, reindex)
