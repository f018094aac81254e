"""Documents in the place of references: by bytes where that is safe, and then with the same result as by value."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux.content.delivery.splicing import page, spliced
from flux.content.projection.rules import MEMBERS
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
    found = page([item], ["author"])
    if found is None:
        assert key is not None and json.dumps(key, ensure_ascii=False) != f'"{key}"'
        return
    assert len(found.places) == (1 if there and key is not None else 0)
    for document in (b'{"data":{}}', b"null", b'"%b"' % (key or "").encode()):
        expected = {**data}
        if there and key is not None:
            expected["author"] = json.loads(document)
        shown = {("author", (key or "").encode()): document}
        assert json.loads(spliced(found, shown)) == {"_sys": {"key": "author"}, "data": expected}


def test_several_members_in_any_order() -> None:
    item = b'{"_sys":{},"data":{"b":"2","x":1,"a":"1","c":null}}'
    found = page([item], ["a", "b", "c"])
    assert found is not None
    shown = {("a", b"1"): b"[1]", ("b", b"2"): b"[2]"}
    assert spliced(found, shown) == b'{"_sys":{},"data":{"b":[2],"x":1,"a":[1],"c":null}}'


@pytest.mark.parametrize("value", [b'["1"]', b'{"en":"1"}', b'"a\\"b"', b"1"])
def test_what_is_no_plain_string_is_left_to_others(value: bytes) -> None:
    assert page([b'{"_sys":{},"data":{"a":' + value + b"}}"], ["a"]) is None


def test_a_name_that_stands_twice_is_not_alone() -> None:
    inner = Field("author", "box.author", "string")
    shape = Shape((Field("author", "author", "reference"), Field("title", "title", "string")))
    assert shape.lone == {"author", "title"}
    twice = Shape((*shape.fields, Field("box", "box", "object", children=(inner,))))
    assert "author" not in twice.lone
    assert not Shape((*shape.fields, Field("any", "any", "json"))).lone


@pytest.mark.parametrize("turned", [False, True])
def test_names_are_found_wherever_they_stand_in_the_first_of_many(turned: bool) -> None:
    """Which tells only from which end to look."""
    long = b'"x":"' + b"a" * 50 + b'"'
    datas = [b'"a":"1",' + long, long + b',"a":"2"', long, long + b',"a":null,"b":"3"', b'"b":"a",' + long]
    items = [b'{"_sys":{},"data":{' + data + b"}}" for data in (reversed(datas) if turned else datas)]
    found = page(items, ["b", "a"])
    assert found is not None and found.whole == b",".join(items)
    keys = [key for _, _, (_, key) in found.places]
    assert keys == ([b"a", b"3", b"2", b"1"] if turned else [b"1", b"2", b"3", b"a"])
    shown = {("a", b"1"): b"{}", ("b", b"3"): b"[]"}
    assert spliced(found, shown) == found.whole.replace(b'"a":"1"', b'"a":{}').replace(b'"b":"3"', b'"b":[]')
    assert page([*items, b'{"_sys":{},"data":{"a":["1"]}}'], ["a"]) is None


@pytest.mark.parametrize("name", ["key", "created_at", "updated_at", "folder", "data", "_sys"])
def test_what_stands_beside_the_data_is_never_taken_for_a_member_of_it(name: str) -> None:
    """As `rules.document` makes it."""
    assert page([b'{"_sys":{"key":"a"},"data":{}}'], [name]) is None
    assert name in MEMBERS
