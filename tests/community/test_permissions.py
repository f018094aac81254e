"""The permission algorithm, without a database: what the wire contract says in its numbered steps."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from flux.community.standing import rules

GUILD, USER, ROLE, OTHER_ROLE = 10, 20, 30, 40
VIEW, SEND, PIN = rules.VIEW_CHANNEL, rules.SEND_MESSAGES, rules.PIN_MESSAGES
bits = st.integers(0, (1 << 63) - 1)


@dataclass
class Overwrite:
    target_id: int
    kind: int = rules.ROLE
    allow: int = 0
    deny: int = 0


def channel(base: int, *overwrites: Overwrite, roles: tuple[int, ...] = (ROLE,)) -> int:
    return rules.in_channel(base, overwrites, guild_id=GUILD, user_id=USER, role_ids=roles)


def test_the_bits_are_the_published_ones() -> None:
    assert rules.CREATE_INSTANT_INVITE == 1
    assert rules.ADMINISTRATOR == 8
    assert rules.VIEW_CHANNEL == 1024
    assert rules.USE_EXTERNAL_STICKERS == 137_438_953_472
    assert rules.MODERATE_MEMBERS == 1_099_511_627_776
    assert rules.UPDATE_RTC_REGION == 9_007_199_254_740_992
    undefined = [19, *range(31, 37), 38, 39, 41, 42, *range(44, 51), *range(54, 63)]
    assert sum(1 << bit for bit in undefined) & rules.ALL == 0
    assert bin(rules.ALL).count("1") == 36


def test_the_owner_has_everything() -> None:
    assert rules.in_guild(owner=True, everyone=0, roles=[]) == rules.ALL


def test_roles_add_up_and_administrators_have_everything() -> None:
    assert rules.in_guild(owner=False, everyone=VIEW, roles=[SEND, PIN]) == VIEW | SEND | PIN
    assert rules.in_guild(owner=False, everyone=0, roles=[rules.ADMINISTRATOR]) == rules.ALL


def test_administrators_are_above_overwrites() -> None:
    base = rules.in_guild(owner=False, everyone=0, roles=[rules.ADMINISTRATOR])
    assert (
        channel(base, Overwrite(GUILD, deny=rules.ALL), Overwrite(USER, rules.MEMBER, deny=rules.ALL))
        == rules.ALL
    )


def test_everyone_then_roles_then_the_member() -> None:
    hidden = Overwrite(GUILD, deny=VIEW)
    shown = Overwrite(ROLE, allow=VIEW)
    banished = Overwrite(USER, rules.MEMBER, deny=VIEW)
    assert channel(VIEW, hidden) == 0
    assert channel(VIEW, hidden, shown) == VIEW
    assert channel(VIEW, shown, hidden, banished) == 0
    assert channel(VIEW, banished, Overwrite(ROLE, deny=VIEW)) == 0
    assert channel(0, Overwrite(GUILD, deny=SEND), Overwrite(USER, rules.MEMBER, allow=SEND)) == SEND


def test_between_roles_allow_wins() -> None:
    deny, allow = Overwrite(ROLE, deny=SEND), Overwrite(OTHER_ROLE, allow=SEND)
    assert channel(SEND, deny, allow, roles=(ROLE, OTHER_ROLE)) == SEND
    assert channel(SEND, allow, deny, roles=(OTHER_ROLE, ROLE)) == SEND
    assert channel(SEND, deny, allow, roles=(ROLE,)) == 0


def test_overwrites_of_others_do_nothing() -> None:
    assert channel(VIEW, Overwrite(99, deny=VIEW), Overwrite(99, rules.MEMBER, deny=VIEW)) == VIEW
    # An id can be a role's and a member's: only the kind tells.
    assert (
        channel(VIEW, Overwrite(USER, rules.ROLE, deny=VIEW), Overwrite(ROLE, rules.MEMBER, deny=VIEW))
        == VIEW
    )


@given(bits, bits, bits, bits, bits)
def test_nothing_undefined_ever_comes_out(everyone: int, role: int, allow: int, deny: int, own: int) -> None:
    base = rules.in_guild(owner=False, everyone=everyone, roles=[role])
    found = channel(base, Overwrite(GUILD, allow=allow, deny=deny), Overwrite(USER, rules.MEMBER, own, deny))
    assert found & ~rules.ALL == 0


@given(bits, bits)
def test_a_member_overwrite_has_the_last_word(base: int, last: int) -> None:
    base &= rules.ALL & ~rules.ADMINISTRATOR
    last &= rules.ALL
    assert channel(base, Overwrite(GUILD, deny=rules.ALL), Overwrite(USER, rules.MEMBER, allow=last)) == last
    assert channel(base, Overwrite(USER, rules.MEMBER, deny=last)) == base & ~last


def test_nobody_grants_what_they_lack() -> None:
    assert rules.may_grant(SEND, SEND | VIEW)
    assert not rules.may_grant(SEND | PIN, SEND | VIEW)
    assert rules.may_grant(1 << 60, 0), "undefined bits are dropped anyway"


def test_the_hierarchy() -> None:
    def above(position: int, target: int, *, owner: bool = False, target_is_owner: bool = False) -> bool:
        return rules.outranks(
            owner=owner, position=position, target_position=target, target_is_owner=target_is_owner
        )

    assert above(2, 1)
    assert not above(1, 1)
    assert not above(rules.NOBODY, rules.NOBODY)
    assert above(rules.NOBODY, 5, owner=True)
    assert not above(9, rules.NOBODY, target_is_owner=True)
    assert not above(9, 1, owner=True, target_is_owner=True)
