"""Discovery, health and the gateway's address."""

from __future__ import annotations

from flux.community import buckets, faults
from flux.community.instance.schemas import GatewayBot, GatewayUrl, WellKnown
from flux.community.instance.service import InstanceService
from flux.community.principals import ANYBODY, BOT, OPEN
from flux.kernel.wire import Call, Raw, Routes

routes = Routes(tag="instance")


@routes.get("/.well-known/fluxer", auth=OPEN)
async def well_known(call: Call) -> WellKnown:
    """What this instance is and offers."""
    return call.use(InstanceService).well_known()


@routes.get("/_health", auth=OPEN, free=True)
async def health(call: Call) -> Raw:
    """`OK`, uncounted."""
    return Raw(b"OK", "text/plain; charset=utf-8")


@routes.get("/gateway", auth=OPEN)
async def gateway(call: Call) -> GatewayUrl:
    """Where the realtime gateway is."""
    return GatewayUrl(call.use(InstanceService).gateway_url)


@routes.get("/gateway/bot", auth=BOT, bucket=buckets.GATEWAY_BOT)
async def gateway_for_bots(call: Call) -> GatewayBot:
    """Where the realtime gateway is, for bots."""
    return call.use(InstanceService).gateway_bot()


async def _no_pictures(call: Call) -> None:
    """Picture search is not switched on at this instance."""
    raise faults.NOT_IMPLEMENTED()


for _provider in ("tenor", "klipy"):
    for _verb in ("search", "featured", "suggest", "trending-gifs"):
        routes.get(f"/{_provider}/{_verb}", auth=ANYBODY, raises=[faults.NOT_IMPLEMENTED])(_no_pictures)
