"""The list beside a channel against one that is made line by line in the most obvious way."""

from __future__ import annotations

import random
from typing import Any

import pytest

from flux.community.realtime.memberlist import LAST, MOST_AT_ONCE, arrange, ranges_of


class Someone:
    """What of a member and a role the list looks at."""

    def __init__(self, **known: Any) -> None:
        self.__dict__.update(known)


def people(dice: random.Random, roles: list[Any]) -> list[Any]:
    found = []
    for number in range(1, dice.randrange(1, 40)):
        name = dice.choice(("ada", "Bob", "Ünal", "bob", "zoe")) + str(dice.randrange(3))
        user = Someone(id=str(number), global_name=dice.choice((None, name)), username=f"u{number % 7}")
        held = [role.id for role in roles if dice.random() < 0.3]
        found.append(Someone(user=user, nick=dice.choice((None, name)), roles=held))
    return found


def lines_of(members: list[Any], roles: list[Any], status: dict[int, str]) -> list[Any]:
    """Each group's heading, then its members by name; headings of nobody are left out."""
    hoisted = [role for role in roles if role.hoist]
    hoisted.sort(key=lambda role: (-(role.hoist_position or role.position), int(role.id)))
    lines: list[Any] = []
    placed: set[str] = set()
    for name in [*(role.id for role in hoisted), "online", "offline"]:
        standing = []
        for member in members:
            gone = status[int(member.user.id)] == "offline"
            fits = gone if name == "offline" else not gone and (name == "online" or name in member.roles)
            if fits and member.user.id not in placed:
                standing.append(member)
                placed.add(member.user.id)
        standing.sort(
            key=lambda each: (
                (each.nick or each.user.global_name or each.user.username).casefold(),
                int(each.user.id),
            )
        )
        lines += [("group", name, len(standing)), *(each.user.id for each in standing)] if standing else []
    return lines


@pytest.mark.parametrize("seed", range(100))
def test_every_window_is_a_piece_of_the_whole_list(seed: int) -> None:
    dice = random.Random(seed)
    roles: list[Any] = [
        Someone(
            id=str(number),
            hoist=dice.random() < 0.6,
            position=dice.randrange(1, 4),
            hoist_position=dice.choice((None, dice.randrange(1, 4))),
        )
        for number in range(100, 100 + dice.randrange(5))
    ]
    members = people(dice, roles)
    status = {int(each.user.id): dice.choice(("online", "idle", "offline")) for each in members}
    shown = arrange(members, roles, status.__getitem__)
    whole = lines_of(members, roles, status)
    here = sum(each != "offline" for each in status.values())
    assert (shown.member_count, shown.online_count) == (len(members), here)
    ranges = ranges_of([[0, 4], [3, 20], [50, 99], [0, LAST], [7, 7]])
    window = shown.window(1, 2, ranges)
    assert [each["range"] for each in window["ops"]] == [list(each) for each in ranges]
    for (start, end), op in zip(ranges, window["ops"], strict=True):
        told = [
            ("group", line["group"]["id"], line["group"]["count"])
            if "group" in line
            else line["member"].user.id
            for line in op["items"]
        ]
        assert told == whole[start : end + 1]
    assert [(each["id"], each["count"]) for each in window["groups"]] == [
        line[1:] for line in whole if isinstance(line, tuple)
    ]


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ([[0, 99]], [(0, 99)]),
        ([[0, LAST]], [(0, MOST_AT_ONCE - 1)]),
        ([[0, LAST + 1], [5, 4], [-1, 3], [0, 1.5], [True, 2], [0], "x", None, [1, 1]], []),
        ([[1, 1]] * 9, [(1, 1)] * 5),
        ("x", []),
        (None, []),
    ],
)
def test_windows_that_make_no_sense_are_left_out(given: Any, taken: list[tuple[int, int]]) -> None:
    assert ranges_of(given) == taken
