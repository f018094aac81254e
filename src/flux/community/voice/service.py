"""The regions of the instance, as the operator lists them."""

from __future__ import annotations

from msgspec import Struct

from flux.community import faults
from flux.community.standing import records
from flux.community.standing.service import StandingService
from flux.community.users.records import UserRow
from flux.settings.community_voice import Voice


class RegionView(Struct, frozen=True):
    id: str
    name: str
    emoji: str


class RegionService:
    def __init__(self, where: StandingService, settings: Voice) -> None:
        self._where = where
        self._regions = [RegionView(each.id, each.name, each.emoji) for each in settings.regions]
        self._ids = frozenset(each.id for each in settings.regions)

    def listing(self) -> list[RegionView]:
        return self._regions

    async def of_channel(self, user: UserRow, channel_id: int) -> list[RegionView]:
        """Raises UNKNOWN_CHANNEL, MISSING_ACCESS, INVALID_CHANNEL_TYPE."""
        standing = await self._where.channel(user, channel_id)
        if standing.channel.type != records.VOICE:
            raise faults.INVALID_CHANNEL_TYPE()
        return self._regions

    def demand(self, region_id: str) -> None:
        """Raises UNKNOWN_VOICE_REGION."""
        if region_id not in self._ids:
            raise faults.UNKNOWN_VOICE_REGION()
