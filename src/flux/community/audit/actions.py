"""The numbers of the actions, and what changed between two rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

GUILD_UPDATE = 1
CHANNEL_CREATE, CHANNEL_UPDATE, CHANNEL_DELETE = 10, 11, 12
CHANNEL_OVERWRITE_CREATE, CHANNEL_OVERWRITE_UPDATE, CHANNEL_OVERWRITE_DELETE = 13, 14, 15
MEMBER_KICK, MEMBER_PRUNE, MEMBER_BAN_ADD, MEMBER_BAN_REMOVE = 20, 21, 22, 23
MEMBER_UPDATE, MEMBER_ROLE_UPDATE = 24, 25
BOT_ADD = 28
ROLE_CREATE, ROLE_UPDATE, ROLE_DELETE = 30, 31, 32
INVITE_CREATE, INVITE_UPDATE, INVITE_DELETE = 40, 41, 42
WEBHOOK_CREATE, WEBHOOK_UPDATE, WEBHOOK_DELETE = 50, 51, 52
EMOJI_CREATE, EMOJI_UPDATE, EMOJI_DELETE = 60, 61, 62
MESSAGE_DELETE, MESSAGE_BULK_DELETE, MESSAGE_PIN, MESSAGE_UNPIN = 72, 73, 74, 75
STICKER_CREATE, STICKER_UPDATE, STICKER_DELETE = 90, 91, 92

ABOUT_PEOPLE = frozenset(
    {MEMBER_KICK, MEMBER_BAN_ADD, MEMBER_BAN_REMOVE, MEMBER_UPDATE, MEMBER_ROLE_UPDATE, BOT_ADD, MESSAGE_DELETE, MESSAGE_PIN, MESSAGE_UNPIN}
)  # fmt: skip
ABOUT_WEBHOOKS = frozenset({WEBHOOK_CREATE, WEBHOOK_UPDATE, WEBHOOK_DELETE})

Change = dict[str, Any]
LONGEST = 512


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """What differs, key by key. Ids and bitfields should be strings already."""
    found: list[Change] = []
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        change: Change = {"key": key}
        if old is not None:
            change["old_value"] = old
        if new is not None:
            change["new_value"] = new
        found.append(change)
    return found


def created(values: Mapping[str, Any]) -> list[Change]:
    return changes({}, values)


def deleted(values: Mapping[str, Any]) -> list[Change]:
    return changes(values, {})


def of(row: Any, names: Iterable[str]) -> dict[str, Any]:
    """Some columns of a row as the log shows them: ids as strings."""
    return {name: shown(name, getattr(row, name)) for name in names}


def shown(name: str, value: Any) -> Any:
    if value is None or isinstance(value, (str, bool, list)):
        return value
    if isinstance(value, int) and (name.endswith("_id") or name in ("id", "permissions", "allow", "deny")):
        return str(value)
    return value
