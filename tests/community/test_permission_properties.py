"""The permission algorithm against a naive one, bit by bit, over arbitrary guilds; and the hierarchy likewise."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from flux.community.standing import rules

GUILD = 1
USERS = (100, 101)
ROLES = (10, 11, 12)
DEFINED = [1 << number for number in range(54) if 1 << number & rules.ALL]
# Few bits, often the same ones, so that they meet; and now and then anything at all.
bits = st.one_of(
    st.sets(st.sampled_from([*DEFINED[:6], rules.VIEW_CHANNEL]), max_size=4).map(sum),
    st.integers(0, (1 << 63) - 1),
)


@dataclass(frozen=True)
class Overwrite:
    target_id: int
    kind: int
    allow: int
    deny: int


# A role may carry a member's number and the other way round: only the kind tells them apart.
overwrites = st.lists(
    st.builds(Overwrite, st.sampled_from((GUILD, *ROLES, *USERS)), st.sampled_from((0, 1)), bits, bits),
    max_size=7,
    unique_by=lambda each: (each.target_id, each.kind),
)
guilds = st.fixed_dictionaries(dict.fromkeys((GUILD, *ROLES), bits))


def naive(
    owner: bool, roles: dict[int, int], held: frozenset[int], channel: list[Overwrite], user: int
) -> set[int]:
    """Each permission on its own, following the numbered steps."""
    everything = set(DEFINED)
    if owner:
        return everything
    mine = [roles[GUILD]] + [roles[role] for role in held]
    if any(permissions & rules.ADMINISTRATOR for permissions in mine):
        return everything
    found = set()
    for bit in DEFINED:
        may = any(permissions & bit for permissions in mine)
        for step in (
            [each for each in channel if each.kind == 0 and each.target_id == GUILD],
            [each for each in channel if each.kind == 0 and each.target_id in held],
            [each for each in channel if each.kind == 1 and each.target_id == user],
        ):
            if any(each.allow & bit for each in step):
                may = True
            elif any(each.deny & bit for each in step):
                may = False
        if may:
            found.add(bit)
    return found


@settings(max_examples=300, deadline=None)
@given(st.booleans(), guilds, st.frozensets(st.sampled_from(ROLES)), overwrites, st.sampled_from(USERS))
def test_the_algorithm_is_the_naive_one(
    owner: bool, roles: dict[int, int], held: frozenset[int], channel: list[Overwrite], user: int
) -> None:
    base = rules.in_guild(owner=owner, everyone=roles[GUILD], roles=[roles[role] for role in held])
    found = rules.in_channel(base, channel, guild_id=GUILD, user_id=user, role_ids=held)
    assert found == sum(naive(owner, roles, held, channel, user))
    assert base == sum(naive(owner, roles, held, [], user))


@settings(max_examples=100, deadline=None)
@given(guilds, st.frozensets(st.sampled_from(ROLES)), overwrites, st.sampled_from(USERS), st.randoms())
def test_the_order_of_overwrites_and_roles_does_not_matter(
    roles: dict[int, int], held: frozenset[int], channel: list[Overwrite], user: int, random: object
) -> None:
    def found(overwritten: list[Overwrite], order: list[int]) -> int:
        base = rules.in_guild(owner=False, everyone=roles[GUILD], roles=[roles[role] for role in order])
        return rules.in_channel(base, overwritten, guild_id=GUILD, user_id=user, role_ids=order)

    first = found(channel, sorted(held))
    shuffled = list(channel)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert found(shuffled, sorted(held, reverse=True)) == first


@given(st.integers(-1, 5), st.integers(-1, 5), st.booleans(), st.booleans())
def test_nobody_outranks_whoever_outranks_them(
    one: int, other: int, first_owns: bool, second_owns: bool
) -> None:
    if first_owns and second_owns:
        return

    def above(own: int, owner: bool, target: int, target_owns: bool) -> bool:
        return rules.outranks(owner=owner, position=own, target_position=target, target_is_owner=target_owns)

    forth, back = above(one, first_owns, other, second_owns), above(other, second_owns, one, first_owns)
    assert not (forth and back)
    assert forth or back or (one == other and not (first_owns or second_owns))


@given(bits, bits)
def test_granting_needs_every_bit(granted: int, own: int) -> None:
    assert rules.may_grant(granted, own) == all(own & bit for bit in DEFINED if granted & bit)
