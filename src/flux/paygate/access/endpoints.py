"""Suspending providers, for the operator."""

from __future__ import annotations

from flux.kernel.wire import Call, Routes
from flux.paygate.access.service import Providers
from flux.paygate.scalars import Address
from flux.paygate.words import ADMIN, API

routes = Routes(tag="admin", prefix=API)


@routes.post("/admin/providers/{address}/block", auth=ADMIN, status=204)
async def block_provider(call: Call, address: Address) -> None:
    """Suspend a provider: its listings answer PROVIDER_BLOCKED."""
    await call.use(Providers).block(address)


@routes.delete("/admin/providers/{address}/block", auth=ADMIN, status=204)
async def unblock_provider(call: Call, address: Address) -> None:
    """Lift a suspension."""
    await call.use(Providers).unblock(address)
