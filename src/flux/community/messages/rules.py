"""What may be said, and whom it pings. No I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from flux.community import faults
from flux.community.inputs import identifier
from flux.community.messages.schemas import AllowedMentions, RichEmbed
from flux.community.standing.service import Standing

_USER = re.compile(r"<@!?([0-9]{1,19})>")
_ROLE = re.compile(r"<@&([0-9]{1,19})>")
_EVERYONE = re.compile(r"@(everyone|here)\b")
_EMOJI = re.compile("[\u00a9\u00ae\u2000-\u3300\U0001f000-\U0001ffff\u20e3]")
_CUSTOM = re.compile(r"<?(?:a?:)?[A-Za-z0-9_]{1,32}:([0-9]{1,19})>?")
_WORD = re.compile(r"[A-Za-z:<>\s]")
MOST_EMOJI_CHARACTERS = 32
MOST_MENTIONS = 100


@dataclass(frozen=True, slots=True)
class Mentions:
    users: list[int]
    roles: list[int]
    everyone: bool


def mentions(content: str, allowed: AllowedMentions | None, *, may_everyone: bool) -> Mentions:
    """Whom the text pings: what it names, as far as `allowed` lets it; without `allowed`, everything it names."""
    users = _ids(_USER, content)
    roles = _ids(_ROLE, content)
    everyone = may_everyone and _EVERYONE.search(content) is not None
    if allowed is not None:
        parse = allowed.parse if isinstance(allowed.parse, list) else []
        users = _kept(users, "users" in parse, allowed.users)
        roles = _kept(roles, "roles" in parse, allowed.roles)
        everyone = everyone and "everyone" in parse
    return Mentions(users[:MOST_MENTIONS], roles[:MOST_MENTIONS], everyone)


def _ids(pattern: re.Pattern[str], content: str) -> list[int]:
    found = (identifier(text) for text in pattern.findall(content))
    return list(dict.fromkeys(each for each in found if each is not None))


def _kept(named: list[int], parsed: bool, listed: object) -> list[int]:
    if parsed:
        return named
    return [each for each in named if each in listed] if isinstance(listed, list) else []


def parse_emoji(text: str) -> str:
    """A Unicode emoji as it is, or the id of a custom one written `name:id` or `a:name:id`, from a path. Raises
    UNKNOWN_EMOJI."""
    plain = text.strip()
    if (custom := _CUSTOM.fullmatch(plain)) and (emoji_id := int(custom[1])) < 1 << 63:
        return str(emoji_id)
    if not 0 < len(plain) <= MOST_EMOJI_CHARACTERS or not _EMOJI.search(plain) or _WORD.search(plain):
        raise faults.UNKNOWN_EMOJI()
    return plain


def is_empty_embed(embed: RichEmbed) -> bool:
    return not any(getattr(embed, name) for name in embed.__struct_fields__ if name != "color")


def blocked(texts: Iterable[str], words: Iterable[str]) -> bool:
    """`words` are case-folded."""
    folded = [text.casefold() for text in texts]
    return any(word in text for word in words for text in folded)


def texts_of(content: str, embeds: Iterable[RichEmbed]) -> list[str]:
    """Everything a filter should read."""
    found = [content]
    for embed in embeds:
        found += [embed.title or "", embed.description or ""]
        found += [part for field in embed.fields or () for part in (field.name, field.value)]
    return found


def filters(standing: Standing) -> bool:
    """Whether the guild's filter for explicit images applies to this member."""
    level = standing.guild.explicit_content_filter
    return level == 2 or (level == 1 and not standing.role_ids)
