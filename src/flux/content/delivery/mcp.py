"""`_mcp`: an API's five read operations as tools of the Model Context Protocol, over Streamable HTTP without sessions.

Each tool is the REST request of the same name, asked on the caller's behalf with the caller's rights, so that a limit or
a refusal is the same here and there. What JSON-RPC itself can complain about is answered with 200 and an `error`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from flux import __version__
from flux.content import faults
from flux.content.delivery.door import Entry
from flux.content.delivery.mcp_tools import TOOLS, Asked, Unfit, asked
from flux.kernel.faults import FaultError
from flux.kernel.wire import Call, Raw, Reply
from flux.kernel.wire.places import Place

Handler = Callable[[Call], Awaitable[Any]]
PROTOCOLS = ("2025-03-26", "2025-06-18")
SERVER = "foxnose-flux-mcp"
MOST_MESSAGES = 50
METHOD_NOT_FOUND, INVALID_MESSAGE, INVALID_PARAMS = -32601, -32600, -32602


class Mcp:
    """`read` and `search` are the plane's own handlers of GET and of POST `…/_search`."""

    def __init__(self, read: Handler, search: Handler) -> None:
        self._read = read
        self._search = search

    def probe(self, call: Call, entry: Entry) -> dict[str, str]:
        """Whoever opens a stream learns that there is none."""
        if "text/event-stream" in (call.header("accept") or "") and "json" not in (
            call.header("accept") or ""
        ):
            raise faults.ACTION_NOT_ALLOWED()
        return {"status": "ok", "protocol": "mcp-streamable-http", "api": entry.api.api.prefix}

    async def answer(self, call: Call, entry: Entry, message: Any) -> Reply:
        """One message or a batch of them. Raises `INVALID_REQUEST` for what is neither."""
        if isinstance(message, list):
            if not 1 <= len(message) <= MOST_MESSAGES:
                raise faults.INVALID_REQUEST()
            answers = [one for part in message if (one := await self._one(call, entry, part)) is not None]
            return Reply(answers) if answers else Reply(None, 202)
        if not isinstance(message, dict):
            raise faults.INVALID_REQUEST()
        answer = await self._one(call, entry, message)
        return Reply(None, 202) if answer is None else Reply(answer)

    async def _one(self, call: Call, entry: Entry, message: Any) -> dict[str, Any] | None:
        """None for what asks for no answer."""
        if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
            return _error(None, INVALID_MESSAGE, "Not a JSON-RPC 2.0 message")
        name, number = message.get("method"), message.get("id")
        if not isinstance(name, str):
            # A result or an error: of a request that was never made here.
            return (
                None
                if "result" in message or "error" in message
                else _error(number, INVALID_MESSAGE, "No method")
            )
        if "id" not in message:
            return None
        if not isinstance(number, str | int) or isinstance(number, bool):
            return _error(None, INVALID_MESSAGE, "An id is a string or an integer")
        given = message.get("params") or {}
        if not isinstance(given, dict):
            return _error(number, INVALID_PARAMS, "Parameters are an object")
        if name == "initialize":
            return _result(number, _introduction(entry, given))
        if name == "ping":
            return _result(number, {})
        if name == "tools/list":
            return _result(number, {"tools": TOOLS})
        if name == "tools/call":
            return await self._call_tool(call, entry, number, given)
        return _error(number, METHOD_NOT_FOUND, f"Unknown method: {name[:100]}")

    async def _call_tool(
        self, call: Call, entry: Entry, number: Any, given: dict[str, Any]
    ) -> dict[str, Any]:
        try:
            wanted = asked(given.get("name"), given.get("arguments"))
        except Unfit as unfit:
            return _error(number, INVALID_PARAMS, str(unfit))
        inner = _inner(call, entry, wanted)
        try:
            raw = await (self._search if wanted.body is not None else self._read)(inner)
            body, failed = raw.body if isinstance(raw, Raw) else msgspec.json.encode(raw), False
        except FaultError as refused:
            # Noted as any refusal of the request itself, by the one that will say it: the tool's result.
            body, failed = call.plane.envelope.render(refused, inner)[0], True
        content = [{"type": "text", "text": body.decode()}]
        answer = {"content": content, "structuredContent": msgspec.Raw(body), "isError": failed}
        return _result(number, answer)


def _introduction(entry: Entry, given: dict[str, Any]) -> dict[str, Any]:
    wished = given.get("protocolVersion")
    api = entry.api.api
    return {
        "protocolVersion": wished if wished in PROTOCOLS else PROTOCOLS[0],
        "capabilities": {"tools": {"listChanged": False}},
        "serverInfo": {"name": SERVER, "version": __version__},
        "instructions": f"Published content of {api.name}. Call discover for its paths, get_schema for the fields of one.",
    }


def _inner(call: Call, entry: Entry, wanted: Asked) -> Call:
    """The REST request that a tool stands for: the caller's, to another path of the same API."""
    mount = call.scope["raw_path"].decode("latin-1").rstrip("/").removesuffix(call.path.rstrip("/"))
    base = call.path.rstrip("/").removesuffix("/_mcp")
    path = f"{base}/{'/'.join(quote(one, safe='') for one in wanted.segments)}"
    body = b"" if wanted.body is None else msgspec.json.encode(wanted.body)
    scope = {
        **call.scope,
        "method": "GET" if wanted.body is None else "POST",
        "raw_path": (mount + path).encode("latin-1"),
        "query_string": urlencode(wanted.params).encode(),
    }
    headers = {
        name: value for name, value in call.first_headers.items() if name in (b"host", b"authorization")
    }
    made = Call(scope, _sent(body), Place.below(call.plane, path), call.request_id, headers, call.client_ip)
    made.route, made.principal = call.route, call.principal
    made.state["entry"] = msgspec.structs.replace(entry, segments=wanted.segments)
    return made


def _sent(body: bytes) -> Callable[[], Awaitable[dict[str, Any]]]:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _result(number: Any, result: dict[str, Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "result": result}


def _error(number: Any, code: int, message: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "error": {"code": code, "message": message}}
