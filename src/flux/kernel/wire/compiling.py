"""A handler's signature, read once, becomes one closure: decode → handler → encode."""

from __future__ import annotations

import inspect
import re
import typing
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import Any

import msgspec

from flux.kernel.wire.bodies import parse_json
from flux.kernel.wire.call import Call
from flux.kernel.wire.replies import Encoded
from flux.kernel.wire.routes import Route
from flux.kernel.wire.troubles import Kind, Problem, WireTrouble
from flux.kernel.wire.values import Body, decode_hook, explain

PLACE = re.compile(r"\{(\w+)(?::path)?\}")
JSON_TYPES = ("application/json", "text/json")
Invoke = Callable[..., Awaitable[Any] | WireTrouble]
Decode = Callable[[Call, bytes], Any]
"""The value of a body, or a `WireTrouble` with what is wrong in it. Raises one where it is not even JSON."""
Convert = Callable[[Mapping[str, str]], tuple[dict[str, Any], list[Problem]]]


class BadRoute(Exception):
    """A handler whose signature does not fit its path: found when the plane is mounted."""


@dataclass(slots=True)
class Compiled:
    """A route ready to run: `invoke(call)` (plus the socket on a WebSocket route) is to be awaited, or why the body that
    is there does not fit: returned and not raised, because a client's mistake is nothing out of the ordinary and a
    traceback costs as much as finding it. `convert` turns the texts of its places into values, with a problem for each
    that does not fit."""

    route: Route
    invoke: Invoke
    places: tuple[str, ...]
    convert: Convert
    body: Any = None
    """The type of the JSON body, for OpenAPI; None without one."""
    body_optional: bool = False
    query: Any = None
    path_types: dict[str, Any] | None = None
    returns: Any = None


def compile_route(route: Route) -> Compiled:
    hints = _hints(route.handler)
    signature = inspect.signature(route.handler)
    names = list(signature.parameters)
    places = tuple(PLACE.findall(route.path))
    if not names or names[0] != "call":
        raise BadRoute(f"{route.name}: the first parameter must be `call`")
    fixed = {"call", "body", "query"} | ({"socket"} if route.method == "WEBSOCKET" else set())
    for name in names:
        if name not in fixed and name not in places:
            raise BadRoute(f"{route.name}: `{name}` is neither in the path nor one of call, body, query")
        if name != "call" and name not in hints:
            raise BadRoute(f"{route.name}: `{name}` has no annotation")
    wanted = [(name, hints[name]) for name in names if name in places]
    query = hints.get("query") if "query" in names else None
    body = hints.get("body") if "body" in names else None
    optional = body is not None and signature.parameters["body"].default is not inspect.Parameter.empty
    converters = {name: _path_converter(name, kind) for name, kind in wanted if kind is not str}
    plain = tuple(name for name, kind in wanted if kind is str)
    read_query = _query_reader(query) if query is not None else None
    lazy = typing.get_origin(body) is Body
    body_type = typing.get_args(body)[0] if lazy else body
    decode = (
        _body_decoder(body_type, optional, signature.parameters["body"].default) if body is not None else None
    )
    return Compiled(
        route,
        _assemble(route.handler, read_query, decode, lazy),
        places,
        _path_reader(plain, converters),
        body_type,
        optional,
        query,
        dict(wanted),
        _described(hints.get("return")),
    )


def _described(returns: Any) -> Any:
    """What the answer's JSON is of."""
    return typing.get_args(returns)[0] if typing.get_origin(returns) is Encoded else returns


_meanings: dict[tuple[str, str], Any] = {}


def _hints(handler: Any) -> dict[str, Any]:
    """`typing.get_type_hints`, each text understood once a module: hundreds of handlers say the same few."""
    known, module = handler.__globals__, handler.__module__
    hints = {}
    for name, text in handler.__annotations__.items():
        meaning = text
        if isinstance(text, str):
            meaning = _meanings.get((module, text), known)
            if meaning is known:
                meaning = known[text] if text in known else eval(text, known)  # noqa: S307 - our own source
                _meanings[module, text] = meaning
        hints[name] = type(None) if meaning is None else meaning
    return hints


def _assemble(
    handler: Callable[..., Awaitable[Any]],
    read_query: Callable[[Call], Any] | None,
    decode: Decode | None,
    lazy: bool,
) -> Invoke:
    """The handler's call with just the steps that its signature needs."""
    if decode is None and read_query is None:
        return lambda call, *socket: handler(call, *socket, **call.values)
    if decode is None:
        assert read_query is not None
        read = read_query
        return lambda call, *socket: handler(call, *socket, query=read(call), **call.values)
    if lazy:

        def with_lazy_body(call: Call) -> Awaitable[Any]:
            extra = {} if read_query is None else {"query": read_query(call)}
            return handler(call, body=Body(lambda: _read(call, decode)), **extra, **call.values)

        return with_lazy_body

    def with_body(call: Call) -> Awaitable[Any] | WireTrouble:
        if read_query is not None:
            call.values = {**call.values, "query": read_query(call)}
        raw = call.body_now()
        if raw is None:
            return when_it_came(call)
        body = decode(call, raw)
        return body if type(body) is WireTrouble else handler(call, body=body, **call.values)

    async def when_it_came(call: Call) -> Any:
        body = decode(call, await call.body())
        return body if type(body) is WireTrouble else await handler(call, body=body, **call.values)

    return with_body


async def _read(call: Call, decode: Decode) -> Any:
    body = decode(call, await call.body())
    if type(body) is WireTrouble:
        raise body
    return body


def _path_reader(plain: tuple[str, ...], converters: Mapping[str, Callable[[str], Any]]) -> Convert:
    def convert(params: Mapping[str, str]) -> tuple[dict[str, Any], list[Problem]]:
        values: dict[str, Any] = {name: params[name] for name in plain}
        problems: list[Problem] = []
        for name, converter in converters.items():
            try:
                values[name] = converter(params[name])
            except (ValueError, msgspec.ValidationError) as error:
                problems.append(Problem("path", name, "format", str(error), params[name]))
        return values, problems

    return convert


def _path_converter(name: str, kind: Any) -> Callable[[str], Any]:
    from_wire = getattr(kind, "from_wire", None)
    if from_wire is not None:
        return from_wire  # type: ignore[no-any-return]
    return lambda text: msgspec.convert(text, kind, strict=False)


def _query_reader(kind: Any) -> Callable[[Call], Any]:
    default = _without_values(kind)

    @cache
    def names() -> tuple[set[str], set[str]]:
        """All, and those of lists. Asked for on first use: most routes of a process are never called."""
        fields = msgspec.structs.fields(kind)
        return {entry.encode_name for entry in fields}, {
            entry.encode_name for entry in fields if _is_list(entry.type)
        }

    def read(call: Call) -> Any:
        if default is not None and not call.scope["query_string"]:
            return default
        known, lists = names()
        given: dict[str, Any] = {}
        for key, value in call.query:
            if key in lists:
                given.setdefault(key, []).append(value)
            elif key in known:
                given[key] = value
        try:
            return msgspec.convert(given, kind, strict=False, dec_hook=decode_hook)
        except msgspec.ValidationError as error:
            raise WireTrouble(Kind.INVALID_VALUES, _query_problems(kind, given, error)) from None

    return read


def _without_values(kind: Any) -> Any:
    """What no query string at all means; None where something is required."""
    try:
        return kind()
    except TypeError:
        return None


def _query_problems(kind: Any, given: dict[str, Any], error: Exception) -> list[Problem]:
    """One problem a parameter: query values are strings, so each is converted alone to see which ones fail."""
    problems: list[Problem] = []
    for entry in msgspec.structs.fields(kind):
        name = entry.encode_name
        if name not in given:
            if entry.required:
                problems.append(Problem("query", name, "missing", "a value"))
            continue
        try:
            msgspec.convert(given[name], entry.type, strict=False, dec_hook=decode_hook)
        except msgspec.ValidationError as reason:
            problems.append(_query_problem(name, entry.type, given[name], reason))
    return problems or [Problem("query", "", "format", str(error))]


def _query_problem(name: str, kind: Any, text: Any, reason: Exception) -> Problem:
    """The bound that was passed when the text is at least of the right type, otherwise what the type is."""
    value: Any = text
    if isinstance(text, str):
        for plain in (int, float, bool):
            try:
                value = msgspec.convert(text, plain, strict=False)
                break
            except msgspec.ValidationError:
                continue
    found = explain(kind, value, "query", reason)[0]
    if found.kind == "type" and value is not text:
        found = explain(kind, text, "query", reason)[0]
    return Problem("query", name, found.kind, found.expected, text, found.bound)


def _is_list(kind: Any) -> bool:
    if typing.get_origin(kind) is typing.Annotated:
        kind = typing.get_args(kind)[0]
    candidates = typing.get_args(kind) if typing.get_origin(kind) in (typing.Union, UnionType) else (kind,)
    return any(typing.get_origin(part) is list or part is list for part in candidates)


def _body_decoder(kind: Any, optional: bool, default: Any) -> Decode:
    def decode(call: Call, raw: bytes) -> Any:
        if not raw and optional:
            return default
        require_json(call)
        value = parse_json(raw, call.plane.limits.depth)
        try:
            return msgspec.convert(value, kind, dec_hook=decode_hook)
        except msgspec.ValidationError as error:
            return WireTrouble(Kind.INVALID_VALUES, explain(kind, value, "body", error))

    return decode


def require_json(call: Call) -> None:
    """A JSON media type, or none at all: many clients send none."""
    sent = call.first_headers.get(b"content-type")
    if sent is None or sent == b"application/json":
        return
    media = sent.decode("latin-1").partition(";")[0].strip().lower()
    if media not in JSON_TYPES and not media.endswith("+json"):
        raise WireTrouble(Kind.CONTENT_TYPE, subject=media)


def decode_json(raw: bytes, kind: Any, depth: int) -> Any:
    """JSON text to a `kind`, with every check of a body; also for JSON that came another way (a multipart field)."""
    value = parse_json(raw, depth)
    try:
        return msgspec.convert(value, kind, dec_hook=decode_hook)
    except msgspec.ValidationError as error:
        raise WireTrouble(Kind.INVALID_VALUES, explain(kind, value, "body", error)) from None
