"""`_mcp` with the official client library of the Model Context Protocol: the five read operations, and who may not."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from tests.content.world import Blog, Key, blog, name
from tests.harness.server import Server


@pytest.fixture(scope="module")
async def made(server: Server) -> Blog:
    return await blog(server)


@asynccontextmanager
async def talking(
    made: Blog, key: Key | None, prefix: str = "blog", mode: str = "auto"
) -> AsyncIterator[Client]:
    url = f"{made.world.server.origin}{made.world.delivered(f'/{prefix}/_mcp')}"
    async with (
        httpx2.AsyncClient(headers=key.simple if key else {}, timeout=30) as http,
        Client(streamable_http_client(url, http_client=http), mode=mode) as client,
    ):
        yield client


def _body(result: Any) -> Any:
    """What a tool answered: the same as text and as structure."""
    [text] = result.content
    assert json.loads(text.text) == result.structured_content
    return result.structured_content


@pytest.mark.parametrize("mode", ["legacy", "auto"])
async def test_introducing_itself(made: Blog, mode: str) -> None:
    async with talking(made, made.keys["KR"], mode=mode) as client:
        assert client.server_info is not None and client.server_info.name == "foxnose-flux-mcp"
        tools = (await client.list_tools()).tools
        assert [tool.name for tool in tools] == ["discover", "get_schema", "get_one", "list", "search"]
        required = {tool.name: tool.input_schema.get("required", []) for tool in tools}
        assert required["get_one"] == ["path", "key"] and required["discover"] == []


async def test_each_operation_answers_as_rest_does(made: Blog) -> None:
    async with talking(made, made.keys["KR"]) as client:

        async def use(tool: str, **arguments: Any) -> Any:
            result = await client.call_tool(tool, arguments)
            assert not result.is_error, result
            return _body(result)

        assert await use("discover") == (await made.get("/blog/_router")).json()
        assert await use("get_schema", path="articles") == (await made.get("/blog/articles/_schema")).json()
        one = await use("get_one", path="articles", key=made.resources["A1"], params={"populate": "author"})
        shown = (await made.get(f"/blog/articles/{made.resources['A1']}?populate=author")).json()
        assert one == shown and one["data"]["author"]["data"]["name"] == "Ada"
        listed = await use(
            "list", path="articles", params={"limit": 1, "where__status__in": ["draft"], "sort": "title"}
        )
        rest = "/blog/articles?limit=1&where__status__in=draft&sort=title"
        assert listed == (await made.get(rest)).json()
        assert [hit["data"]["title"] for hit in listed["results"]] == ["A2"]
        body = {"where": {"$": {"all_of": [{"title__eq": "A3"}]}}}
        assert await use("search", path="articles", body=body) == (await made.search(body)).json()
        assert len((await use("search", path="articles"))["results"]) == 3
        below = await use("list", path=f"articles/{made.resources['A1']}/comments")
        assert [hit["data"] for hit in below["results"]] == [{"body": "Nice"}]


async def test_refusals_are_those_of_rest(made: Blog) -> None:
    async with talking(made, made.keys["KR"]) as client:
        for tool, arguments, code in (
            ("get_one", {"path": "articles", "key": "nope"}, "resource_not_found"),
            ("list", {"path": "hidden"}, "route_not_found"),
            ("list", {"path": "vault"}, "action_not_allowed"),
            ("list", {"path": "articles", "params": {"limit": 0}}, "invalid_request"),
            ("search", {"path": "articles", "body": {"where": {"nope": 1}}}, "unknown_field"),
            ("search", {"path": "articles", "body": {"colour": 1}}, "validation_error"),
        ):
            result = await client.call_tool(tool, arguments)
            assert result.is_error and _body(result)["error_code"] == code


async def test_it_may_be_switched_off_and_needs_the_apis_credentials(made: Blog) -> None:
    world = made.world
    prefix = name("dumb")
    await world.api(prefix, [world.folders["articles"]], mcp_enabled=False)
    hello = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    for method in ("GET", "POST", "DELETE"):
        off = await world.request(method, f"/{prefix}/_mcp", json=hello)
        assert (off.status_code, off.json()["error_code"]) == (404, "route_not_found")
        stranger = await world.request(method, "/blog/_mcp", json=hello)
        assert (stranger.status_code, stranger.json()["error_code"]) == (401, "authentication_failed")
        denied = await world.request(method, "/blog/_mcp", made.keys["KN"], json=hello)
        assert (denied.status_code, denied.json()["error_code"]) == (403, "permission_denied")
    probe = await world.request("GET", "/pub/_mcp")
    assert probe.json() == {"status": "ok", "protocol": "mcp-streamable-http", "api": "pub"}
    stream = await world.request("GET", "/pub/_mcp", headers={"Accept": "text/event-stream"})
    assert stream.status_code == 405
    ended = await world.request("DELETE", "/pub/_mcp")
    assert (ended.status_code, ended.content) == (204, b"")


def _said(number: Any, method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


MESSAGES: list[tuple[Any, Any]] = [
    (_said(1, "ping"), {"jsonrpc": "2.0", "id": 1, "result": {}}),
    (_said("a", "nope"), -32601),
    (_said(1, "tools/call", name="drop", arguments={}), -32602),
    (_said(1, "tools/call", name="list", arguments={}), -32602),
    (_said(1, "tools/call", name="list", arguments={"path": "articles", "more": 1}), -32602),
    (_said(1, "tools/call", name="list", arguments={"path": "_router"}), -32602),
    (_said(1, "tools/call", name="list", arguments={"path": 5}), -32602),
    (_said(1, "tools/call", name="list", arguments={"path": "articles", "params": {"a": {}}}), -32602),
    (_said(1, "tools/call", name=["x"], arguments="y"), -32602),
    ({"jsonrpc": "1.0"}, -32600),
    ({"jsonrpc": "2.0", "id": {}, "method": "ping"}, -32600),
    ({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": [1]}, -32602),
    ({"jsonrpc": "2.0", "method": "notifications/initialized"}, None),
    ({"jsonrpc": "2.0", "id": 9, "result": {}}, None),
]


@pytest.mark.parametrize(("message", "expected"), MESSAGES, ids=range(len(MESSAGES)))
async def test_messages(made: Blog, message: Any, expected: Any) -> None:
    answer = await made.world.request("POST", "/pub/_mcp", json=message)
    if expected is None:
        assert (answer.status_code, answer.content) == (202, b"")
    elif isinstance(expected, int):
        assert answer.status_code == 200 and answer.json()["error"]["code"] == expected
    else:
        assert answer.json() == expected


async def test_batches_and_what_is_no_message(made: Blog) -> None:
    both = await made.world.request("POST", "/pub/_mcp", json=[_said(1, "ping"), MESSAGES[-2][0]])
    assert [one["id"] for one in both.json()] == [1]
    for body in (b"", b"{", b"[]", b"5", b'"x"', b"\xff"):
        refused = await made.world.request("POST", "/pub/_mcp", content=body)
        assert (refused.status_code, refused.json()["error_code"]) == (422, "invalid_request"), body
