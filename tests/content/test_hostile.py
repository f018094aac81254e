"""Hostile input against a real environment: whatever is sent, the answer is an answer of the reference, never a 500."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from flux.content.envelope import ContentEnvelope
from tests.content.world import Blog, blog
from tests.harness.server import Server

PATHS = ["title", "body", "status", "price", "summary", "note", "author", "embedding", "nope", "_sys.key",
         "_sys.created_at", "_sys.updated_at", "", "a.b", "title.x", "$"]  # fmt: skip
OPERATORS = ["eq", "ieq", "gt", "lte", "in", "iin", "nin", "between", "contains", "icontains", "startswith", "endswith",
             "ne", "ine", "isnull", "exists", "zzz", ""]  # fmt: skip
TEXTS = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20),
    st.sampled_from(["", "%", "_", "'", '"', "\\", "é", "\U0010ffff", "\ud7ff", "2024-01-01", "0001-01-01T00:00:00+23:59",
                     "9999-12-31T23:59:59Z", "x" * 5000, "ﷺ" * 100, "null", "-", ",", "\\,"]),
)  # fmt: skip
NUMBERS = st.one_of(
    st.integers(),
    st.sampled_from([2**63, -(2**63), 2**64, 10**40, 0, -1]),
    st.floats(allow_nan=False, allow_infinity=False),
)
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=3)),
    max_leaves=8,
)
LEAVES = st.dictionaries(
    st.tuples(st.sampled_from(PATHS), st.sampled_from(OPERATORS)).map("__".join),
    VALUES,
    min_size=1,
    max_size=2,
)
ITEMS = st.recursive(
    st.one_of(LEAVES, VALUES),
    lambda inner: st.dictionaries(st.sampled_from(["all_of", "any_of", "none_of"]), st.lists(inner, max_size=3), min_size=1, max_size=2),
    max_leaves=8,
)  # fmt: skip
SORTS = st.one_of(
    st.lists(st.sampled_from([f"{sign}{path}" for path in PATHS for sign in ("", "-")]), max_size=6), VALUES
)
SECTIONS = st.fixed_dictionaries(
    {}, optional={"query": st.one_of(TEXTS, VALUES), "fields": st.one_of(st.lists(st.sampled_from(PATHS)), VALUES),
                  "threshold": VALUES, "top_k": VALUES, "field": st.sampled_from(PATHS), "query_vector": VALUES,
                  "similarity_threshold": VALUES, "boost_factor": VALUES, "vector_weight": VALUES},
)  # fmt: skip
JOINS = st.fixed_dictionaries(
    {},
    optional={
        "as": st.one_of(st.dictionaries(st.sampled_from(["a", "b", "$", ""]), st.sampled_from(["authors", "articles", "x", ""])), VALUES),
        "relations": st.one_of(
            st.lists(
                st.fixed_dictionaries(
                    {"source": st.sampled_from(["$", "a", "b"]), "target": st.sampled_from(["a", "b", "$"])},
                    optional={"source_field": st.sampled_from(PATHS), "target_field": st.sampled_from(PATHS), "join_type": VALUES},
                ),
                max_size=3,
            ),
            VALUES,
        ),
    },
)  # fmt: skip
BODIES = st.one_of(
    VALUES,
    st.fixed_dictionaries(
        {},
        optional={
            "where": st.one_of(st.fixed_dictionaries({"$": ITEMS}), ITEMS),
            "sort": SORTS,
            "find_text": st.one_of(SECTIONS, VALUES),
            "find_phrase": st.one_of(SECTIONS, VALUES),
            "vector_search": st.one_of(SECTIONS, VALUES),
            "vector_field_search": st.one_of(SECTIONS, VALUES),
            "vector_boost_config": st.one_of(SECTIONS, VALUES),
            "hybrid_config": st.one_of(SECTIONS, VALUES),
            "search_mode": st.one_of(st.sampled_from(["text", "vector", "hybrid", "vector_boosted"]), VALUES),
            "join": st.one_of(JOINS, VALUES),
            "limit": VALUES,
            "offset": VALUES,
            "next": VALUES,
            "fields": VALUES,
            "populate": st.one_of(st.lists(st.sampled_from(PATHS)), VALUES),
            "ignore_unknown_fields": VALUES,
        },
    ),
)
PARAMETERS = st.dictionaries(
    st.one_of(
        st.sampled_from(
            ["limit", "offset", "next", "previous", "component", "search_locale", "return_locales", "fallback_locales",
             "populate", "raw", "truncate_text", "sort", "fields", "ignore_unknown_fields", "find_text__query",
             "find_text__threshold", "find_phrase__query"]
        ),
        st.tuples(st.just("where"), st.sampled_from(PATHS), st.sampled_from(OPERATORS)).map("__".join),
        TEXTS,
    ),
    st.one_of(TEXTS, st.integers().map(str), st.sampled_from(PATHS), st.just("true")),
    max_size=4,
)  # fmt: skip
PLENTY = settings(max_examples=250, deadline=None, database=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
async def made(server: Server) -> Blog:
    return await blog(server)


@pytest.fixture(scope="module")
def http(server: Server) -> Any:
    with httpx.Client(base_url=server.origin, timeout=30) as client:
        yield client


def _sane(answer: httpx.Response) -> None:
    assert answer.status_code < 500, (answer.request.url, answer.request.content[:500], answer.text)
    if answer.status_code >= 400:
        assert ContentEnvelope().fits(answer.status_code, answer.content) is None, answer.text


def test_search_bodies(made: Blog, http: httpx.Client) -> None:
    @PLENTY
    @given(BODIES, st.sampled_from(["/blog/articles", "/blog/pages"]))
    def run(body: Any, path: str) -> None:
        content = json.dumps(body, ensure_ascii=False).encode("utf-8", "surrogatepass")
        _sane(
            http.post(
                made.world.delivered(f"{path}/_search"), content=content, headers=made.keys["KR"].simple
            )
        )

    run()


def test_parameters(made: Blog, http: httpx.Client) -> None:
    @PLENTY
    @given(PARAMETERS, st.booleans())
    def run(parameters: dict[str, str], one: bool) -> None:
        path = f"/blog/articles/{made.resources['A1']}" if one else "/blog/articles"
        _sane(http.get(made.world.delivered(path), params=parameters, headers=made.keys["KR"].simple))

    run()


def test_raw_targets_and_bodies(made: Blog, http: httpx.Client) -> None:
    @PLENTY
    @given(
        st.binary(max_size=60),
        st.binary(max_size=80),
        st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH"]),
    )
    def run(path: bytes, body: bytes, method: str) -> None:
        escaped = "".join(f"%{byte:02X}" for byte in path)
        for at in (f"/blog/articles/{escaped}", f"/blog/{escaped}/_search", "/blog/articles/_search"):
            _sane(
                http.request(method, made.world.delivered(at), content=body, headers=made.keys["KR"].simple)
            )

    run()


def test_written_data(made: Blog, http: httpx.Client) -> None:
    """What is accepted is also delivered."""

    @PLENTY
    @given(
        st.dictionaries(
            st.sampled_from(["title", "body", "status", "price", "summary", "author", "embedding", "x"]),
            VALUES,
        ),
        st.booleans(),
    )
    def run(data: dict[str, Any], publish: bool) -> None:
        at = f"{made.world.at}/folders/{made.world.folders['articles']}/resources/"
        content = json.dumps({"data": data, "publish": publish}).encode()
        answer = http.post(
            at, content=content, headers={**made.world.token, "Content-Type": "application/json"}
        )
        _sane(answer)
        if answer.status_code == 201 and publish:
            shown = http.get(
                made.world.delivered(f"/blog/articles/{answer.json()['key']}"), headers=made.keys["KR"].simple
            )
            assert shown.status_code == 200

    run()


def test_fields_and_folders(made: Blog, http: httpx.Client) -> None:
    """Whatever field is accepted, its schema can be shown, published and written under."""
    kinds = ["string", "text", "integer", "number", "boolean", "date", "time", "datetime", "reference", "relation",
             "nested", "object", "vector", "json", "x"]  # fmt: skip
    metas = st.dictionaries(
        st.sampled_from(["min_length", "max_length", "pattern", "enum", "minimum", "maximum", "folder", "dimensions",
                         "component", "component_version", "min_items", "auto_update"]),
        VALUES,
        max_size=3,
    )  # fmt: skip
    flags = st.dictionaries(
        st.sampled_from(["required", "nullable", "multiple", "localizable", "searchable", "private", "vectorizable"]), st.booleans()
    )  # fmt: skip
    folder = http.post(
        f"{made.world.at}/folders/tree/", json={"name": "F", "alias": "fuzzed"}, headers=made.world.token
    )
    owner = f"{made.world.at}/folders/{folder.json()['key']}"

    @settings(PLENTY, max_examples=100)
    @given(st.lists(st.tuples(st.sampled_from(kinds), metas, flags), min_size=1, max_size=3), VALUES)
    def run(fields: list[tuple[str, dict[str, Any], dict[str, bool]]], value: Any) -> None:
        version = http.post(f"{owner}/model/versions/", json={"name": "v"}, headers=made.world.token)
        if version.status_code == 422:
            return
        at = f"{owner}/model/versions/{version.json()['key']}"
        for index, (kind, meta, given_) in enumerate(fields):
            body = {"key": f"f{index}", "name": "n", "type": kind, "meta": meta, **given_}
            _sane(http.post(f"{at}/schema/tree/", json=body, headers=made.world.token))
        _sane(http.get(f"{at}/?include_schema=true", headers=made.world.token))
        _sane(http.post(f"{at}/publish/", headers=made.world.token))
        data = {f"f{index}": value for index in range(len(fields))}
        _sane(
            http.post(f"{owner}/resources/", json={"data": data, "publish": True}, headers=made.world.token)
        )
        _sane(http.delete(f"{at}/", headers=made.world.token))

    run()
