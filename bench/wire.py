"""Our declared routes against a raw ASGI app on the same server: CPU a request, with 400 routes registered."""

from __future__ import annotations

import os
import statistics
import sys
from typing import Annotated, Any

import uvloop
from msgspec import Meta, Struct
from tests.kernel.wire import small

from bench.figures import Figure, child, cpu_seconds, load, show
from flux.kernel.faults import Ports
from flux.kernel.wire import Call, Routes, Snowflake
from flux.kernel.wire.server import Application

REQUESTS = 4_000
RUNS = 21
"""Many short ones in turn: what a shared machine takes away for a while, it takes from both."""
GOOD = b'{"name":"kettle","owner":"17","count":3,"parts":[{"title":"lid"}]}'
BAD = b'{"name":"k","owner":"17","count":3,"parts":[{"title":"lid"}]}'


class Part(Struct):
    title: Annotated[str, Meta(max_length=5)]


class Thing(Struct):
    name: Annotated[str, Meta(min_length=2, max_length=10)]
    owner: str
    count: Annotated[int, Meta(ge=0, le=9)] | None = None
    parts: Annotated[list[Part], Meta(max_length=2)] = []


def post(path: str, body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


CASES = {
    "JSON body": post("/small/room199/17/things", GOOD),
    "validation error": post("/small/room199/17/things", BAD),
    "unknown path": b"GET /small/room199/17/nothing/here HTTP/1.1\r\nHost: x\r\n\r\n",
}


def raw_app() -> Any:
    """What one would write by hand: no routing table, the same decoding, the same answers."""
    import msgspec

    decoder = msgspec.json.Decoder(Thing)
    encoder = msgspec.json.Encoder()

    async def answer(send: Any, status: int, body: bytes) -> None:
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        if not scope["path"].endswith("/things"):
            await answer(
                send,
                404,
                encoder.encode({"code": "UNKNOWN_ROUTE", "message": "unknown_route", "detail": None}),
            )
            return
        message = await receive()
        try:
            thing = decoder.decode(message["body"])
        except msgspec.ValidationError as error:
            await answer(
                send,
                400,
                encoder.encode({"code": "INVALID_VALUES", "message": "invalid", "detail": str(error)}),
            )
            return
        await answer(send, 201, encoder.encode(thing))

    return app


def flux_app() -> Any:
    routes = Routes()
    for number in range(200):

        @routes.post(f"/room{number}/{{room_id}}/things", raises=[small.TEAPOT], status=201)
        async def create(call: Call, room_id: Snowflake, body: Thing) -> Thing:
            return body

        @routes.get(f"/room{number}/{{room_id}}/things/{{thing_id}}")
        async def get(call: Call, room_id: Snowflake, thing_id: Snowflake) -> dict[str, Any]:
            return {}

    return Application([small.build(routes=routes), small.build_root()], ports=Ports())


def serve(kind: str) -> None:
    import uvicorn

    from flux.kernel.wire.listening import listen
    from flux.kernel.wire.protocol import LimitedProtocol

    listener = listen("127.0.0.1", 0)
    app = raw_app() if kind == "raw" else flux_app()
    http: Any = "httptools" if kind == "raw" else LimitedProtocol
    config = uvicorn.Config(
        app,
        http=http,
        interface="asgi3",
        loop="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
    )
    print(listener.getsockname()[1], flush=True)
    uvloop.run(uvicorn.Server(config).serve(sockets=[listener]))


def cost(pid: int, port: int, request: bytes) -> float:
    """CPU microseconds of the server for one request."""
    before = cpu_seconds(pid)
    uvloop.run(load(port, request, REQUESTS))
    return (cpu_seconds(pid) - before) / REQUESTS * 1e6


def measure() -> list[Figure]:
    servers = {kind: child("bench.wire", kind) for kind in ("raw", "flux")}
    cores = sorted(os.sched_getaffinity(0))
    for process, _ in servers.values():
        os.sched_setaffinity(process.pid, cores[-1:])
    os.sched_setaffinity(0, cores[:1])
    figures = []
    try:
        for name, request in CASES.items():
            for process, ready in servers.values():
                cost(process.pid, int(ready[0]), request)
            pairs = [
                tuple(cost(process.pid, int(ready[0]), request) for process, ready in servers.values())
                for _ in range(RUNS)
            ]
            raw, ours = (statistics.median(series) for series in zip(*pairs, strict=True))
            ratio = statistics.median(ours / raw for raw, ours in pairs)
            figures += [
                Figure(f"{name}: raw ASGI app", raw, "us CPU"),
                Figure(f"{name}: declared route", ours, "us CPU"),
                Figure(f"{name}: ratio, median of pairs", ratio, "x", "aim <= 1.5"),
            ]
    finally:
        for process, _ in servers.values():
            process.terminate()
            process.wait()
        os.sched_setaffinity(0, cores)
    return figures


if __name__ == "__main__":
    if len(sys.argv) > 1:
        serve(sys.argv[1])
    else:
        show("Wire: declared route against a raw ASGI app, 400 routes", measure())
