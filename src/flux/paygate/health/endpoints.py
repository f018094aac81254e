"""Liveness, and readiness of the store and of every chain that has a node."""

from __future__ import annotations

import asyncio
from typing import Any

from flux.kernel.faults import PortFailure
from flux.kernel.store import Database
from flux.kernel.wire import Call, Routes
from flux.paygate.chains.registry import Chain, Chains
from flux.paygate.chains.service import ChainReader
from flux.paygate.faults import SERVICE_UNAVAILABLE
from flux.paygate.words import API, PROBE
from flux.settings.paygate import PaygateSettings

routes = Routes(tag="health", prefix=API)


class Pulse:
    """Asks what the plane stands on."""

    def __init__(self, db: Database, chains: ChainReader) -> None:
        self._db = db
        self._chains = chains

    async def database(self) -> str:
        try:
            await self._db.value("SELECT 1", {})
        except PortFailure as failure:
            return failure.mode.value
        return "ok"

    async def chain(self, chain: Chain) -> str:
        if not chain.rpc_urls:
            return "not_configured"
        try:
            await self._chains.call(chain, ("eth_blockNumber", []))
        except PortFailure as failure:
            return failure.reason or failure.mode.value
        return "ok"


@routes.get("/health", auth=PROBE)
async def show_health(call: Call) -> dict[str, Any]:
    """The process answers."""
    return {"status": "ok"}


@routes.get("/ready", auth=PROBE, raises=[SERVICE_UNAVAILABLE])
async def show_readiness(call: Call) -> dict[str, Any]:
    """The store and the chains' nodes answer."""
    pulse, chains = call.use(Pulse), list(call.use(Chains))
    database, *found = await asyncio.gather(pulse.database(), *(pulse.chain(chain) for chain in chains))
    view = {
        "database": database,
        "chains": {chain.name: state for chain, state in zip(chains, found, strict=True)},
    }
    if database != "ok" or any(state not in ("ok", "not_configured") for state in found):
        seconds = call.use(PaygateSettings).maintenance_retry_seconds
        raise SERVICE_UNAVAILABLE(reason="not_ready", seconds=seconds, detail=view)
    return {"status": "ready", **view}
