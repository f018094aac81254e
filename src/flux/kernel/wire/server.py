"""The ASGI application: from a scope to a plane's answer. One way in, and one way out for every failure."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from time import perf_counter
from typing import Any, Protocol

from flux.kernel.faults import FaultError, Ports
from flux.kernel.faults.recorder import Recorder, replayable
from flux.kernel.faults.simulation import HEADER, SimulationRefused, simulated
from flux.kernel.wire.addresses import Addresses
from flux.kernel.wire.answers import Answer, preflight, refusal_bytes, send_answer, send_result
from flux.kernel.wire.bodies import ClientGone
from flux.kernel.wire.call import Call, Receive, Scope, Send
from flux.kernel.wire.compiling import Compiled
from flux.kernel.wire.planes import Plane
from flux.kernel.wire.requestids import RequestIds
from flux.kernel.wire.routing import Resource, Router, named
from flux.kernel.wire.sockets import Socket
from flux.kernel.wire.troubles import Kind, WireTrouble

log = logging.getLogger("flux.wire")
Hook = Callable[[], Awaitable[None]]


class Meter(Protocol):
    """What the application tells about each request; the watch room's metrics implement it."""

    def request(self, plane: str, route: str, status: int, seconds: float) -> None: ...

    def fault(self, plane: str, code: str, status: int) -> None: ...


class Application:
    """Serves planes by their mounts, or by their hosts at the root. `mount=""` takes every other path."""

    def __init__(
        self,
        planes: Sequence[Plane],
        *,
        ports: Ports,
        trusted_proxies: Sequence[str] = (),
        sandbox: bool = False,
        recorder: Recorder | None = None,
        meter: Meter | None = None,
        on_start: Sequence[Hook] = (),
        on_stop: Sequence[Hook] = (),
    ) -> None:
        self.planes = list(planes)
        self.routers = {plane.name: Router(plane.routes) for plane in planes}
        self._by_mount = {plane.mount: plane for plane in planes if plane.mount}
        self._root = next(plane for plane in planes if not plane.mount)
        self._by_host = {plane.host.lower().encode(): plane for plane in planes if plane.host}
        self._ports = ports
        self._addresses = Addresses(trusted_proxies)
        self._sandbox = sandbox
        self._recorder = recorder
        self._meter = meter
        self._on_start = list(on_start)
        self._on_stop = list(on_stop)
        self._ids = RequestIds()
        self._ready: Callable[[], None] | None = None

    def on_ready(self, act: Callable[[], None]) -> None:
        """Called once everything has started, just before the first request is accepted."""
        self._ready = act

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        kind = scope["type"]
        if kind == "http":
            return self._http(scope, receive, send)
        if kind == "websocket":
            return self._websocket(scope, receive, send)
        return self._lifespan(receive, send)

    # -- where a request goes ---------------------------------------------------------------------------------

    def locate(self, scope: Scope, headers: dict[bytes, bytes]) -> tuple[Plane, str]:
        """The plane and the path below its mount, percent-encoded as sent."""
        path: str = scope["raw_path"].decode("latin-1")
        if self._by_host:
            plane = self._by_host.get(headers.get(b"host", b"").partition(b":")[0].lower())
            if plane is not None:
                return plane, self._stripped(plane, path)
        end = path.find("/", 1)
        mount = path if end < 0 else path[:end]
        plane = self._by_mount.get(mount)
        if plane is None:
            return self._root, path
        return plane, self._stripped(plane, path[len(mount) :] or "/")

    @staticmethod
    def _stripped(plane: Plane, path: str) -> str:
        for prefix in plane.strip:
            if path.startswith(prefix) and (len(path) == len(prefix) or path[len(prefix)] == "/"):
                return path[len(prefix) :] or "/"
        return path

    def _call(self, scope: Scope, receive: Receive) -> Call:
        # The first of each name: the list is reversed so that it is written last.
        headers: dict[bytes, bytes] = dict(scope["headers"][::-1])
        plane, path = self.locate(scope, headers)
        call = Call(scope, receive, plane, path, self._ids.for_request(headers.get(b"x-request-id")), headers)
        if len(path) > 1 and path[-1] == "/":
            call.slashed = True
            call.path = path.rstrip("/") or "/"
        peer = scope["client"][0] if scope["client"] else ""
        forwarded = headers.get(b"x-forwarded-for")
        call.client_ip = (
            peer if forwarded is None else self._addresses.client(peer, forwarded.decode("latin-1"))
        )
        return call

    def _match(self, call: Call, method: str) -> tuple[Compiled | None, Resource | None]:
        found = self.routers[call.plane.name].find(call.path)
        if found is None:
            return None, None
        resource, values = found
        methods = resource.by_method
        compiled = (
            methods.get(method) or (methods.get("GET") if method == "HEAD" else None) or methods.get("*")
        )
        if method == "WEBSOCKET":
            compiled = methods.get(method)
        if compiled is not None:
            call.route = compiled.route
            call.path_params = named(compiled, values)
            return compiled, resource
        return None, resource

    # -- HTTP -------------------------------------------------------------------------------------------------

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = perf_counter()
        call = self._call(scope, receive)
        try:
            compiled, resource = self._match(call, call.method)
            if call.method == "OPTIONS" or HEADER in call.first_headers or "flux.refused" in scope:
                answer = self._aside(call, resource)
                if answer is not None:
                    await send_answer(send, call, answer)
                    return
            await call.plane.gate(call)
            if compiled is None:
                status = await send_answer(send, call, self.refuse(call, _unrouted(resource)))
            else:
                if self._ports.enabled:
                    await self._ports.strike("handler")
                seconds = compiled.route.timeout or call.plane.limits.request_seconds
                result = await (
                    compiled.invoke(call) if seconds is None else _within(seconds, compiled.invoke(call))
                )
                status = await send_result(send, call, compiled.route.status, result)
        except ClientGone:
            return
        except Exception as trouble:
            if "flux.started" in scope:
                # The status line is out: the only honest end is to break the connection.
                log.warning("answer broken off", exc_info=trouble, extra={"request_id": call.request_id})
                raise
            status = await send_answer(send, call, self.refuse(call, trouble))
        if self._meter is not None:
            route = call.route.name if call.route is not None else "unknown"
            self._meter.request(call.plane.name, route, status, perf_counter() - began)

    def _aside(self, call: Call, resource: Resource | None) -> Answer | None:
        """The unusual: a head that was refused, a preflight, a simulated failure. None: serve it after all."""
        if "flux.refused" in call.scope:
            raise call.scope["flux.refused"]
        if call.method == "OPTIONS" and (answer := self._options(call, resource)) is not None:
            return answer
        if HEADER in call.first_headers:
            raise self._simulate(call, call.first_headers[HEADER].decode("latin-1"))
        return None

    @staticmethod
    def _options(call: Call, resource: Resource | None) -> Answer | None:
        """A preflight, or what a known path allows; None where the route itself answers OPTIONS."""
        if b"access-control-request-method" in call.first_headers:
            return preflight(call)
        if call.route is None and resource is not None:
            return Answer(204, b"", {"Allow": ", ".join((*resource.allowed, "OPTIONS"))})
        return None

    def _simulate(self, call: Call, name: str) -> Exception:
        try:
            error = simulated(call.plane.faults, name, sandbox=self._sandbox)
        except SimulationRefused:
            return WireTrouble(Kind.SIMULATION_REFUSED, subject=name[:100])
        call.state["simulated"] = True
        return error

    # -- the one way out for failures -------------------------------------------------------------------------

    def refuse(self, call: Call, trouble: Exception) -> Answer:
        """The plane's answer for any failure, recorded and counted."""
        plane = call.plane
        error = trouble if isinstance(trouble, FaultError) else plane.envelope.translate(trouble, call)
        if error.fault.status >= 500 and error is not trouble:
            where = f"{call.method} {call.path}"
            log.error(
                "%s on %s", error.fault.code, where, exc_info=trouble, extra={"request_id": call.request_id}
            )
        try:
            body, headers = plane.envelope.render(error, call)
        except Exception as bug:
            log.exception("the envelope of %s failed", error.fault.key, extra={"request_id": call.request_id})
            error = plane.envelope.translate(bug, call)
            body, headers = plane.envelope.render(error, call)
        fault = error.fault
        if self._meter is not None:
            self._meter.fault(plane.name, fault.code, fault.status)
        if self._recorder is not None:
            target = call.scope["raw_path"].decode("latin-1") + (
                f"?{call.query_string}" if call.scope["query_string"] else ""
            )
            self._recorder.note(
                plane.name,
                fault.code,
                fault.status,
                call.route.name if call.route is not None else None,
                simulated="simulated" in call.state,
                misfit=plane.envelope.fits(fault.status, body),
                request=replayable(call.method, target, call.scope["headers"], call._body),
            )
        extra = error.headers
        extra.update(headers)
        return Answer(fault.status, body, extra, b"application/json")

    def refuse_raw(self, url: bytes, client: str, trouble: WireTrouble) -> bytes:
        """A complete HTTP/1.1 answer for what never became a request: the protocol writes it and closes."""
        path = url.partition(b"?")[0][:2048]
        scope: Scope = {
            "type": "http", "method": "GET", "raw_path": path if path.startswith(b"/") else b"/", "query_string": b"",
            "headers": [], "client": (client, 0),
        }  # fmt: skip
        call = self._call(scope, _nothing)
        return refusal_bytes(call, self.refuse(call, trouble))

    # -- WebSocket --------------------------------------------------------------------------------------------

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["method"] = "GET"
        call = self._call(scope, receive)
        socket = Socket(scope, receive, send)
        try:
            compiled, resource = self._match(call, "WEBSOCKET")
            await call.plane.gate(call)
            if compiled is None:
                raise WireTrouble(Kind.UNKNOWN_ROUTE if resource is None else Kind.UPGRADE_REFUSED)
            await compiled.invoke(call, socket)
            await socket.close(1000)
        except asyncio.CancelledError:
            raise
        except Exception as trouble:
            if scope.get("flux.accepted"):
                log.exception("socket handler failed", extra={"request_id": call.request_id})
                await socket.close(1011)
                return
            answer = self.refuse(call, trouble)
            headers = [
                (name.lower().encode("latin-1"), value.encode("latin-1"))
                for name, value in answer.headers.items()
            ]
            await receive()
            await send({"type": "websocket.http.response.start", "status": answer.status, "headers": headers})
            await send({"type": "websocket.http.response.body", "body": answer.body})

    # -- life -------------------------------------------------------------------------------------------------

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            for hook in (*self._on_start, *(hook for plane in self.planes for hook in plane.on_start)):
                await hook()
        except Exception as failure:
            log.exception("start-up failed")
            await send({"type": "lifespan.startup.failed", "message": str(failure)})
            return
        if self._ready is not None:
            self._ready()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for hook in (*(hook for plane in self.planes for hook in plane.on_stop), *self._on_stop):
            try:
                await hook()
            except Exception:
                log.exception("a shutdown step failed")
        await send({"type": "lifespan.shutdown.complete"})


def _unrouted(resource: Resource | None) -> WireTrouble:
    if resource is None:
        return WireTrouble(Kind.UNKNOWN_ROUTE)
    return WireTrouble(Kind.WRONG_METHOD, allowed=resource.allowed)


async def _within(seconds: float, work: Awaitable[Any]) -> Any:
    try:
        async with asyncio.timeout(seconds):
            return await work
    except TimeoutError:
        raise WireTrouble(Kind.REQUEST_TIMEOUT, limit=seconds) from None


async def _nothing() -> dict[str, Any]:
    return {"type": "http.disconnect"}
