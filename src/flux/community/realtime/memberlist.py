"""The list of members beside a channel: who stands where in it. Pure.

Hoisted roles come first, highest first, with their members who are here; then everybody else who is here; then those
who are not. A window of the list is told as one SYNC.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from flux.community.members.schemas import MemberView
from flux.community.roles.schemas import RoleView

LAST = 100_000
"""Nobody is shown the list beyond this place."""
MOST_RANGES = 5
MOST_AT_ONCE = 1000
ONLINE, OFFLINE = "online", "offline"


class MemberList:
    """`groups` as they are told, `items` every line of the list, headings included."""

    def __init__(
        self, groups: list[dict[str, Any]], items: list[dict[str, Any]], members: int, here: int
    ) -> None:
        self.groups = groups
        self.items = items
        self.member_count = members
        self.online_count = here

    def window(self, guild_id: int, channel_id: int, ranges: Sequence[tuple[int, int]]) -> dict[str, Any]:
        """GUILD_MEMBER_LIST_UPDATE."""
        return {
            "guild_id": str(guild_id),
            "id": str(channel_id),
            "channel_id": str(channel_id),
            "member_count": self.member_count,
            "online_count": self.online_count,
            "groups": self.groups,
            "ops": [
                {"op": "SYNC", "range": [start, end], "items": self.items[start : end + 1]}
                for start, end in ranges
            ],
        }


def arrange(
    members: Iterable[MemberView], roles: Iterable[RoleView], status_of: Callable[[int], str]
) -> MemberList:
    """`status_of` gives a user's status by id."""
    hoisted = sorted((role for role in roles if role.hoist), key=_height, reverse=True)
    lines: dict[str, list[MemberView]] = {
        name: [] for name in (*(role.id for role in hoisted), ONLINE, OFFLINE)
    }
    count = 0
    for member in members:
        count += 1
        if status_of(int(member.user.id)) == "offline":
            lines[OFFLINE].append(member)
            continue
        held = set(member.roles)
        lines[next((role.id for role in hoisted if role.id in held), ONLINE)].append(member)
    groups: list[dict[str, Any]] = []
    items: list[dict[str, Any]] = []
    for name, standing in lines.items():
        if not standing:
            continue
        group = {"id": name, "count": len(standing)}
        groups.append(group)
        items.append({"group": group})
        items += [{"member": member} for member in sorted(standing, key=_called)]
    return MemberList(groups, items, count, count - len(lines[OFFLINE]))


def ranges_of(given: Any) -> list[tuple[int, int]]:
    """The windows a client asked for; what makes no sense is left out."""
    found = []
    for each in (given if isinstance(given, list) else [])[:MOST_RANGES]:
        if isinstance(each, list) and len(each) == 2 and all(type(end) is int for end in each):
            start, end = each
            if 0 <= start <= end <= LAST:
                found.append((start, min(end, start + MOST_AT_ONCE - 1)))
    return found


def _height(role: RoleView) -> tuple[int, int]:
    return (role.position if role.hoist_position is None else role.hoist_position, -int(role.id))


def _called(member: MemberView) -> tuple[str, int]:
    name = member.nick or member.user.global_name or member.user.username
    return name.casefold(), int(member.user.id)
