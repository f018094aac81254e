"""From what a body says to what is kept: lengths, the word filter, mentions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec
from msgspec import Struct

from flux.community import faults
from flux.community.envelope import invalid
from flux.community.messages import rules
from flux.community.messages.rules import Mentions
from flux.community.messages.schemas import AllowedMentions, RichEmbed
from flux.community.roles.service import RoleService
from flux.kernel.store import Transaction
from flux.settings.community import CommunitySettings


class Words(Struct, frozen=True):
    """`embeds` is JSON as it is kept."""

    content: str
    embeds: bytes
    mentions: Mentions


def embeds_json(embeds: Iterable[RichEmbed]) -> bytes:
    """As they are kept and shown: without what was left out, and of type `rich`."""
    return msgspec.json.encode([{"type": "rich", **msgspec.to_builtins(embed)} for embed in embeds])


class Composing:
    def __init__(self, settings: CommunitySettings, roles: RoleService) -> None:
        self.limits = settings.limits
        self._roles = roles
        self._blocked = [word.casefold() for word in settings.blocked_words]

    def compose(
        self,
        content: str,
        embeds: Sequence[RichEmbed],
        allowed: AllowedMentions | None,
        *,
        premium: bool = False,
        may_embed: bool = True,
        may_everyone: bool = True,
    ) -> Words:
        """Raises a validation failure on `content` or `embeds`, CONTENT_BLOCKED."""
        most = self.limits.message_length_premium if premium else self.limits.message_length
        if len(content) > most:
            raise invalid("content", f"At most {most} characters.", "CONTENT_TOO_LONG")
        if len(embeds) > self.limits.message_embeds:
            raise invalid("embeds", f"At most {self.limits.message_embeds} embeds.", "LENGTH_INVALID")
        kept = [embed for embed in embeds if not rules.is_empty_embed(embed)] if may_embed else []
        if self._blocked and rules.blocked(rules.texts_of(content, kept), self._blocked):
            raise faults.CONTENT_BLOCKED()
        return Words(
            content,
            embeds_json(kept) if kept else b"[]",
            rules.mentions(content, allowed, may_everyone=may_everyone),
        )

    async def calling(
        self, tx: Transaction, guild_id: int | None, named: Mentions, *, may_everyone: bool = True
    ) -> Mentions:
        """Of the roles that a text names, those it calls: the guild's own, and without MENTION_EVERYONE only those that
        everybody may mention. Everyone's role is called by `@everyone` alone."""
        if not named.roles:
            return named
        known = [] if guild_id is None else await self._roles.all(guild_id, tx)
        callable_ = {role.id for role in known if may_everyone or role.mentionable} - {guild_id}
        return Mentions(named.users, [each for each in named.roles if each in callable_], named.everyone)
