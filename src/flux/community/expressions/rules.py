"""How many expressions a guild may have, and who may change one. No I/O."""

from __future__ import annotations

from collections.abc import Collection

from flux.community.standing import rules as bits
from flux.community.standing.service import Standing
from flux.settings.community import CommunityLimits

UNLIMITED = 999_999


def most_emojis(features: Collection[str], limits: CommunityLimits, *, animated: bool) -> int:
    if "UNLIMITED_EMOJI" in features:
        return UNLIMITED
    if "MORE_EMOJI" in features:
        return limits.max_emojis_more
    return limits.max_animated_emojis if animated else limits.max_emojis


def most_stickers(features: Collection[str], limits: CommunityLimits) -> int:
    if "UNLIMITED_STICKERS" in features:
        return UNLIMITED
    return limits.max_stickers_more if "MORE_STICKERS" in features else limits.max_stickers


def demand_may_change(standing: Standing, creator_id: int) -> None:
    """One's own with CREATE_EXPRESSIONS, any with MANAGE_EXPRESSIONS. Raises MISSING_PERMISSIONS."""
    own = creator_id == standing.user.id and standing.permissions & bits.CREATE_EXPRESSIONS
    standing.need(bits.CREATE_EXPRESSIONS if own else bits.MANAGE_EXPRESSIONS)
