"""Leases that ran out because a process died or hung: looked for every few seconds, by one process at a time."""

from __future__ import annotations

import logging
from typing import Any

from flux.paygate.ledger.service import Ledger

log = logging.getLogger("flux.paygate.ledger")
KIND = "paygate.leases"
SECONDS = 5.0


class LeaseSweeper:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def sweep(self, _: dict[str, Any]) -> None:
        """Idempotent: each lease is judged again inside its unit of work."""
        for row in await self._ledger.run_out():
            log.warning("the lease of call %s ran out while %s", row.call_id, row.state)
            await self._ledger.expire(row)
