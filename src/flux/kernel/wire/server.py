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
from flux.kernel.watch.logs import in_request
from flux.kernel.wire.addresses import Addresses
from flux.kernel.wire.answers import (
    JSON,
    Answer,
    preflight,
    refusal_bytes,
    send_answer,
    send_result,
    socket_head,
)
from flux.kernel.wire.bodies import ClientGone, owes_body, unread
from flux.kernel.wire.call import Call, Receive, Scope, Send
from flux.kernel.wire.deadlines import within
from flux.kernel.wire.places import Place, Places, Visit
from flux.kernel.wire.planes import Plane
from flux.kernel.wire.requestids import RequestIds
from flux.kernel.wire.routing import Resource
from flux.kernel.wire.sockets import Socket, SocketClosed
from flux.kernel.wire.troubles import Kind, WireTrouble

log = logging.getLogger("flux.wire")
Hook = Callable[[], Awaitable[None]]


class Meter(Protocol):
    """What the application tells about each request; the watch room's metrics implement it."""

    def request(self, plane: str, route: str, status: int, seconds: float) -> None: ...

    def fault(self, plane: str, code: str, status: int) -> None: ...

    def socket_opened(self, plane: str) -> None: ...

    def socket_closed(self, plane: str) -> None: ...


class Application:
    """Serves the planes it is given (see places.py for how a request finds its plane)."""

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
        self._places = Places(planes)
        self.routers = self._places.routers
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

    def _call(self, scope: Scope, receive: Receive) -> tuple[Call, Place]:
        # The first of each name counts: the list is reversed so that it is written last.
        headers: dict[bytes, bytes] = dict(scope["headers"][::-1])
        place = self._places.find(scope, headers)
        client = scope["client"]
        address = client[0] if client else ""
        if b"x-forwarded-for" in headers:
            lines = [value for name, value in scope["headers"] if name == b"x-forwarded-for"]
            address = self._addresses.client(address, b",".join(lines).decode("latin-1"))
        request_id = self._ids.for_request(headers.get(b"x-request-id"))
        return Call(scope, receive, place, request_id, headers, address), place

    @staticmethod
    def _visit(call: Call, place: Place, method: str) -> Visit:
        if place.trouble is not None:
            raise place.trouble.with_traceback(None)
        visit = place.visit(method)
        if visit.compiled is not None:
            call.route = visit.compiled.route
            call.path_params = visit.params
            call.values = visit.values
        return visit

    # -- HTTP -------------------------------------------------------------------------------------------------

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = perf_counter()
        call, place = self._call(scope, receive)
        in_request(call)
        try:
            visit = self._visit(call, place, call.method)
            answer = None
            if HEADER in call.first_headers or call.method == "OPTIONS" or "flux.refused" in scope:
                if call.method == "OPTIONS" and call.plane.before_preflight is not None:
                    await call.plane.before_preflight(call)
                answer = self._aside(call, place.resource)
            if answer is None:
                route = call.route
                seconds = (route.timeout if route is not None else None) or call.plane.limits.request_seconds
                work = self._work(call, visit, place.resource)
                result = await (work if seconds is None else within(seconds, work))
                if type(result) is WireTrouble:
                    status = await send_answer(send, call, self.refuse(call, result))
                else:
                    status = await send_result(send, call, 200 if route is None else route.status, result)
            else:
                status = await send_answer(send, call, answer)
        except ClientGone:
            return
        except (Exception, asyncio.CancelledError) as trouble:
            answer = self._refusal(call, trouble)
            if owes_body(call):
                await unread(call)
            status = await send_answer(send, call, answer)
        if self._meter is not None:
            name = call.route.name if call.route is not None else "unknown"
            self._meter.request(call.plane.name, name, status, perf_counter() - began)

    def _refusal(self, call: Call, trouble: BaseException) -> Answer:
        """Cancelled is only what still ran at the end of the time that a stopping server has."""
        if call.started:
            # The status line is out: the only honest end is to break the connection.
            if isinstance(trouble, Exception):
                log.warning("answer broken off", exc_info=trouble, extra={"request_id": call.request_id})
            raise trouble
        if not isinstance(trouble, Exception):
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                trouble = WireTrouble(Kind.DRAINING)
            else:
                trouble = RuntimeError("something the handler awaited was cancelled")
        return self.refuse(call, trouble)

    async def _work(self, call: Call, visit: Visit, resource: Resource | None) -> Any:
        """Gate and handler, under one time limit where there is one; what the handler returned, or why it was not
        asked."""
        await call.plane.gate(call)
        if visit.compiled is None:
            raise _unrouted(resource)
        if visit.problems:
            raise WireTrouble(Kind.INVALID_VALUES, visit.problems)
        if self._ports.enabled and call.plane.mount:
            # Not on the surface beside the planes, from which faults are armed and cleared.
            await self._ports.strike("handler")
        work = visit.compiled.invoke(call)
        return work if isinstance(work, WireTrouble) else await work

    def _aside(self, call: Call, resource: Resource | None) -> Answer | None:
        """The unusual: a head that was refused, a preflight, a simulated failure. None: serve it after all."""
        if "flux.refused" in call.scope:
            call.reply_headers["Connection"] = "close"
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
        if fault.headers or error.extra_headers:
            headers = {**error.headers, **headers}
        return Answer(fault.status, body, headers, JSON)

    def refuse_raw(self, scope: Scope, trouble: WireTrouble) -> bytes:
        """A complete HTTP/1.1 answer for what never became a request: the protocol writes it and closes."""
        call, _ = self._call(scope, _nothing)
        return refusal_bytes(call, self.refuse(call, trouble))

    # -- WebSocket --------------------------------------------------------------------------------------------

    async def _websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["method"] = "GET"
        call, place = self._call(scope, receive)
        in_request(call)
        socket = Socket(scope, receive, send)
        try:
            visit = self._visit(call, place, "WEBSOCKET")
            if HEADER in call.first_headers:
                raise self._simulate(call, call.first_headers[HEADER].decode("latin-1"))
            await call.plane.gate(call)
            if visit.compiled is None:
                raise WireTrouble(Kind.UNKNOWN_ROUTE if place.resource is None else Kind.UPGRADE_REFUSED)
            if visit.problems:
                raise WireTrouble(Kind.INVALID_VALUES, visit.problems)
            work = visit.compiled.invoke(call, socket)
            if isinstance(work, WireTrouble):
                raise work
            if self._meter is not None:
                self._meter.socket_opened(call.plane.name)
            try:
                await work
            finally:
                if self._meter is not None:
                    self._meter.socket_closed(call.plane.name)
            await socket.close(1000)
        except SocketClosed:
            return
        except Exception as trouble:
            if scope.get("flux.accepted"):
                log.exception("socket handler failed", extra={"request_id": call.request_id})
                await socket.close(1011)
            else:
                await self._refuse_socket(call, receive, send, trouble)

    async def _refuse_socket(self, call: Call, receive: Receive, send: Send, trouble: Exception) -> None:
        answer = self.refuse(call, trouble)
        try:
            await receive()
            head = socket_head(call, answer)
            await send({"type": "websocket.http.response.start", "status": answer.status, "headers": head})
            await send({"type": "websocket.http.response.body", "body": answer.body})
        except OSError:
            return  # gone before it heard

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


async def _nothing() -> dict[str, Any]:
    return {"type": "http.disconnect"}
