"""Permission overwrites of a channel: who may give and take what."""

from __future__ import annotations

from flux.community import faults
from flux.community.channels import repository
from flux.community.channels.schemas import OverwriteInput
from flux.community.envelope import invalid
from flux.community.standing import rules
from flux.community.standing.service import Standing
from flux.kernel.store import Transaction
from flux.settings.community import CommunityLimits


class Overwrites:
    """Everything happens in the caller's unit of work; permission to do it at all was checked before."""

    def __init__(self, limits: CommunityLimits) -> None:
        self._limits = limits

    async def put(
        self,
        tx: Transaction,
        standing: Standing,
        own: int,
        channel_id: int,
        target_id: int,
        kind: int,
        allow: int,
        deny: int,
    ) -> None:
        """`own` are the caller's permissions in the channel. Raises MISSING_PERMISSIONS for bits they lack. Whether there
        is room is for the caller to ask, when it is the channel's turn."""
        if not own & rules.ADMINISTRATOR and not rules.may_grant(allow | deny, own):
            raise faults.MISSING_PERMISSIONS()
        await repository.put_overwrite(tx, channel_id, target_id, kind, allow & rules.ALL, deny & rules.ALL)

    async def replace(
        self, tx: Transaction, standing: Standing, own: int, channel_id: int, wanted: list[OverwriteInput]
    ) -> None:
        """All of them at once. Needs MANAGE_ROLES."""
        standing.need(rules.MANAGE_ROLES)
        self._demand_few(len(wanted))
        await repository.drop_overwrites(tx, channel_id)
        for each in wanted:
            allow, deny = int(each.allow or 0), int(each.deny or 0)
            await self.put(tx, standing, own, channel_id, each.id, each.type, allow, deny)

    async def demand_room(self, tx: Transaction, channel_id: int, target_id: int) -> None:
        """For one of that target. Raises VALIDATION_ERROR on `permission_overwrites`."""
        self._demand_few(await repository.count_other_overwrites(tx, channel_id, target_id) + 1)

    def _demand_few(self, count: int) -> None:
        most = self._limits.channel_overwrites
        if count > most:
            raise invalid("permission_overwrites", f"At most {most}.", "LENGTH_INVALID")
