"""A request whose listing, operation and price are known, and how it is to be paid."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from flux.kernel.wire import Call
from flux.paygate.facilitator.model import Requirement
from flux.paygate.ledger.model import Funds, Hold, Moved
from flux.paygate.listings.model import CallPlan, Listing, Meaning
from flux.paygate.payment.rules import Terms
from flux.paygate.replays.model import Remembered


class Asked(msgspec.Struct, frozen=True):
    """`suffix` is the raw path behind the listing id: empty, or starting with a slash. `mount` is gateway or x402."""

    call: Call
    plan: CallPlan
    listing: Listing
    meaning: Meaning
    terms: Terms
    suffix: str
    mount: str
    requirement: Callable[[], Requirement | None]
    """What it costs over x402, where that is offered."""
    body_limit: int

    @property
    def target(self) -> str:
        """Path and query below the listing, as signed by version 2."""
        query = self.call.query_string
        return f"{self.suffix}?{query}" if query else self.suffix

    def body(self) -> Awaitable[bytes]:
        """Read once. Raises `WireTrouble` when it is too large."""
        return self.call.body(self.body_limit)

    async def remembered(self, key: str | None) -> Remembered | None:
        if key is None:
            return None
        return Remembered.of(key, self.call.method, self.target, await self.body())


class Collected(msgspec.Struct, frozen=True):
    """Money that was moved, and what the answer says about it."""

    moved: Moved
    headers: dict[str, str]


class Bill(msgspec.Struct, frozen=True):
    """How a call is paid. `collect` moves the money once the target has answered well; None when it moved before.
    Raises `NotCollected`."""

    funds: Funds
    collect: Callable[[Hold], Awaitable[Collected]] | None = None
