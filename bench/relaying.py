"""The plain relay: the house's way from a consumer's socket to a target's and back, without payments, against nginx.

`ours` is the wire, the header rules and the connection pool of the paygate around one open route. Beside it stand `proxy_pass`
of the nginx on PATH (one worker, keep-alive to the target), if there is one, and a relay of sixty lines on asyncio and
httptools, which is about what any relay in Python costs at least.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import tempfile
import time
from collections import deque
from pathlib import Path
from typing import Any, cast

import httptools
import uvloop
from tests.kernel.wire import small

from bench.figures import Figure, child, cpu_seconds, load, median_of, show
from flux.kernel.faults import Ports
from flux.kernel.wire import Call, Raw, Routes
from flux.kernel.wire.server import Application
from flux.paygate.outside.dialer import Dialer, Outgoing
from flux.paygate.outside.guard import Guard
from flux.paygate.relay.headers import Passage, to_consumer, to_target
from flux.settings.paygate import PaygateSettings

REQUESTS = 8_000
RUNS = 5
REQUEST = b"GET /small/weather HTTP/1.1\r\nHost: gateway.example\r\nAccept: */*\r\nUser-Agent: bench\r\n\r\n"


class Upstream(asyncio.Protocol):
    """A connection to the target: its answer goes on as it was, once it is whole."""

    def __init__(self, idle: deque[Upstream]) -> None:
        self.idle = idle
        self.seen: list[bytes] = []
        self.consumer: Consumer | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def ask(self, consumer: Consumer, request: bytes) -> None:
        self.consumer, self.seen = consumer, []
        self.parser = httptools.HttpResponseParser(self)
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.seen.append(data)
        self.parser.feed_data(data)

    def on_message_complete(self) -> None:
        assert self.consumer is not None
        self.idle.append(self)
        self.consumer.transport.write(b"".join(self.seen))


class Consumer(asyncio.Protocol):
    """A connection from a consumer, one request at a time."""

    def __init__(self, target: int, idle: deque[Upstream]) -> None:
        self.target, self.idle = target, idle
        self.parser = httptools.HttpRequestParser(self)
        self.lines: list[bytes] = []
        self.url = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self.url = url

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() not in (b"host", b"connection"):
            self.lines.append(b"%b: %b\r\n" % (name, value))

    def on_message_complete(self) -> None:
        head = b"%b %b HTTP/1.1\r\nHost: target\r\n%b\r\n" % (
            self.parser.get_method(),
            self.url,
            b"".join(self.lines),
        )
        self.lines = []
        if self.idle:
            self.idle.pop().ask(self, head)
        else:
            self.dialling = asyncio.ensure_future(self.dial(head))

    async def dial(self, head: bytes) -> None:
        loop = asyncio.get_running_loop()
        _, upstream = await loop.create_connection(lambda: Upstream(self.idle), "127.0.0.1", self.target)
        upstream.ask(self, head)


async def serve_bare(target: int) -> None:
    idle: deque[Upstream] = deque()
    server = await asyncio.get_running_loop().create_server(lambda: Consumer(target, idle), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def flux_app(target: int) -> Application:
    base = f"http://127.0.0.1:{target}"
    settings = PaygateSettings(allow_http_targets=True, allowed_targets=["127.0.0.0/8"])
    dialer = Dialer(Guard(settings.allowed_targets, [], []), settings, Ports())
    routes = Routes()

    @routes.any("/{rest:path}")
    async def relay(call: Call, rest: str) -> Raw:
        passage = Passage(
            request_id=call.request_id, call_id="call_1", consumer="", payment_hash="", amount="", currency="",
            forwarded_proto="http", forwarded_host=call.header("host") or "", client_ip=None,
            forward_authorization=False, own_key=False, secrets={},
        )  # fmt: skip
        headers = to_target(call.scope["headers"], passage)
        body = await call.body() or None
        outgoing = Outgoing(call.method, base, call.scope["raw_path"].decode(), headers, body, 30.0)
        response = await dialer.open(outgoing, dialer.ready(base), None)
        pieces = []
        until = asyncio.get_running_loop().time() + 120
        while piece := await response.piece(30.0, until):
            pieces.append(piece)
        response.release()
        pairs = to_consumer(
            response.headers, set_cookie=False, hide_powered_by=True, base=base, gateway="http://gateway"
        )
        kept = dict(pairs)
        return Raw(b"".join(pieces), kept.pop("content-type"), response.status, kept)

    return Application([small.build(routes=routes), small.build_root()], ports=Ports())


def serve_ours(target: int) -> None:
    import uvicorn

    from flux.kernel.wire.listening import listen
    from flux.kernel.wire.protocol import LimitedProtocol

    listener = listen("127.0.0.1", 0)
    config = uvicorn.Config(
        flux_app(target), http=LimitedProtocol, interface="asgi3", loop="none", lifespan="off", log_config=None,
        access_log=False, proxy_headers=False,
    )  # fmt: skip
    print(listener.getsockname()[1], flush=True)
    uvloop.run(uvicorn.Server(config).serve(sockets=[listener]))


NGINX = """
daemon off; master_process off; worker_processes 1; pid {directory}/pid; error_log {directory}/log;
events {{ worker_connections 512; }}
http {{
  access_log off; keepalive_requests 1000000;
  client_body_temp_path {directory}/b; proxy_temp_path {directory}/p; fastcgi_temp_path {directory}/f;
  uwsgi_temp_path {directory}/u; scgi_temp_path {directory}/s;
  upstream target {{ server 127.0.0.1:{target}; keepalive 64; keepalive_requests 1000000; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://target; proxy_http_version 1.1; proxy_set_header Connection ""; }}
  }}
}}
"""


def nginx(target: int, directory: Path) -> tuple[subprocess.Popen[Any], int] | None:
    """The one on PATH, in one process; None without it."""
    from tests.harness.server import free_port

    found = shutil.which("nginx")
    if found is None:
        return None
    port = free_port()
    settings = directory / "nginx.conf"
    settings.write_text(NGINX.format(directory=directory, target=target, port=port))
    process = subprocess.Popen([found, "-p", str(directory), "-c", str(settings)])
    time.sleep(1)
    return process, port


def cost(pid: int, port: int) -> float:
    """CPU microseconds of the server for one request."""
    before = cpu_seconds(pid)
    uvloop.run(load(port, REQUEST, REQUESTS))
    return (cpu_seconds(pid) - before) / REQUESTS * 1e6


def measure() -> list[Figure]:
    target, [target_port] = child("bench.paygate_world", "target")
    directory = Path(tempfile.mkdtemp(prefix="flux-bench-nginx-"))
    servers: dict[str, tuple[subprocess.Popen[Any], int]] = {}
    try:
        for kind in ("ours", "bare"):
            process, [port] = child("bench.relaying", kind, target_port)
            servers[kind] = (process, int(port))
        if (found := nginx(int(target_port), directory)) is not None:
            servers["nginx"] = found
        else:
            print("nginx is not on PATH: only the bare relay stands beside ours", flush=True)
        for process, port in servers.values():
            cost(process.pid, port)
        costs = dict(
            zip(
                servers,
                median_of(
                    RUNS, *(lambda p=process, q=port: cost(p.pid, q) for process, port in servers.values())
                ),  # type: ignore[misc]
                strict=True,
            )
        )
        figures = [Figure(f"plain relay, {kind}: CPU", spent, "us") for kind, spent in costs.items()]
        figures.append(
            Figure("plain relay: throughput of the bare relay", costs["bare"] / costs["ours"], "x")
        )
        if "nginx" in costs:
            ratio = costs["nginx"] / costs["ours"]
            figures.append(Figure("plain relay: throughput of nginx", ratio, "x", "aim >= 0.25"))
        return figures
    finally:
        for process in (target, *(process for process, _ in servers.values())):
            process.terminate()
            process.wait()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["bare"]:
        uvloop.run(serve_bare(int(sys.argv[2])))
    elif sys.argv[1:2] == ["ours"]:
        serve_ours(int(sys.argv[2]))
    else:
        show("Paygate: the plain relay", measure())
