"""`/channels/{channel_id}/rtc-regions`."""

from __future__ import annotations

from flux.community import faults
from flux.community.principals import HUMAN
from flux.community.voice.service import RegionService, RegionView
from flux.kernel.wire import Call, Routes, Snowflake

routes = Routes(tag="voice")


@routes.get(
    "/channels/{channel_id}/rtc-regions",
    auth=HUMAN,
    raises=[faults.UNKNOWN_CHANNEL, faults.MISSING_ACCESS, faults.INVALID_CHANNEL_TYPE],
)
async def list_regions(call: Call, channel_id: Snowflake) -> list[RegionView]:
    """Where a voice channel can be carried; its `rtc_region` is one of these ids, or null for automatic."""
    return await call.use(RegionService).of_channel(call.principal.user, channel_id)
