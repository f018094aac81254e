"""Declared routes over a real socket: decoding, answers, both slash forms, methods, CORS, request ids."""

from __future__ import annotations

import httpx
import pytest
import websockets

from flux.kernel.wire.compiling import BadRoute, compile_route
from flux.kernel.wire.routes import Route, Routes
from flux.kernel.wire.routing import Router

THING = {"name": "kettle", "owner": "17"}


async def test_a_body_is_decoded_and_the_answer_encoded(http: httpx.AsyncClient) -> None:
    answer = await http.post("/small/things", json=THING)
    assert answer.status_code == 201
    assert answer.json() == {"name": "kettle", "owner": "17", "count": None, "parts": []}
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize(
    "path", ["/small/things/17", "/small/things/17/", "/small/v1/things/17", "/small/v1/things/17/"]
)
async def test_both_slash_forms_and_the_stripped_prefix_are_the_same_route(
    http: httpx.AsyncClient, path: str
) -> None:
    answer = await http.get(path)
    assert (answer.status_code, answer.json()) == (200, {"id": "17"})


async def test_a_fault_leaves_in_the_envelope_with_its_headers(http: httpx.AsyncClient) -> None:
    answer = await http.post("/small/things", json={**THING, "name": "teapot"})
    assert answer.status_code == 418
    assert answer.json() == {"code": "TEAPOT", "message": "I am short", "detail": None}
    assert answer.headers["x-kettle"] == "short"


async def test_an_unexpected_exception_leaks_nothing(http: httpx.AsyncClient) -> None:
    answer = await http.post("/small/things", json={**THING, "name": "bug"})
    assert answer.status_code == 500
    assert "secret" not in answer.text


async def test_a_broken_port_is_translated(http: httpx.AsyncClient) -> None:
    assert (await http.get("/small/broken")).status_code == 502


async def test_every_problem_of_a_body_is_told_in_field_order(http: httpx.AsyncClient) -> None:
    body = {
        "name": "X",
        "owner": "x",
        "count": 11,
        "parts": [{"title": "toolong"}, {}, {"title": "a"}],
        "note": None,
    }
    answer = await http.post("/small/things", json=body)
    assert answer.status_code == 400
    assert answer.json()["detail"] == [
        ["name", "too_short"],
        ["owner", "format"],
        ["count", "too_large"],
        ["parts", "too_long"],
        ["parts.0.title", "too_long"],
        ["parts.1.title", "missing"],
        ["note", "null"],
    ]


async def test_query_values_are_converted_and_judged_each(http: httpx.AsyncClient) -> None:
    good = await http.get("/small/things?limit=7&tag=a&tag=b&unknown=1")
    assert good.json() == {"limit": 7, "tags": ["a", "b"]}
    bad = await http.get("/small/things?limit=0&before=x")
    assert bad.json()["detail"] == [["limit", "too_small"], ["before", "format"]]
    for text in ("abc", "inf", "-Infinity", "nan", "1.5"):
        answer = await http.get("/small/things", params={"limit": text})
        assert (answer.status_code, answer.json()["detail"]) == (400, [["limit", "type"]])


async def test_a_path_value_of_the_wrong_type_is_a_problem(http: httpx.AsyncClient) -> None:
    for wrong in ("abc", "-1", "99999999999999999999", "%31x", "٣"):
        answer = await http.get(f"/small/things/{wrong}")
        assert (answer.status_code, answer.json()["detail"]) == (400, [["thing_id", "format"]])


async def test_an_encoded_slash_stays_inside_its_segment(http: httpx.AsyncClient) -> None:
    assert (await http.get("/small/things/1/parts/a%2Fb%20c")).json() == {"name": "a/b c"}


async def test_a_lazy_body_is_judged_after_the_handlers_own_checks(http: httpx.AsyncClient) -> None:
    assert (await http.put("/small/things/0", content=b"{")).status_code == 418
    assert (await http.put("/small/things/1", content=b"{")).json()["code"] == "MALFORMED_JSON"
    good = await http.put("/small/things/1", json=THING)
    assert (good.status_code, good.json(), good.headers["x-thing"]) == (
        200,
        {"id": "1", "name": "kettle"},
        "yes",
    )


async def test_unknown_paths_and_wrong_methods(http: httpx.AsyncClient) -> None:
    for path in (
        "/small/nope",
        "/small/things/1/2/3",
        "/small/things//parts/x",
        "/nope",
        "/",
        "/smaller/things",
    ):
        assert (await http.get(path)).json()["code"] == "UNKNOWN_ROUTE", path
    answer = await http.patch("/small/things/1")
    assert (answer.status_code, answer.headers["allow"]) == (405, "DELETE, GET, HEAD, PUT")


async def test_head_is_served_from_get_without_a_body(http: httpx.AsyncClient) -> None:
    answer = await http.head("/small/things/17")
    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "11")


async def test_no_content_has_no_body(http: httpx.AsyncClient) -> None:
    answer = await http.delete("/small/things/17")
    assert (answer.status_code, answer.content) == (204, b"")


async def test_a_rest_takes_every_method_and_any_depth(http: httpx.AsyncClient) -> None:
    assert (await http.request("PROPFIND", "/small/files/a/b/c")).text == "PROPFIND a/b/c"
    assert (await http.get("/small/files")).text == "GET "


async def test_streams_leave_chunk_by_chunk(http: httpx.AsyncClient) -> None:
    assert (await http.get("/small/stream")).text == "012"


async def test_a_stream_that_fails_breaks_the_connection(http: httpx.AsyncClient) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        await http.get("/small/breaks")


async def test_a_handler_that_takes_too_long_is_cancelled(http: httpx.AsyncClient) -> None:
    answer = await http.get("/small/slow")
    assert (answer.status_code, answer.json()["code"]) == (408, "REQUEST_TIMEOUT")
    assert answer.elapsed.total_seconds() < 5


async def test_request_ids_are_kept_when_valid(http: httpx.AsyncClient) -> None:
    assert (await http.get("/small/who", headers={"X-Request-Id": "abc-12345"})).headers[
        "x-request-id"
    ] == "abc-12345"
    for bad in ("short", "x" * 65, "with blank in it"):
        assert (await http.get("/small/who", headers={"X-Request-Id": bad})).headers["x-request-id"] != bad


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        (["203.0.113.9"], "203.0.113.9"),
        (["203.0.113.9, 127.0.0.5"], "203.0.113.9"),
        (["198.51.100.1, 203.0.113.9"], "203.0.113.9"),
        (["198.51.100.1", "203.0.113.9"], "203.0.113.9"),
        (["203.0.113.9:4711"], "203.0.113.9"),
        (["[2001:db8::1]:4711"], "2001:db8::1"),
        (["nonsense"], "127.0.0.1"),
        (["203.0.113.9, nonsense"], "127.0.0.1"),
        ([""], "127.0.0.1"),
    ],
)
async def test_a_forwarded_address_counts_as_far_as_trusted_peers_wrote_it(
    http: httpx.AsyncClient, forwarded: list[str], client: str
) -> None:
    headers = [("X-Forwarded-For", line) for line in forwarded]
    assert (await http.get("/small/who", headers=headers)).json() == {"ip": client}


async def test_cors(http: httpx.AsyncClient) -> None:
    asked = {
        "Origin": "https://a.example",
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "x-thing",
    }
    answer = await http.options("/small/things/1", headers=asked)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-headers"] == "x-thing"
    plain = await http.get("/small/nope", headers={"Origin": "https://a.example"})
    assert plain.headers["access-control-allow-origin"] == "*"
    assert (await http.options("/small/things")).headers["allow"] == "GET, HEAD, POST, OPTIONS"


async def test_an_absent_body_takes_the_default(http: httpx.AsyncClient) -> None:
    assert (await http.post("/small/echo")).text == "null"


async def test_sockets(origin: str) -> None:
    address = origin.replace("http", "ws")
    async with websockets.connect(f"{address}/small/socket") as peer:
        await peer.send("hello")
        assert await peer.recv() == "heard hello"
    with pytest.raises(websockets.InvalidStatus) as refused:
        await websockets.connect(f"{address}/small/nope")
    assert refused.value.response.status_code == 404
    assert b"UNKNOWN_ROUTE" in refused.value.response.body
    with pytest.raises(websockets.InvalidStatus) as refused:
        await websockets.connect(f"{address}/small/things/1")
    assert b"UPGRADE_REFUSED" in refused.value.response.body


async def test_a_signature_that_does_not_fit_its_path_is_refused_when_mounted() -> None:
    async def stray(call: object, other: int) -> None: ...

    async def first(other: int) -> None: ...

    for handler in (stray, first):
        with pytest.raises(BadRoute):
            compile_route(Route("GET", "/x/{thing}", handler))
    twice = Routes()
    for _ in range(2):
        twice.get("/x")(first_ok)
    with pytest.raises(BadRoute):
        Router(twice)


async def first_ok(call: object) -> None: ...
