"""What tags say for sure is so: a document whose code is among those of a condition meets it."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from flux.content.projection.tags import LOOK, bit, code, shift, tags
from flux.content.search.exactness import codes_of, mask_of
from flux.content.texts import folded
from tests.content.world import World, a_field
from tests.harness.server import Server

texts = st.text(alphabet="aAbBßſsS", max_size=2)


@given(st.lists(texts, unique=True), st.lists(texts), st.booleans())
def test_a_code_that_is_for_sure_is_that_of_wanted_texts_only(
    values: list[str], wanted: list[str], folds: bool
) -> None:
    asked = [folded(one) if folds else one for one in wanted]
    mask = mask_of(codes_of(values), asked, folds=folds)
    assert 0 <= mask < 1 << 63 and not mask & bit(LOOK)
    for value in values:
        lane = tags([(7, folded(value))]) >> shift(7) & LOOK
        if mask & bit(lane):
            assert (folded(value) if folds else value) in asked


def test_codes_that_others_have_too_are_looked_at() -> None:
    first = "v0"
    same = next(f"v{number}" for number in range(1, 10_000) if code(f"v{number}") == code(first))
    assert mask_of(codes_of([first]), [first], folds=False) == bit(code(first))
    assert mask_of(codes_of([first, same]), [first], folds=False) == 0
    assert mask_of(codes_of([first, same]), [first, same], folds=False) == bit(code(first))
    assert mask_of(codes_of([first, "V0"]), [first], folds=False) == 0
    assert mask_of(codes_of([first, "V0"]), [first], folds=True) == bit(code(first))
    assert mask_of(codes_of([1.0, 2.0]), [1], folds=False) == bit(code(1.0))


async def test_a_value_that_comes_later_with_the_same_code_is_told_apart(server: Server) -> None:
    world = await World.make(server)
    first = "v0"
    same = next(f"v{number}" for number in range(1, 10_000) if code(f"v{number}") == code(first))
    folder = await world.collection(
        "things", [a_field("rank", "number", searchable=True), a_field("kind", searchable=True)]
    )
    await world.api("shop", [folder])

    async def found(**where: str) -> list[Any]:
        params = {
            "sort": "-rank",
            "limit": "10",
            **{f"where__{name}": value for name, value in where.items()},
        }
        return [
            one["data"]["rank"] for one in (await world.get("/shop/things", params=params)).json()["results"]
        ]

    for rank in (1, 2, 3):
        await world.publish(folder, {"rank": rank, "kind": first})
    assert await found(kind=first) == [3, 2, 1]
    await world.publish(folder, {"rank": 4, "kind": same})
    assert await found(kind=first) == [3, 2, 1]
    assert await found(kind=same) == [4]
    await world.publish(folder, {"rank": 5, "kind": first.upper()})
    assert await found(kind=first) == [3, 2, 1]
    assert await found(kind__ieq=first) == [5, 3, 2, 1]
