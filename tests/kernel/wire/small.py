"""A small plane with every kind of route, served by the real server in the test's own loop."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import msgspec
import uvicorn
from msgspec import UNSET, Meta, Struct, UnsetType

from flux.kernel.faults import Fault, FaultError, FaultTable, PortFailure, Ports
from flux.kernel.wire import (
    Body,
    Call,
    Cors,
    Kind,
    Limits,
    Plane,
    Raw,
    Reply,
    Routes,
    Snowflake,
    Socket,
    SocketClosed,
    Stream,
    Trouble,
    WireTrouble,
)
from flux.kernel.wire.listening import listen
from flux.kernel.wire.protocol import HeadLimits, LimitedProtocol
from flux.kernel.wire.server import Application
from flux.kernel.wire.socketprotocol import SocketProtocol

table = FaultTable("small")
TEAPOT = table.declare(
    "TEAPOT",
    418,
    "I am {what}",
    advice="Ask for tea.",
    params={"what": str},
    sample={"what": "a teapot"},
    headers={"X-Kettle": "{what}"},
)
INTERNAL = table.declare("INTERNAL", 500, "Internal error", advice="Report it.")
BROKEN = table.declare("BROKEN", 502, "A part failed", advice="Retry.")
by_kind = {
    kind: table.declare(kind.name, status, kind.value, advice="Mend the request.")
    for kind, status in {
        **dict.fromkeys(Kind, 400),
        Kind.UNKNOWN_ROUTE: 404,
        Kind.WRONG_METHOD: 405,
        Kind.BODY_TOO_LARGE: 413,
        Kind.BODY_TOO_SLOW: 408,
        Kind.REQUEST_TIMEOUT: 408,
        Kind.HEADERS_TOO_LARGE: 431,
        Kind.URL_TOO_LONG: 414,
    }.items()
}


encode = msgspec.json.Encoder().encode


class SmallEnvelope:
    def translate(self, trouble: Trouble, call: Call) -> FaultError:
        if isinstance(trouble, WireTrouble):
            detail = [[problem.path, problem.kind] for problem in trouble.problems] or None
            headers = {"Allow": ", ".join(trouble.allowed)} if trouble.allowed else {}
            return by_kind[trouble.kind](detail=detail, headers=headers)
        if isinstance(trouble, PortFailure):
            return BROKEN()
        return INTERNAL()

    def render(self, error: FaultError, call: Call) -> tuple[bytes, dict[str, str]]:
        return encode({"code": error.fault.code, "message": error.message, "detail": error.detail}), {}

    def fits(self, status: int, body: bytes) -> str | None:
        return None if set(json.loads(body)) == {"code", "message", "detail"} else "keys"

    def schema(self, fault: Fault) -> dict[str, Any]:
        return {"type": "object", "properties": {"code": {"const": fault.code}}}


class Part(Struct):
    title: Annotated[str, Meta(max_length=5)]


class Thing(Struct):
    name: Annotated[str, Meta(min_length=2, max_length=10, pattern="^[a-z]+$")]
    owner: Snowflake
    count: Annotated[int, Meta(ge=0, le=9)] | None = None
    parts: Annotated[list[Part], Meta(max_length=2)] = []
    note: str | UnsetType = UNSET


class Page(Struct):
    limit: Annotated[int, Meta(ge=1, le=100)] = 50
    tag: list[str] = []
    before: Snowflake | None = None


class Listing(Struct):
    limit: int
    tags: list[str]


class Counter:
    def __init__(self) -> None:
        self.calls = 0


routes = Routes(tag="things")


@routes.post("/things", raises=[TEAPOT], status=201)
async def create_thing(call: Call, body: Thing) -> Thing:
    """Create a thing."""
    call.use(Counter).calls += 1
    if body.name == "teapot":
        raise TEAPOT(what="short")
    if body.name == "bug":
        raise ZeroDivisionError("secret text")
    return body


@routes.put("/things/{thing_id}")
async def replace_thing(call: Call, thing_id: Snowflake, body: Body[Thing]) -> Reply:
    if thing_id == 0:
        raise TEAPOT(what="empty")
    thing = await body.read()
    return Reply({"id": thing_id, "name": thing.name}, status=200, headers={"X-Thing": "yes"})


@routes.get("/things")
async def list_things(call: Call, query: Page) -> Listing:
    return Listing(query.limit, query.tag)


@routes.get("/things/{thing_id}")
async def get_thing(call: Call, thing_id: Snowflake) -> dict[str, Any]:
    return {"id": thing_id}


@routes.get("/things/{thing_id}/parts/{name}")
async def get_part(call: Call, thing_id: Snowflake, name: str) -> dict[str, Any]:
    return {"name": name}


@routes.delete("/things/{thing_id}")
async def delete_thing(call: Call, thing_id: str) -> None:
    return None


@routes.get("/slow", timeout=0.2)
async def slow(call: Call) -> None:
    await asyncio.sleep(30)


@routes.get("/broken")
async def broken(call: Call) -> None:
    from flux.kernel.faults import Mode

    raise PortFailure("upstream", Mode.ERROR)


@routes.any("/files/{rest:path}")
async def files(call: Call, rest: str) -> Raw:
    return Raw(f"{call.method} {rest}".encode(), "text/plain")


@routes.get("/stream")
async def stream(call: Call) -> Stream:
    async def chunks() -> AsyncIterator[bytes]:
        for number in range(3):
            yield b"%d" % number

    return Stream(chunks(), "text/plain")


@routes.get("/breaks")
async def breaks(call: Call) -> Stream:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"some"
        raise RuntimeError("mid-stream")

    return Stream(chunks(), "text/plain")


@routes.get("/who")
async def who(call: Call) -> dict[str, str]:
    return {"ip": call.client_ip}


@routes.post("/echo")
async def echo(call: Call, body: Any = None) -> Raw | Reply:
    return Raw(json.dumps(body).encode())


@routes.socket("/socket")
async def socket(call: Call, socket: Socket) -> None:
    await socket.accept()
    try:
        while True:
            message = await socket.receive()
            await socket.send_text(f"heard {message!s}")
    except SocketClosed:
        return


def build(**changes: Any) -> Plane:
    plane = Plane(
        name="small",
        mount="/small",
        routes=routes,
        faults=table,
        envelope=SmallEnvelope(),
        limits=Limits(body_bytes=10_000, body_seconds=0.3, depth=16),
        cors=Cors(),
        strip=("/v1",),
    )
    plane.provide(Counter())
    for name, value in changes.items():
        setattr(plane, name, value)
    return plane


def build_root() -> Plane:
    return Plane(name="root", mount="", routes=Routes(), faults=table, envelope=SmallEnvelope())


class _Server(uvicorn.Server):
    def install_signal_handlers(self) -> None:
        return

    def capture_signals(self) -> Any:
        from contextlib import nullcontext

        return nullcontext()

    async def main_loop(self) -> None:
        """uvicorn's looks ten times a second whether it shall stop: longer than most of these tests take."""
        await self.on_tick(0)
        while not self.should_exit:
            await asyncio.sleep(0.005)


@asynccontextmanager
async def serving(application: Application) -> AsyncIterator[str]:
    """The application behind the real protocol on a free port; yields the origin."""

    class Limited(LimitedProtocol):
        class limits(HeadLimits):
            header_bytes = 4096
            url_bytes = 1024
            seconds = 0.5

    listener = listen("127.0.0.1", 0)
    config = uvicorn.Config(
        application,
        http=Limited,
        ws=SocketProtocol,
        ws_per_message_deflate=False,
        interface="asgi3",
        loop="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        if task.done():
            task.result()
        await asyncio.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


def application(**options: Any) -> Application:
    options.setdefault("ports", Ports())
    options.setdefault("trusted_proxies", ["127.0.0.0/8"])
    return Application([build(), build_root()], **options)
