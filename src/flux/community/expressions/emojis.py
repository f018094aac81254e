"""Emojis."""

from __future__ import annotations

from typing import Any

from flux.community import faults
from flux.community.audit import actions
from flux.community.expressions import repository, rules
from flux.community.expressions.records import EmojiRow
from flux.community.expressions.schemas import EmojiCreate, EmojiView
from flux.community.expressions.service import ExpressionService, Kind
from flux.community.media.rules import EMOJI
from flux.community.standing import rules as bits
from flux.community.standing.service import Standing
from flux.community.users.schemas import UserPartial
from flux.kernel.store import Transaction


class EmojiService(ExpressionService[EmojiRow, EmojiView, EmojiCreate]):
    """Animated ones and others are counted apart: MAX_ANIMATED_EMOJIS, MAX_EMOJIS."""

    kind = Kind(
        "emojis", "GUILD_EMOJIS_UPDATE", EMOJI, faults.UNKNOWN_EMOJI, bits.USE_EXTERNAL_EMOJIS,
        actions.EMOJI_CREATE, actions.EMOJI_UPDATE, actions.EMOJI_DELETE,
    )  # fmt: skip
    shelf = repository.EMOJIS

    def view(self, row: EmojiRow, user: UserPartial | None = None) -> EmojiView:
        return EmojiView.of(row, user)

    async def worn(self, user_id: int, emoji_id: int) -> EmojiRow | None:
        """One that somebody may show beside their name: of a guild they are in."""
        row = (await self.shelf.some(self._db, [emoji_id])).get(emoji_id)
        known = row is not None and await self._where.is_member(row.guild_id, user_id)
        return row if known else None

    def _new(
        self, expression_id: int, guild_id: int, body: EmojiCreate, image: str, creator_id: int
    ) -> EmojiRow:
        return EmojiRow(expression_id, guild_id, body.name, int(image.startswith("a_")), image, creator_id)

    def _noted(self, row: EmojiRow) -> dict[str, Any]:
        return {"name": row.name}

    async def _demand_room(self, tx: Transaction, standing: Standing, row: EmojiRow) -> None:
        animated = bool(row.animated)
        most = rules.most_emojis(standing.guild.feature_list, self._limits, animated=animated)
        if await self.shelf.count(tx, row.guild_id, animated=row.animated) >= most:
            raise (faults.MAX_ANIMATED_EMOJIS if animated else faults.MAX_EMOJIS)(max=most)
