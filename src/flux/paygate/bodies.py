"""JSON bodies as this API reads them: an object, sent as JSON, without keys twice."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from flux.kernel.wire import Body, Call, Kind, WireTrouble
from flux.kernel.wire.bodies import parse_json
from flux.kernel.wire.compiling import require_json
from flux.kernel.wire.values import decode_hook, explain
from flux.paygate.faults import INVALID_REQUEST

T = TypeVar("T")
Members = dict[str, msgspec.Raw]
NO_BODY: Body[Any] = Body(lambda: None)
"""Default of handlers whose body may be absent; they read it with `read_struct(…, optional=True)`."""


async def read_members(call: Call) -> Members:
    """The members of the body, each still as JSON text. Raises INVALID_REQUEST or `WireTrouble`."""
    raw = await call.body()
    if call.header("content-type") is None:
        raise INVALID_REQUEST(reason="content_type")
    require_json(call)
    if not isinstance(parse_json(raw, call.plane.limits.depth), dict):
        raise INVALID_REQUEST(reason="not_an_object")
    return msgspec.json.decode(raw, type=Members)


async def read_struct(call: Call, kind: type[T], *, optional: bool = False) -> T:
    """The body as `kind`. An explicit null is as good as an absent member. `optional`: no body at all is `{}`."""
    if optional and not await call.body():
        return struct_of({}, kind)
    return struct_of(await read_members(call), kind)


def struct_of(members: Members, kind: type[T]) -> T:
    """Numbers keep their exact text where a field is `msgspec.Raw`. Raises `WireTrouble` with every problem."""
    given = {name: raw for name, raw in members.items() if bytes(raw) != b"null"}
    text = msgspec.json.encode(given)
    try:
        return msgspec.json.decode(text, type=kind, dec_hook=decode_hook)
    except msgspec.ValidationError as error:
        problems = explain(kind, msgspec.json.decode(text), "body", error)
        raise WireTrouble(Kind.INVALID_VALUES, problems) from None
