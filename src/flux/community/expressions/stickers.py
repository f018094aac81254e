"""Stickers."""

from __future__ import annotations

from typing import Any

from flux.community import faults
from flux.community.audit import actions
from flux.community.expressions import repository, rules
from flux.community.expressions.records import StickerRow
from flux.community.expressions.schemas import StickerCreate, StickerView
from flux.community.expressions.service import ExpressionService, Kind
from flux.community.inputs import encode
from flux.community.media.rules import STICKER
from flux.community.standing import rules as bits
from flux.community.standing.service import Standing
from flux.community.users.schemas import UserPartial
from flux.kernel.store import Transaction


class StickerService(ExpressionService[StickerRow, StickerView, StickerCreate]):
    """There are MAX_STICKERS of them, animated or not."""

    kind = Kind(
        "stickers", "GUILD_STICKERS_UPDATE", STICKER, faults.UNKNOWN_STICKER, bits.USE_EXTERNAL_STICKERS,
        actions.STICKER_CREATE, actions.STICKER_UPDATE, actions.STICKER_DELETE,
    )  # fmt: skip
    shelf = repository.STICKERS

    def view(self, row: StickerRow, user: UserPartial | None = None) -> StickerView:
        return StickerView.of(row, user)

    def _new(
        self, expression_id: int, guild_id: int, body: StickerCreate, image: str, creator_id: int
    ) -> StickerRow:
        return StickerRow(
            expression_id, guild_id, body.name, body.description or "", encode(body.tags or []),
            int(image.startswith("a_")), image, creator_id,
        )  # fmt: skip

    def _noted(self, row: StickerRow) -> dict[str, Any]:
        return {"name": row.name, "description": row.description or None, "tags": row.tag_list or None}

    async def _demand_room(self, tx: Transaction, standing: Standing, row: StickerRow) -> None:
        most = rules.most_stickers(standing.guild.feature_list, self._limits)
        if await self.shelf.count(tx, row.guild_id) >= most:
            raise faults.MAX_STICKERS(max=most)
