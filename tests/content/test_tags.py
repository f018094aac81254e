"""Tags rule out only what cannot be: whatever a document holds, a condition that it meets lets its tags through."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flux.content.projection.rules import values
from flux.content.projection.tags import BITS, LANES, LOOK, code, mask, shift, tags
from flux.content.search.blanks import part
from flux.content.shape.fields import Field, Shape
from flux.content.texts import folded

numbers = st.floats(allow_nan=False)
texts = st.text(max_size=4)
slots = st.integers(min_value=1, max_value=3 * LANES)


def lets_through(wanted: int, told: int, slot: int) -> bool:
    """As the statement computes it."""
    assert 0 <= wanted < 1 << 63
    return (wanted << ((told >> shift(slot)) & LOOK)) & 1 << 63 != 0


@given(st.lists(st.tuples(slots, numbers | texts.map(folded)), max_size=12))
def test_what_a_document_holds_is_let_through(values: list[tuple[int, float | str]]) -> None:
    told = tags(values)
    assert 0 <= told < 1 << 63
    for slot, value in values:
        assert lets_through(mask(value), told, slot)
        assert lets_through(mask(["another", value]), told, slot)


@given(texts)
def test_case_does_not_matter_for_equal_texts(text: str) -> None:
    told = tags([(3, folded(text))])
    assert lets_through(part(text, "folding"), told, 3)
    assert lets_through(part([text], "folding"), told, 3)
    assert lets_through(part(folded(text), "mask"), told, 3)


def test_one_value_is_told_from_others_and_from_none() -> None:
    told = tags([(1, "draft"), (2, 1.0)])
    others = [f"other {number}" for number in range(200)]
    through = [one for one in others if lets_through(mask(one), told, 1)]
    assert len(through) < 20
    assert all(code(one) == code("draft") for one in through)
    assert not lets_through(mask("draft"), told, 3)
    assert not lets_through(mask([]), told, 1)


def test_several_values_and_shared_lanes_are_looked_at() -> None:
    for told in (tags([(1, "a"), (1, "b")]), tags([(1, "a"), (1 + LANES, "b")]), -1):
        assert lets_through(mask("c"), told, 1)


def test_both_zeros_are_one_number() -> None:
    assert code(0.0) == code(-0.0)
    assert LANES * BITS < 64


def test_the_heads_of_references_stand_together() -> None:
    """Nobody asks for them without case; strings are found by theirs."""
    fields = (
        Field(key="a", path="a", type="reference"),
        Field(key="b", path="b", type="string", searchable=True),
    )
    found = values(Shape(fields), {"a": "dw2qC5qRwxuZ", "b": "Straße"}, "en")
    assert [(one.compared, one.head) for one in found] == [("strasse", "strasse"), ("dw2qc5qrwxuz", "")]
