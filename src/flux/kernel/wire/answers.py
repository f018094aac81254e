"""Writing answers: status, headers, bytes. Nothing here decides anything about failures."""

from __future__ import annotations

import sys
from collections.abc import Coroutine
from http import HTTPStatus
from typing import Any

from msgspec import Struct

from flux.kernel.wire.bodies import ClientGone
from flux.kernel.wire.call import Call, Send
from flux.kernel.wire.exchange import Exchange
from flux.kernel.wire.headers import Headers, harmless, line
from flux.kernel.wire.planes import Cors
from flux.kernel.wire.replies import Encoded, Raw, Reply, Stream
from flux.kernel.wire.values import encoder

JSON = b"application/json"
_USUAL = b"x-request-id: %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n"
BODILESS = (204, 304)


class Answer(Struct):
    """Headers beyond request id, length and content type; a body is JSON unless told otherwise."""

    status: int
    body: bytes
    headers: dict[str, str] = {}
    content_type: bytes | None = None


def cors_headers(call: Call) -> dict[str, str]:
    """For a request with an `Origin`; empty when the plane does not share with it."""
    origin = call.header("origin")
    policy = call.plane.cors
    if origin is None or policy is None:
        return {}
    cors = policy if isinstance(policy, Cors) else policy(call)
    if cors is None:
        return {}
    if cors.origins == ("*",) and not cors.credentials:
        shared = {"Access-Control-Allow-Origin": "*"}
    elif origin in cors.origins or cors.origins == ("*",):
        shared = {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
        if cors.credentials:
            shared["Access-Control-Allow-Credentials"] = "true"
    else:
        return {}
    shared["Access-Control-Expose-Headers"] = cors.expose_headers
    return shared


def preflight(call: Call) -> Answer:
    """204 with or without permission: a browser reads the headers, not the status."""
    shared = cors_headers(call)
    policy = call.plane.cors
    cors = policy if isinstance(policy, Cors) or policy is None else policy(call)
    if shared and cors is not None:
        shared["Access-Control-Allow-Methods"] = cors.methods
        asked = call.header("access-control-request-headers")
        shared["Access-Control-Allow-Headers"] = (
            asked if cors.allow_headers == "*" and asked else cors.allow_headers
        )
        shared["Access-Control-Max-Age"] = str(cors.max_age)
    return Answer(204, b"", shared)


def send_result(send: Send, call: Call, status: int, result: Any) -> Coroutine[Any, Any, int]:
    """What a handler returned (see replies.py). The status that left."""
    if result is None:
        return _send(send, call, 204, None, b"", None)
    kind = type(result)
    if kind is Raw:
        media: str = result.content_type
        content_type = JSON if media == "application/json" else media.encode("latin-1", "replace")
        return _send(send, call, result.status, content_type, result.body, result.headers)
    if kind is Encoded:
        return _send(send, call, status, JSON, result.body, None)
    if kind is Reply:
        body = b"" if result.value is None else encoder.encode(result.value)
        return _send(send, call, result.status, JSON if body else None, body, result.headers)
    if kind is Stream:
        return _send_stream(send, call, result)
    return _send(send, call, status, JSON, encoder.encode(result), None)


def send_answer(send: Send, call: Call, answer: Answer) -> Coroutine[Any, Any, int]:
    return _send(send, call, answer.status, answer.content_type, answer.body, answer.headers)


def socket_head(call: Call, answer: Answer) -> list[tuple[bytes, bytes]]:
    """The headers of an answer that refuses a WebSocket."""
    return _head(call, answer.content_type, len(answer.body), answer.headers)


def _extras(call: Call, headers: dict[str, str] | None) -> dict[str, str]:
    """Everything beyond request id, type and length: of the answer, of the request, of sharing between origins."""
    merged = call.reply_headers
    if headers:
        merged = {**merged, **headers}
    if b"origin" in call.first_headers and (shared := cors_headers(call)):
        if "Vary" in merged and "Vary" in shared:
            names = (name.strip() for name in f"{merged['Vary']},{shared['Vary']}".split(","))
            shared["Vary"] = ", ".join(dict.fromkeys(names))
        merged = {**merged, **shared}
    return merged


def _head(
    call: Call, content_type: bytes | None, length: int | None, headers: dict[str, str] | None
) -> list[tuple[bytes, bytes]]:
    head = [(b"x-request-id", call.request_id.encode())]
    if content_type is not None:
        head.append((b"content-type", harmless(content_type)))
    if length is not None:
        head.append((b"content-length", b"%d" % length))
    for name, value in _extras(call, headers).items():
        head.append((name.lower().encode("latin-1"), harmless(value.encode("latin-1", "replace"))))
    return head


async def _send(
    send: Send,
    call: Call,
    status: int,
    content_type: bytes | None,
    body: bytes,
    headers: dict[str, str] | None,
) -> int:
    exchange = call.exchange
    length = None if status in BODILESS else len(body)
    if length is None:
        body = b""
    if exchange is not None:
        if exchange.flow.write_paused:
            await exchange.flow.drain()
        exchange.answer(status, _lines(exchange, call, content_type, length, headers), body)
        return status
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": _head(call, content_type, length, headers),
        }
    )
    call.started = True
    await send({"type": "http.response.body", "body": b"" if call.method == "HEAD" else body})
    return status


def _lines(
    exchange: Exchange,
    call: Call,
    content_type: bytes | None,
    length: int | None,
    headers: dict[str, str] | None,
) -> bytes:
    """`_head` as it goes on the wire, on the way that nearly every answer takes. What an answer says of the connection is
    the exchange's to keep, and to write."""
    if content_type is JSON and length is not None:
        lines = _USUAL % (call.request_id.encode(), length)
    else:
        lines = b"x-request-id: %b\r\n" % call.request_id.encode()
        if content_type is not None:
            lines += b"content-type: %b\r\n" % harmless(content_type)
        if length is not None:
            lines += b"content-length: %d\r\n" % length
    if not call.reply_headers and b"origin" not in call.first_headers:
        if not headers:
            return lines
        if type(headers) is Headers:
            return lines + headers.wire
    extras = ""
    for name, value in _extras(call, headers).items():
        name = name.lower()
        if name == "connection" and value.lower() == "close":
            exchange.keep_alive = False
        else:
            extras += line(name, value)
    return lines + extras.encode("latin-1", "replace")


async def _send_stream(send: Send, call: Call, stream: Stream) -> int:
    exchange = call.exchange
    head = _stream_head(call, stream)
    unmarked = exchange if call.scope["http_version"] == "1.0" and _open_ended(head) else None
    if unmarked is not None:
        # HTTP/1.0 knows no chunks: the body ends where the connection does.
        unmarked.chunked_encoding, unmarked.expected_content_length = False, sys.maxsize
    try:
        await send({"type": "http.response.start", "status": stream.status, "headers": head})
        call.started = True
        if call.method != "HEAD" and stream.status not in BODILESS:
            async for chunk in stream.chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
                if exchange is not None and exchange.disconnected:
                    # Nobody reads any more, and sending to nobody succeeds for ever.
                    raise ClientGone
        if unmarked is not None:
            unmarked.expected_content_length = 0
        await send({"type": "http.response.body", "body": b""})
    finally:
        close = getattr(stream.chunks, "aclose", None)
        if close is not None:
            await close()
    return stream.status


def _open_ended(head: list[tuple[bytes, bytes]]) -> bool:
    return all(name.lower() != b"content-length" for name, _ in head)


def _stream_head(call: Call, stream: Stream) -> list[tuple[bytes, bytes]]:
    content_type = (
        stream.content_type.encode("latin-1", "replace") if stream.content_type is not None else None
    )
    bodiless = stream.status in BODILESS
    head = _head(call, content_type, None if bodiless else stream.content_length, stream.headers)
    for name, value in stream.raw_headers:
        if not (bodiless and name.lower() == b"content-length"):
            head.append((name, harmless(value)))
    return head


def refusal_bytes(call: Call, answer: Answer) -> bytes:
    """The whole answer as it goes on the wire, closing the connection."""
    head = [b"HTTP/1.1 %d %s" % (answer.status, HTTPStatus(answer.status).phrase.encode("ascii"))]
    head += [
        name + b": " + value
        for name, value in _head(call, answer.content_type, len(answer.body), answer.headers)
    ]
    head.append(b"connection: close")
    return b"\r\n".join(head) + b"\r\n\r\n" + answer.body
