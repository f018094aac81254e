"""What a filter is understood as: groups, what is left out of them, and how deep and how many."""

from __future__ import annotations

from typing import Any

import pytest

from flux.content.search.plan import Group, Leaf, Node, Scope
from flux.content.search.problems import Problems
from flux.content.search.where import Heard, Where, is_open
from flux.content.shape.fields import Field, Shape
from flux.kernel.faults import FaultError

SHAPE = Shape(
    (
        Field("word", "word", "string", searchable=True),
        Field("words", "words", "string", searchable=True, multiple=True),
    )
)
SCOPE = Scope("f", "", SHAPE, ("en",))
A, B = {"word": "a"}, {"word": "b"}
IS_A, IS_B = (Leaf("word", "string", "eq", operand) for operand in "ab")


def understood(where: Any, *, ignore: bool = False, deepest: int = 5, most: int = 50) -> tuple[Node, ...]:
    problems = Problems(ignore_unknown=ignore)
    found = Where({"$": SCOPE}, problems, Heard(), deepest=deepest, most=most).body(where)
    problems.settle()
    return found.get("$", ())


def told(where: Any, **limits: int) -> list[dict[str, str]]:
    with pytest.raises(FaultError) as refused:
        understood(where, **limits)
    return list(refused.value.detail)


def test_groups_are_what_they_are_called() -> None:
    for name, kind in (("all_of", "all"), ("any_of", "any"), ("none_of", "none")):
        assert understood({name: [A, B]}) == (Group(kind, (IS_A, IS_B)),)  # type: ignore[arg-type]
    assert understood({"any_of": [{**A, "word__ne": "b"}]}) == (
        Group("any", (Group("all", (IS_A, Leaf("word", "string", "eq", "b", negated=True))),)),
    )


def test_an_empty_group_and_an_empty_clause_mean_something() -> None:
    assert understood({"any_of": []}) == (Group("any", ()),)
    assert understood({"none_of": [{}]}) == (Group("none", (Group("all", ()),)),)


def test_unknown_fields_that_are_ignored_are_as_if_absent() -> None:
    unknown = {"nothing": 1}
    assert understood({"any_of": [unknown]}, ignore=True) == ()
    assert understood({"any_of": [unknown, A]}, ignore=True) == (Group("any", (IS_A,)),)
    assert understood({"any_of": [{"all_of": [unknown]}, A]}, ignore=True) == (Group("any", (IS_A,)),)
    assert understood({**unknown, **A}, ignore=True) == (IS_A,)


def nested(depth: int) -> dict[str, Any]:
    found: dict[str, Any] = A
    for _ in range(depth):
        found = {"all_of": [found]}
    return found


def test_depth_and_number_are_bounded_where_the_settings_say() -> None:
    assert understood(nested(3), deepest=3)
    [problem] = told(nested(4), deepest=3)
    assert problem["details"] == "Groups are nested more than 3 deep"
    assert understood({"any_of": [A] * 4}, most=4) == (Group("any", (IS_A,) * 4),)
    [problem] = told({"any_of": [A] * 9}, most=4)
    assert (problem["field"], problem["details"]) == ("where.any_of.4.word", "More than 4 conditions")


def test_contains_asks_for_an_element_or_for_a_part() -> None:
    assert understood({"words__contains": "a"}) == (Leaf("words", "string", "eq", "a"),)
    assert understood({"words__icontains": "A"}) == (Leaf("words", "string", "contains", "a", folds=True),)
    assert understood({"word__contains": "a"}) == (Leaf("word", "string", "contains", "a"),)


def test_values_that_change_the_statement_are_no_blanks() -> None:
    fixed = ("startswith", "istartswith", "endswith", "iendswith", "isnull", "is_null", "exists")
    assert not any(is_open(f"word__{name}") for name in fixed)
    assert not is_open("_sys.key") and not is_open("_sys.created_at__gt")
    assert is_open("word") and is_open("word__eq") and is_open("isnull") and is_open("__isnull")
