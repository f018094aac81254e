"""JSON bodies as this API reads them: an object, sent as JSON, without keys twice."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from flux.kernel.wire import Body, Call
from flux.kernel.wire.compiling import decode_json, require_json
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
    members: Members = decode_json(raw, Members, call.plane.limits.depth)
    return members


async def read_struct(call: Call, kind: type[T], *, optional: bool = False) -> T:
    """The body as `kind`. An explicit null is as good as an absent member. `optional`: no body at all is `{}`."""
    if optional and not await call.body():
        return struct_of(call, {}, kind)
    return struct_of(call, await read_members(call), kind)


def struct_of(call: Call, members: Members, kind: type[T]) -> T:
    given = {name: raw for name, raw in members.items() if bytes(raw) != b"null"}
    result: T = decode_json(msgspec.json.encode(given), kind, call.plane.limits.depth)
    return result
