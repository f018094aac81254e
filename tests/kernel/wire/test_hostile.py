"""Hostile input at the wire: a declared error each, never a 500, and the server goes on."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import urlsplit

import httpx
import pytest

THING = b'{"name":"kettle","owner":"17"}'


async def raw(origin: str, *pieces: bytes, pause: float = 0.0, seconds: float = 5.0) -> bytes:
    """Write the pieces with pauses between them and read until the server closes."""
    parts = urlsplit(origin)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            if pause:
                await asyncio.sleep(pause)
    except ConnectionError:
        pass
    try:
        return await asyncio.wait_for(reader.read(), seconds)
    except (ConnectionError, TimeoutError):
        return b""
    finally:
        writer.close()


def code_of(answer: bytes) -> str:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 4"), head
    return str(json.loads(body)["code"])


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "MALFORMED_JSON"),
        (b"", "MALFORMED_JSON"),
        (b'{"name":"kettle","owner":17,}', "MALFORMED_JSON"),
        (b'{"name":NaN,"owner":1}', "MALFORMED_JSON"),
        (b'{"name":"kettle","owner":1} x', "MALFORMED_JSON"),
        (b'{"name":"\\ud800","owner":"1"}', "MALFORMED_JSON"),
        (b"[]", "INVALID_VALUES"),
        (b'"text"', "INVALID_VALUES"),
        (b"null", "INVALID_VALUES"),
        (b"{}", "INVALID_VALUES"),
        (b'{"name":1,"owner":true}', "INVALID_VALUES"),
        (b'{"name":"kettle","owner":1e400}', "INVALID_VALUES"),
        (b'{"name":"kettle","owner":' + b"9" * 5000 + b"}", "INVALID_VALUES"),
        (b'{"name":"kettle","owner":99999999999999999999}', "INVALID_VALUES"),
        (b'{"name":"ket\xfftle","owner":"1"}', "BAD_UTF8"),
        (b'{"name":"a","name":"b","owner":"1"}', "DUPLICATE_KEY"),
        (b'{"name":"kettle","owner":"1","x":{"y":1,"y":1}}', "DUPLICATE_KEY"),
        (b'{"name":"kettle","owner":"1","n\\u0061me":"b"}', "DUPLICATE_KEY"),
        (b'{"name":"ket\\u0000tle","owner":"1"}', "NUL_CHARACTER"),
        (b'{"name":"kettle","owner":"1","x":' + b"[" * 20 + b"]" * 20 + b"}", "TOO_DEEP"),
        (b"[" * 9000, "TOO_DEEP"),
        (b'{"a":' * 1500, "TOO_DEEP"),
        (b'{"name":"' + b"x" * 20_000 + b'"}', "BODY_TOO_LARGE"),
    ],
)  # fmt: skip
async def test_a_hostile_body_is_refused_by_name(http: httpx.AsyncClient, body: bytes, code: str) -> None:
    answer = await http.post("/small/things", content=body, headers={"Content-Type": "application/json"})
    assert answer.json()["code"] == code
    assert 400 <= answer.status_code < 500
    assert (await http.get("/small/things/1")).status_code == 200


async def test_brackets_inside_strings_are_not_depth(http: httpx.AsyncClient) -> None:
    answer = await http.post("/small/echo", json=["[" * 100 + '"{' * 50])
    assert answer.status_code == 200
    escaped = await http.post("/small/echo", content=b'["\\\\u0000 is text"]')
    assert escaped.status_code == 200


async def test_another_media_type_is_refused(http: httpx.AsyncClient) -> None:
    answer = await http.post("/small/things", content=THING, headers={"Content-Type": "text/plain"})
    assert answer.json()["code"] == "CONTENT_TYPE"
    assert (await http.post("/small/things", content=THING)).status_code == 201


async def test_a_chunked_body_is_counted_as_it_comes(origin: str) -> None:
    head = (
        b"POST /small/things HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    )
    chunk = b"1000\r\n" + b"x" * 4096 + b"\r\n"
    assert code_of(await raw(origin, head, *[chunk] * 4)) == "BODY_TOO_LARGE"


async def test_a_body_that_dribbles_is_given_up(origin: str) -> None:
    head = b"POST /small/things HTTP/1.1\r\nHost: x\r\nContent-Length: 30\r\nConnection: close\r\n\r\n"
    assert code_of(await raw(origin, head, b"{")) == "BODY_TOO_SLOW"


async def test_a_head_that_dribbles_is_given_up(origin: str) -> None:
    assert code_of(await raw(origin, b"GET /small/things/1 HTTP/1.1\r\nHost: x\r\n")) == "BODY_TOO_SLOW"


async def test_a_connection_that_says_nothing_is_closed(origin: str) -> None:
    assert await raw(origin) == b""


@pytest.mark.parametrize(
    ("request_head", "code"),
    [
        (b"GET /small/things/1 HTTP/1.1\r\nHost: x\r\n" + b"X-A: b\r\n" * 1000 + b"Connection: close\r\n\r\n", "HEADERS_TOO_LARGE"),
        (b"GET /small/things/1 HTTP/1.1\r\nHost: x\r\nX-A: " + b"b" * 5000 + b"\r\nConnection: close\r\n\r\n", "HEADERS_TOO_LARGE"),
        (b"GET /small/things/1 HTTP/1.1\r\nHost: x\r\nX-A: " + b"b" * 50_000, "HEADERS_TOO_LARGE"),
        (b"GET /small/" + b"a" * 2000 + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "URL_TOO_LONG"),
        (b"GET /small/" + b"a" * 50_000, "URL_TOO_LONG"),
        (b"nonsense\r\n\r\n", "BAD_REQUEST"),
        (b"\x16\x03\x01\x02\x00\x01\x00", "BAD_REQUEST"),
        (b"GET /small/things/1 HTTP/1.1\r\nHost: x\r\nBad Header\r\n\r\n", "BAD_REQUEST"),
        (b"POST /small/things HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "BAD_REQUEST"),
        (b"POST /small/things HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n", "BAD_REQUEST"),
        (b"POST /small/things HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", "BAD_REQUEST"),
        (b"GET /small/things/%ff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "BAD_UTF8"),
        (b"GET /small/things/a%00b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "NUL_CHARACTER"),
        (b"GET /small/things?limit=%ff HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "BAD_UTF8"),
        (b"GET /small/things?limit=%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "NUL_CHARACTER"),
        (b"GET /small/things?" + b"a&" * 501 + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "URL_TOO_LONG"),
    ],
)  # fmt: skip
async def test_a_hostile_head_is_refused_by_name(
    origin: str, http: httpx.AsyncClient, request_head: bytes, code: str
) -> None:
    assert code_of(await raw(origin, request_head)) == code
    assert (await http.get("/small/things/1")).status_code == 200


async def test_a_later_request_on_a_connection_is_measured_too(origin: str) -> None:
    good = b"GET /small/things/1 HTTP/1.1\r\nHost: x\r\n\r\n"
    flood = (
        b"GET /small/things/1 HTTP/1.1\r\nHost: x\r\nX-A: " + b"b" * 9000 + b"\r\nConnection: close\r\n\r\n"
    )
    answers = await raw(origin, good, flood, pause=0.1)
    assert answers.startswith(b"HTTP/1.1 200")
    assert b"HTTP/1.1 431" in answers


async def test_many_hostile_connections_leave_the_server_unharmed(
    origin: str, http: httpx.AsyncClient
) -> None:
    flood = b"GET /small/things/1 HTTP/1.1\r\nHost: x\r\n" + b"X-A: b\r\n" * 20_000
    answers = await asyncio.gather(*(raw(origin, flood) for _ in range(50)))
    assert all(code_of(answer) == "HEADERS_TOO_LARGE" for answer in answers if answer)
    assert (await http.get("/small/things/1")).status_code == 200


async def test_escaped_quotes_without_an_end_do_not_hold_up_the_server(http: httpx.AsyncClient) -> None:
    """Each of them could begin a string, or be inside one: looked at one by one, a megabyte would take hours."""
    body = b"[" * 20 + b'"' + b'\\"' * 4_800
    began = asyncio.get_running_loop().time()
    for _ in range(5):
        assert (await http.post("/small/echo", content=body)).json()["code"] == "TOO_DEEP"
    assert asyncio.get_running_loop().time() - began < 1.0
