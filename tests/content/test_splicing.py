"""Documents in the place of references: by bytes where that is safe, and then with the same result as by value."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux.content.delivery.splicing import places, spliced
from flux.content.shape.fields import Field, Shape

texts = st.text(max_size=8) | st.sampled_from(['"author":"a"', '\\"author":', "author", '{"author":'])
others = st.dictionaries(st.sampled_from(["title", "tags", "deep"]), texts | st.lists(texts, max_size=3))


@given(others, others, st.none() | texts, st.booleans())
def test_the_bytes_are_what_the_values_would_be(
    before: dict[str, Any], after: dict[str, Any], key: str | None, there: bool
) -> None:
    data = {
        **before,
        **({"author": key} if there else {}),
        **{name + "2": value for name, value in after.items()},
    }
    item = msgspec.json.encode({"_sys": {"key": "author"}, "data": data})
    found = places(item, ["author"])
    if found is None:
        assert key is not None and json.dumps(key, ensure_ascii=False) != f'"{key}"'
        return
    for document in (b'{"data":{}}', None):
        expected = {**data}
        if there and key is not None:
            expected["author"] = json.loads(document or b"null")
        shown = {"author": {key: document} if key is not None else {}}
        assert json.loads(spliced(item, found, shown)) == {"_sys": {"key": "author"}, "data": expected}
    assert spliced(item, found, {"author": {}}) == item


def test_several_members_in_any_order() -> None:
    item = b'{"_sys":{},"data":{"b":"2","x":1,"a":"1","c":null}}'
    found = places(item, ["a", "b", "c"])
    assert found is not None
    shown = {"a": {"1": b"[1]"}, "b": {"2": b"[2]"}, "c": {}}
    assert spliced(item, found, shown) == b'{"_sys":{},"data":{"b":[2],"x":1,"a":[1],"c":null}}'


@pytest.mark.parametrize("value", [b'["1"]', b'{"en":"1"}', b'"a\\"b"', b"1"])
def test_what_is_no_plain_string_is_left_to_others(value: bytes) -> None:
    assert places(b'{"_sys":{},"data":{"a":' + value + b"}}", ["a"]) is None


def test_a_name_that_stands_twice_is_not_alone() -> None:
    inner = Field("author", "box.author", "string")
    shape = Shape((Field("author", "author", "reference"), Field("title", "title", "string")))
    assert shape.lone == {"author", "title"}
    twice = Shape((*shape.fields, Field("box", "box", "object", children=(inner,))))
    assert "author" not in twice.lone
    assert not Shape((*shape.fields, Field("any", "any", "json"))).lone
