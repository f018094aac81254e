"""Delivery by path: /flux/{environment}/{prefix}/…, or /{prefix}/… where the environment is named another way.

What a path means depends on the environment's folders, so there is one route a method and the rest is looked up.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from flux.content import faults
from flux.content.access import DELIVERY
from flux.content.delivery import introspection
from flux.content.delivery.describing import Describing
from flux.content.delivery.door import Door, Entry
from flux.content.delivery.mcp import Mcp
from flux.content.delivery.reading import read_body
from flux.content.delivery.served import READS, Target
from flux.content.delivery.service import Delivery
from flux.content.delivery.writes import Writes
from flux.content.settled import Settled
from flux.kernel.wire import Call, Raw, Reply, Routes
from flux.kernel.wire.compiling import decode_json
from flux.kernel.wire.openapi import failures
from flux.kernel.wire.routes import Handler

routes = Routes(tag="delivery")
ENTERING = [
    faults.AUTHENTICATION_FAILED,
    faults.AUTHENTICATION_REQUIRED,
    faults.PERMISSION_DENIED,
    faults.ACCESS_DENIED,
    faults.ROUTE_NOT_FOUND,
    faults.ACTION_NOT_ALLOWED,
    faults.RATE_LIMIT_EXCEEDED,
]
ALWAYS = [faults.REQUEST_TIMEOUT, faults.INTERNAL_SERVER_ERROR, faults.SERVICE_UNAVAILABLE]
_READING = [
    faults.RESOURCE_NOT_FOUND,
    faults.COMPONENT_NOT_FOUND,
    faults.MAX_RESPONSE_SIZE_EXCEEDED,
    faults.VALIDATION_ERROR,
    faults.INVALID_REQUEST,
    faults.UNKNOWN_FIELD,
    faults.UNKNOWN_LOCALE,
    faults.INVALID_LOCALE,
    faults.MISSED_COMPONENT,
]
_SEARCHING = [*_READING, faults.FAILED_JOIN, faults.TOO_MANY_JOIN_FOLDERS, faults.UPSTREAM_ERROR]
_WRITING = [
    faults.COLLECTION_NOT_WRITABLE,
    faults.RESOURCE_NOT_FOUND,
    faults.COMPONENT_NOT_FOUND,
    faults.EXTERNAL_ID_CONFLICT,
    faults.DATA_VALIDATION_ERROR,
    faults.VALIDATION_ERROR,
    faults.INVALID_REQUEST,
    faults.MISSED_COMPONENT,
    faults.RESOURCE_OWNER_REQUIRED,
    faults.NO_PUBLISHED_SCHEMA,
    faults.PLAN_LIMIT_EXCEEDED,
    faults.UPSTREAM_ERROR,
]


def _route(method: str, raises: list[Any], **options: Any) -> Callable[[Handler], Handler]:
    """With the environment in the path, and without."""

    def register(handler: Handler) -> Handler:
        for path in ("/flux/{rest:path}", "/{rest:path}"):
            routes.route(method, path, auth=DELIVERY, raises=[*ENTERING, *raises], **options)(handler)
        return handler

    return register


def entry_of(call: Call) -> Entry:
    """What the gate found out."""
    entry: Entry = call.state["entry"]
    return entry


@_route("GET", [*_READING, faults.UPSTREAM_ERROR])
async def read(call: Call) -> Any:
    """List a folder, get a resource, or read `_router`, `_schema`, `_openapi` or the probe of `_mcp`."""
    entry, delivery = entry_of(call), call.use(Delivery)
    segments = entry.segments
    if segments and segments[-1].startswith("_") and (told := await _special(call, entry, delivery)):
        return told
    target = delivery.target(entry, segments)
    if target.key is None:
        return await delivery.many(call, entry, target)
    return await delivery.one(call, entry, target)


async def _special(call: Call, entry: Entry, delivery: Delivery) -> Any:
    """What is served beside documents; None where the path names none of it."""
    segments = entry.segments
    if segments == ("_mcp",):
        return _mcp(call, entry).probe(call, entry)
    if segments in (("_router",), ("_openapi",)):
        if not entry.api.api.router_introspection_enabled:
            raise faults.ROUTE_NOT_FOUND()
        if segments == ("_openapi",):
            return delivery.reply(call, entry, _describing(call, entry).document(entry.api))
        return delivery.reply(call, entry, introspection.router(entry.api))
    if segments[-1] == "_schema":
        return await _schema(call, entry, delivery.target(entry, segments[:-1]))
    if segments[-1] == "_search":
        delivery.target(entry, segments[:-1])
        raise faults.ACTION_NOT_ALLOWED()
    return None


@_route("POST", [*_SEARCHING, *_WRITING])
async def search_or_create(call: Call) -> Any:
    """Search a folder (`…/_search`), create a published resource in it, or talk to `_mcp`."""
    entry, delivery = entry_of(call), call.use(Delivery)
    segments = entry.segments
    if segments == ("_mcp",):
        return await _mcp(call, entry).answer(call, entry, await _message(call))
    searching = bool(segments) and segments[-1] == "_search"
    target = delivery.target(entry, segments[:-1] if searching else segments)
    if target.key is not None:
        raise faults.ROUTE_NOT_FOUND() if searching else faults.ACTION_NOT_ALLOWED()
    if searching:
        raw = await call.body()
        return await delivery.many(call, entry, target, partial(_decoded, call, raw))
    writes = call.use(Writes)
    writes.check(target, "create")
    parent = await delivery.check_parents(target)
    answer = await writes.create(target, await _body(call), call.query_value("component"), parent)
    return Reply(answer, 201)


@_route("PUT", _WRITING)
async def update(call: Call) -> Reply:
    """Replace a resource's data and publish it."""
    entry, delivery = entry_of(call), call.use(Delivery)
    target = delivery.target(entry, entry.segments)
    if target.key is None or target.key.startswith("_"):
        raise faults.ACTION_NOT_ALLOWED()
    writes = call.use(Writes)
    writes.check(target, "update")
    parent = await delivery.check_parents(target)
    return Reply(await writes.update(target, await _body(call), parent))


@_route("*", [], hidden=True)
async def other_methods(call: Call) -> None:
    """Nothing else is done here: a path that exists refuses the method, another is not found."""
    entry = entry_of(call)
    segments = entry.segments
    if segments == ("_mcp",):
        _mcp(call, entry)
        if call.method == "DELETE":
            return  # No session is kept, so none is left to end.
    if segments and segments[-1] in ("_search", "_schema"):
        segments = segments[:-1]
    if segments not in (("_router",), ("_openapi",), ("_mcp",)):
        call.use(Delivery).target(entry, segments)
    raise faults.ACTION_NOT_ALLOWED()


async def _schema(call: Call, entry: Entry, target: Target) -> Raw:
    """The schema that is published for the folder, or for the named component of a composite one."""
    delivery = call.use(Delivery)
    if target.key is not None:
        raise faults.ROUTE_NOT_FOUND()
    if not target.served.allowed.intersection(READS):
        raise faults.ACTION_NOT_ALLOWED()
    await delivery.check_parents(target)
    owner, published = target.served.key, target.served.schema
    if target.served.folder.is_composite:
        component = call.query_value("component")
        if not component:
            raise faults.MISSED_COMPONENT()
        if component not in entry.snapshot.components:
            raise faults.COMPONENT_NOT_FOUND()
        owner, published = component, entry.snapshot.components[component]
    if published is None:
        raise faults.RESOURCE_NOT_FOUND()
    prefix = entry.api.api.prefix
    shown = introspection.schema(prefix, target.served, owner, published.version, published.shape)
    return delivery.reply(call, entry, shown)


def _mcp(call: Call, entry: Entry) -> Mcp:
    if not entry.api.api.mcp_enabled:
        raise faults.ROUTE_NOT_FOUND()
    return Mcp(read, search_or_create)


def _describing(call: Call, entry: Entry) -> Describing:
    """The server is where the API's own paths begin, with its environment in it where the request had it."""
    above = call.path.removesuffix(f"/{entry.api.api.prefix}/_openapi")
    answers = [failures(call.plane, [*ALWAYS, *ENTERING, *own]) for own in (_READING, _SEARCHING, _WRITING)]
    return Describing(call.use(Settled).public_base(call) + above, *answers)


async def _message(call: Call) -> Any:
    raw = await call.body()
    return decode_json(raw, Any, call.use(Settled).depth) if raw else None


async def _body(call: Call) -> dict[str, Any]:
    """A JSON object; anything else is an invalid request."""
    return _decoded(call, await call.body())


def _decoded(call: Call, raw: bytes) -> dict[str, Any]:
    return read_body(raw, decode_json(raw, Any, call.use(Settled).depth) if raw else None)


async def enter(call: Call) -> None:
    """For the gate."""
    door = call.use(Door)
    call.state["entry"] = door.at_hand(call) or await door.enter(call)
