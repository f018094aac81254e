"""The error matrix of the content reference as data: 18 codes, each with its conditions (a), (b), … as requests.

A `Condition` is one request against the fixture of the matrix (`blog` in tests/content/world.py). `arrange` makes what
the condition supposes and may name what the request needs; it is not part of what is judged. In `path` and `body` the
texts `{A1}` and their kin stand for keys.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from tests.content.signing import signed_headers
from tests.content.world import Blog, Key, a_field, name

Given = dict[str, Any]
Arrange = Callable[[Blog], Awaitable[Given]]

CODES: dict[int, tuple[str, int, str]] = {
    1: ("authentication_failed", 401, "Authentication failed"),
    2: ("permission_denied", 403, "Permission denied"),
    3: ("route_not_found", 404, "Route not found"),
    4: ("resource_not_found", 404, "Resource does not exist"),
    5: ("component_not_found", 404, "Component does not exist"),
    6: ("action_not_allowed", 405, "Action not allowed"),
    7: ("request_timeout", 408, "Request timeout"),
    8: ("max_response_size_exceeded", 413, "Response size exceeded"),
    9: ("validation_error", 422, "Invalid data was provided"),
    10: ("invalid_request", 422, "Invalid request"),
    11: ("unknown_field", 422, "Unknown field"),
    12: ("failed_join", 422, "Failed to join folder: folder not found"),
    13: ("too_many_join_folders", 422, "Too many folders in join"),
    14: ("unknown_locale", 422, "Unknown locale"),
    15: ("invalid_locale", 422, "Invalid locale"),
    16: ("missed_component", 422, "Component is required"),
    17: ("rate_limit_exceeded", 429, "Rate limit exceeded"),
    18: ("internal_server_error", 500, "Internal server error"),
}
"""Row of the matrix: code, status, exact message."""


@dataclass(frozen=True)
class Condition:
    """`key` names a key of the fixture, None sends no credentials; `headers` may be made from the fixture."""

    row: int
    letter: str
    path: str
    method: str = "GET"
    body: Any = None
    key: str | None = "KR"
    headers: Callable[[Blog], dict[str, str]] = lambda made: {}
    detail: Any = None
    arrange: Arrange | None = None

    @property
    def name(self) -> str:
        return f"{self.row:02}{self.letter}-{CODES[self.row][0]}"

    async def given(self, made: Blog) -> Given:
        return {**made.resources, **(await self.arrange(made) if self.arrange else {})}

    async def ask(self, made: Blog, given: Given) -> httpx.Response:
        """The one request. A key of the arrangement beats the named one."""
        key: Key | None = given.get("key") or (made.keys[self.key] if self.key else None)
        options: dict[str, Any] = {"headers": self.headers(made)}
        if isinstance(self.body, bytes):
            options["content"] = self.body
        elif self.body is not None:
            options["json"] = self.body
        path = self.path.format(**given) if "{" in self.path else self.path
        return await made.world.request(self.method, path, key, **options)


def search(row: int, letter: str, body: Any, detail: Any = None, path: str = "/blog/articles") -> Condition:
    return Condition(row, letter, f"{path}/_search", "POST", body, detail=detail)


def problem(at: str, message: str, details: str) -> dict[str, str]:
    return {"field": at, "message": message, "details": details}


def _header(text: str) -> Callable[[Blog], dict[str, str]]:
    return lambda made: {"Authorization": text}


def _signed(path: str = "/blog/articles", **options: Any) -> Callable[[Blog], dict[str, str]]:
    return lambda made: signed_headers(made.keys["KR"], made.world.delivered(path), **options)


def _old() -> Callable[[Blog], dict[str, str]]:
    return lambda made: _signed(at=datetime.now(UTC) - timedelta(minutes=20))(made)


# -- what some conditions suppose -----------------------------------------------------------------------------


async def permission_taken(made: Blog) -> Given:
    world = made.world
    role = await world.role([made.apis["blog"]])
    key = await world.key(role)
    assert (await world.get("/blog/articles", key)).status_code == 200
    body = {"content_type": "flux-apis", "object_key": made.apis["blog"]}
    taken = await world.manage("DELETE", f"/permissions/flux-api/roles/{role}/permissions/objects/", body)
    assert taken.status_code == 204
    return {"key": key}


async def router_switched_off(made: Blog) -> Given:
    prefix = name("quiet")
    await made.world.api(prefix, [made.world.folders["articles"]], router_introspection_enabled=False)
    assert (await made.world.get(f"/{prefix}/articles", made.keys["KU"])).status_code == 200
    return {"quiet": prefix, "key": made.keys["KU"]}


async def unpublished(made: Blog) -> Given:
    return {"draft": await made.world.draft(made.world.folders["authors"], {"name": "Draft"})}


async def anchor_deleted(made: Blog) -> Given:
    folder = made.world.folders["companies"]
    for index in range(3):
        newest = await made.world.publish(folder, {"name": f"C{index}"})
    page = (await made.get("/blog/companies?limit=1")).json()
    gone = await made.world.manage("DELETE", f"/folders/{folder}/resources/{newest}/")
    assert page["results"][0]["_sys"]["key"] == newest and gone.status_code == 204
    return {"token": httpx.URL(page["next"]).params["next"]}


async def only_get_one(made: Blog) -> Given:
    """Connected with both, then with one alone."""
    prefix, folder = name("one"), made.world.folders["authors"]
    api = await made.world.api(prefix, [folder], ["get_many", "get_one"])
    assert (await made.world.get(f"/{prefix}/authors")).status_code == 200
    await made.world.make_one(f"/api/{api}/folders/{folder}/", {"allowed_methods": ["get_one"]}, "PUT")
    return {"one": prefix, "key": made.keys["KU"]}


async def store_broken(made: Blog) -> Given:
    await made.world.server.sandbox.fault("handler", "error")
    return {}


async def large_documents(made: Blog) -> Given:
    prefix, alias = name("big"), name("big")
    folder = await made.world.collection(alias, [a_field("body", "text")])
    await made.world.api(prefix, [folder])
    for _ in range(3):
        await made.world.publish(folder, {"body": "x" * 400_000})
    for allowed in ("limit=1", "truncate_text=100"):
        assert (await made.world.get(f"/{prefix}/{alias}?{allowed}")).status_code == 200
    return {"big": f"{prefix}/{alias}", "key": made.keys["KU"]}


async def small_documents_of_large_ones(made: Blog) -> Given:
    """A page that fits, until what it refers to is put into it."""
    prefix, alias, small = name("big"), name("big"), name("small")
    folder = await made.world.collection(alias, [a_field("body", "text")])
    reference = a_field("large", "reference", meta={"folder": folder})
    pointing = await made.world.collection(small, [reference])
    await made.world.api(prefix, [folder, pointing])
    for _ in range(3):
        key = await made.world.publish(folder, {"body": "x" * 400_000})
        await made.world.publish(pointing, {"large": key})
    assert (await made.world.get(f"/{prefix}/{small}")).status_code == 200
    return {"small": f"{prefix}/{small}", "key": made.keys["KU"]}


# -- the matrix -----------------------------------------------------------------------------------------------

AUTHOR = {"source": "$", "target": "x", "source_field": "author"}
VECTOR = {"field": "embedding", "query_vector": [0.0] * 256}


def _join(folder: str, relation: dict[str, str] | None = None) -> dict[str, Any]:
    return {"join": {"as": {"x": folder}, "relations": [relation or AUTHOR]}}


_FOUR = {f"x{index}": "authors" for index in range(4)}
_GHOSTS = dict.fromkeys(_FOUR, "ghost")
"""Counted before any folder is looked for."""

MATRIX: list[Condition] = [
    Condition(1, "a", "/blog/articles", key=None),
    Condition(1, "b", "/blog/articles", key=None, headers=lambda made: _header(f"Simple {made.keys['KR'].public}:wrong")(made)),
    Condition(1, "c", "/blog/articles", key=None, headers=_header("Simple nobody:x")),
    Condition(1, "d", "/blog/articles", key=None, headers=_header("Basic abc")),
    Condition(1, "e", "/blog/articles", key=None, headers=_old()),
    Condition(1, "f", "/blog/articles", key=None, headers=_signed("/blog/authors")),
    Condition(1, "g", "/blog/articles", key=None, headers=_signed(dated=False)),
    Condition(1, "h", "/blog/articles", key="KM"),
    Condition(1, "i", "/pub/articles", key=None, headers=_header("Simple a:b")),
    Condition(1, "j", "/pub/articles/", "POST", {"data": {"title": "x"}}, key=None),
    Condition(2, "a", "/blog/articles", key="KN"),
    Condition(2, "b", "/pub2/articles"),
    Condition(2, "c", "/blog/articles", arrange=permission_taken),
    Condition(3, "a", "/nope/articles"),
    Condition(3, "b", "/blog/hidden"),
    Condition(3, "c", "/blog/articles/{A1}/x/y"),
    Condition(3, "d", "/blog/articles/{A1}/_schema"),
    Condition(3, "e", "/{quiet}/_router", arrange=router_switched_off),
    Condition(3, "f", "/"),
    Condition(4, "a", "/blog/articles/doesnotexist"),
    Condition(4, "b", "/blog/authors/{draft}", arrange=unpublished),
    Condition(4, "c", "/blog/authors/{A1}"),
    Condition(4, "d", "/blog/articles/nope/comments"),
    Condition(4, "e", "/blog/companies?limit=1&next={token}", arrange=anchor_deleted),
    Condition(5, "a", "/blog/pages?component=zzzzzzzz&where__headline__eq=x"),
    Condition(5, "b", "/blog/pages/_search?component=zzzzzzzz", "POST", {}),
    Condition(6, "a", "/pub/articles/{A1}", key=None),
    Condition(6, "b", "/{one}/authors", arrange=only_get_one),
    Condition(6, "b2", "/{one}/authors/_search", "POST", {}, arrange=only_get_one),
    Condition(6, "c", "/blog/vault"),
    Condition(6, "d", "/blog/articles/{A1}", "DELETE"),
    Condition(6, "e", "/blog/articles/_search"),
    Condition(8, "a", "/{big}", arrange=large_documents),
    Condition(8, "a2", "/{small}?populate=large", arrange=small_documents_of_large_ones),
    search(
        9,
        "a",
        {"where": {"$": {"all_of": [{"status__eq": None}]}}, "find_text": {"query": ""}},
        [
            problem("where.$.all_of.0.status__eq", "Invalid type", "This field is required"),
            problem("find_text.query", "Invalid value", "String too short"),
        ],
    ),
    search(9, "b", {"where": {"$": {"all_of": [{"price__gte": "abc"}]}}}, [problem("where.$.all_of.0.price__gte", "Invalid type", "Value must be a number")]),
    Condition(9, "c", "/blog/articles?where__price__between=5", detail=[problem("where__price__between", "Invalid value", "Exactly two values are required")]),
    search(9, "d", {"where": {"$": {"all_of": [{"title__zzz": 1}]}}}, [problem("where.$.all_of.0.title__zzz", "Invalid operator", "Operator 'zzz' is not supported for type 'string'")]),
    Condition(9, "e", "/blog/articles?truncate_text=0", detail=[problem("truncate_text", "Invalid value", "Value must be at least 1")]),
    search(9, "f", {"search_mode": "vector", "vector_field_search": {"field": "embedding", "query_vector": [0.1, 0.2]}}, [problem("vector_field_search.query_vector", "Invalid value", "Expected 256 dimensions, got 2")]),
    search(9, "g", {"find_text": {"query": "a", "threshold": 3}}, [problem("find_text.threshold", "Invalid value", "Value must be between 0 and 1")]),
    Condition(10, "a", "/blog/articles/_search", "POST", b"{"),
    Condition(10, "a2", "/blog/articles/_search", "POST", []),
    Condition(10, "b", "/blog/articles?limit=0"),
    Condition(10, "b2", "/blog/articles?limit=abc"),
    Condition(10, "c", "/blog/articles?next=a&previous=b"),
    search(10, "d", {"find_text": {"query": "a"}, "find_phrase": {"query": "a"}}),
    search(10, "e", {"search_mode": "vector"}),
    search(10, "f", {"search_mode": "vector", "vector_search": {"query": "abc"}, "find_text": {"query": "a"}}),
    search(10, "g", {"search_mode": "vector", "vector_search": {"query": "abc"}, "vector_field_search": VECTOR}),
    Condition(10, "h", "/blog/articles?raw=maybe"),
    Condition(10, "i", "/blog/articles?next=zzzz"),
    search(10, "j", {"search_mode": "magic"}),
    Condition(11, "a", "/blog/articles?where__nope__eq=1"),
    search(11, "b", {"where": {"$": {"all_of": [{"nope__eq": 1}]}}}),
    Condition(11, "c", "/blog/articles?where__note__eq=1"),
    search(11, "c2", {"where": {"$": {"all_of": [{"note__eq": "x"}]}}}),
    Condition(11, "d", "/blog/articles?sort=-nope"),
    search(11, "e", {"find_text": {"query": "a", "fields": ["nope"]}}),
    Condition(11, "f", "/blog/articles?populate=nope"),
    search(12, "a", _join("ghost")),
    search(12, "b", _join("hidden")),
    search(12, "c", _join("vault")),
    search(12, "d", _join("authors", {**AUTHOR, "source": "y"})),
    search(13, "a", {"join": {"as": _FOUR, "relations": [{**AUTHOR, "target": one} for one in _FOUR]}}),
    search(13, "a2", {"join": {"as": _GHOSTS, "relations": [{**AUTHOR, "target": one} for one in _GHOSTS]}}),
    Condition(14, "a", "/blog/articles?search_locale=de"),
    Condition(14, "b", "/blog/articles?return_locales=en,de"),
    Condition(14, "c", "/blog/articles/{A1}?return_locales=de"),
    Condition(14, "d", "/blog/articles/_search?search_locale=de", "POST", {}),
    Condition(15, "a", "/blog/articles?return_locales=12"),
    Condition(15, "b", "/blog/articles?search_locale=en-US!"),
    Condition(15, "c", "/blog/articles?return_locales=en,,fr"),
    Condition(16, "a", "/blog/pages?where__headline__eq=x"),
    search(16, "b", {"find_text": {"query": "hello"}}, path="/blog/pages"),
    Condition(16, "c", "/blog/pages?sort=headline"),
    Condition(18, "a", "/blog/articles", arrange=store_broken),
]  # fmt: skip
LETTERS = {1: "abcdefghij", 2: "abc", 3: "abcdef", 4: "abcde", 5: "ab", 6: "abcde", 8: "a", 9: "abcdefg", 10: "abcdefghij",
           11: "abcdef", 12: "abcd", 13: "a", 14: "abcd", 15: "abc", 16: "abc", 18: "a"}  # fmt: skip
"""The published conditions of each row; rows 7 and 17 need a server of their own (test_content_matrix.py)."""
