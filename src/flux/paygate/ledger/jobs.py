"""Leases that ran out because a process died or hung: looked for every few seconds, by one process at a time."""

from __future__ import annotations

import logging
from typing import Any

from flux.paygate.ledger.service import Ledger

log = logging.getLogger("flux.paygate.ledger")
KIND = "paygate.leases"
PAGE = 100
MOST_PAGES = 1_000


class LeaseSweeper:
    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def sweep(self, _: dict[str, Any]) -> None:
        """All of them: a process that dies leaves many. Idempotent: each lease is judged again inside its unit of work."""
        for _page in range(MOST_PAGES):
            rows = await self._ledger.run_out(PAGE)
            for row in rows:
                log.warning("the lease of call %s ran out while %s", row.call_id, row.state)
                await self._ledger.expire(row)
            if len(rows) < PAGE:
                return
