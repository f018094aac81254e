"""Reading request bodies within size and time, and refusing JSON that two parsers could read differently."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

import msgspec

from flux.kernel.wire.troubles import Kind, Problem, WireTrouble

if TYPE_CHECKING:
    from flux.kernel.wire.call import Call

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Headers = Mapping[bytes, bytes]
_LEFTOVER_SECONDS = 1.0
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")
_POSITION = re.compile(r"\(byte (\d+)\)")
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode
_NUL = re.compile(rb"(?:[^\\]|^)(?:\\\\)*\\u0000")


class ClientGone(Exception):
    """The client disconnected before its body was complete; there is nobody to answer."""


def declared_length(headers: Headers) -> int | None:
    value = headers.get(b"content-length")
    return int(value) if value is not None and value.isdigit() else None


def within(body: bytes, limit: int) -> bytes:
    if len(body) > limit:
        raise WireTrouble(Kind.BODY_TOO_LARGE, limit=limit)
    return body


async def stream_body(receive: Receive, headers: Headers, limit: int, seconds: float) -> AsyncIterator[bytes]:
    length = declared_length(headers)
    if length is not None and length > limit:
        raise WireTrouble(Kind.BODY_TOO_LARGE, limit=limit)
    size, more = 0, True
    while more:
        message = await _next(receive, seconds)
        more = message.get("more_body", False)
        if piece := message.get("body", b""):
            size += len(piece)
            if size > limit:
                raise WireTrouble(Kind.BODY_TOO_LARGE, limit=limit)
            yield piece


async def _next(receive: Receive, seconds: float) -> MutableMapping[str, Any]:
    try:
        async with asyncio.timeout(seconds):
            message = await receive()
    except TimeoutError:
        raise WireTrouble(Kind.BODY_TOO_SLOW, limit=seconds) from None
    if message["type"] == "http.disconnect":
        raise ClientGone
    return message


def owes_body(call: Call) -> bool:
    """Whether the connection ends with this answer while the client still sends."""
    exchange = call.exchange
    return (
        exchange is not None
        and exchange.more_body
        and not exchange.keep_alive
        and not exchange.waiting_for_100_continue
    )


async def unread(call: Call) -> None:
    """Before a refusal that ends its connection: let what is still coming of the body come, for a moment. Bytes that
    arrive at a closed connection reset it, and the answer is lost with it."""
    try:
        async with asyncio.timeout(_LEFTOVER_SECONDS):
            while (await call.receive()).get("more_body"):
                pass
    except TimeoutError:
        return


def parse_json(body: bytes, depth: int) -> Any:
    """Plain JSON values. Refuses what is well-formed enough to decode and still hostile: nesting beyond `depth`,
    duplicate keys, NUL characters, bytes that are not UTF-8. Cheap counts settle the usual body."""
    if body.count(b"[") + body.count(b"{") > depth and _depth(body) > depth:
        raise WireTrouble(Kind.TOO_DEEP, limit=depth)
    escapes = b"\\" in body
    if escapes and b"u0000" in body and _NUL.search(body):
        raise WireTrouble(Kind.NUL_CHARACTER)
    try:
        value = _decode(body)
    except UnicodeDecodeError as error:
        raise WireTrouble(Kind.BAD_UTF8, position=error.start) from None
    except RecursionError:
        raise WireTrouble(Kind.TOO_DEEP, limit=depth) from None
    except msgspec.ValidationError:
        # A number no double holds: JSON by its grammar, and nothing anyone can read.
        problem = Problem("body", "", "format", "numbers within the range of a double")
        raise WireTrouble(Kind.INVALID_VALUES, [problem]) from None
    except msgspec.DecodeError as error:
        raise _malformed(error) from None
    if _may_have_duplicates(body, value, escapes):
        json.loads(body, object_pairs_hook=_refuse_duplicates)
    return value


def _may_have_duplicates(body: bytes, value: Any, escapes: bool) -> bool:
    """Decoding keeps one member a key, and each member has a colon: written again, a value with a duplicate has fewer
    colons than were sent. Only an escaped colon adds one."""
    colons = body.count(b":")
    if not colons or (type(value) is dict and len(value) == colons):
        return False
    if escapes and b"\\u003" in body:
        return True
    try:
        return _encode(value).count(b":") != colons
    except (ValueError, OverflowError, RecursionError):
        return True  # a number of thousands of digits


def _malformed(error: msgspec.DecodeError) -> WireTrouble:
    found = _POSITION.search(str(error))
    return WireTrouble(Kind.MALFORMED_JSON, position=int(found.group(1)) if found else None)


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> None:
    if len(pairs) > 1:
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise WireTrouble(Kind.DUPLICATE_KEY, subject=key)
            seen.add(key)


def _depth(body: bytes) -> int:
    """Of what is JSON; of anything else some number. What stands in strings does not count: without escapes every second piece
    between quotes is one."""
    if b"\\" in body:
        body = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    deepest = level = 0
    for byte in b"".join(body.split(b'"')[::2]).translate(None, _NO_BRACKETS):
        if byte in b"[{":
            level += 1
            if level > deepest:
                deepest = level
        else:
            level -= 1
    return deepest
