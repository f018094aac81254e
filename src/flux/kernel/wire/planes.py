"""A plane as the wire knows it: a mount, routes, faults, and how failures are spelled there."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from flux.kernel.faults import Fault, FaultError, FaultTable, PortFailure
from flux.kernel.wire.call import Call
from flux.kernel.wire.troubles import WireTrouble

if TYPE_CHECKING:
    from flux.kernel.wire.routes import Route, Routes

Trouble = WireTrouble | PortFailure | Exception
Gate = Callable[[Call], Awaitable[None]]


class Envelope(Protocol):
    """The plane's spelling of failures. The only place of a plane that writes error JSON."""

    def translate(self, trouble: Trouble, call: Call) -> FaultError:
        """The declared fault for a wire trouble, a broken port, or (anything else) an unexpected exception,
        which becomes the plane's one internal error and must not leak its text."""

    def render(self, error: FaultError, call: Call) -> tuple[bytes, dict[str, str]]:
        """The body, and headers beyond content type, length and request id."""

    def fits(self, status: int, body: bytes) -> str | None:
        """None when `body` is this plane's envelope for `status`; otherwise what is wrong with it."""

    def schema(self, fault: Fault) -> dict[str, Any]:
        """JSON schema of the body with which `fault` leaves."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`body_bytes_by_tag` is for the routes of a tag, instead of `body_bytes`."""

    body_bytes: int = 1_048_576
    body_bytes_by_tag: Mapping[str, int] = field(default_factory=dict)
    body_seconds: float = 30.0
    depth: int = 64
    request_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Cors:
    """`origins` of `("*",)` answers any origin, without credentials."""

    origins: tuple[str, ...] = ("*",)
    credentials: bool = False
    methods: str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"
    allow_headers: str = "*"
    expose_headers: str = "*"
    max_age: int = 600


def nothing_implied(route: Route) -> Iterable[Fault]:
    return ()


async def open_gate(call: Call) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of a plane's own for `/metrics`, read at each scrape. A name that ends in `_total` only ever grows."""

    name: str
    meaning: str
    read: Callable[[], float]

    @property
    def kind(self) -> Literal["gauge", "counter"]:
        return "counter" if self.name.endswith("_total") else "gauge"


@dataclass(slots=True)
class Plane:
    """Everything the server needs to serve one plane.

    `gate` runs for every request, before its body is read, with `call.route` None when the path or method is not
    known. It authenticates, counts and refuses. `implied` lists the faults that the gate and the wire can answer on
    a route beside the ones the route declares. `strip` holds optional path prefixes that are served as if absent
    (`("/v1",)`).
    """

    name: str
    mount: str
    routes: Routes
    faults: FaultTable
    envelope: Envelope
    title: str = ""
    services: dict[type, Any] = field(default_factory=dict)
    gate: Gate = open_gate
    implied: Callable[[Route], Iterable[Fault]] = nothing_implied
    limits: Limits = field(default_factory=Limits)
    cors: Cors | Callable[[Call], Cors | None] | None = None
    before_preflight: Gate | None = None
    """Finds out what `cors` goes by, for a preflight: that passes no gate."""
    strip: tuple[str, ...] = ()
    host: str = ""
    """A host name at which the plane is served at the root, beside its mount."""
    port: int = 0
    """A local port on which it is served at the root; 0 for none."""
    on_start: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    on_drain: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    """Shutdown begins: tell open sockets to come back elsewhere. Requests still run."""
    on_stop: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    openapi_extra: Mapping[str, Any] = field(default_factory=dict)

    def provide(self, *services: Any) -> None:
        """Register each service under its own class, for `call.use`."""
        for service in services:
            self.services[type(service)] = service

    def can_fail_with(self, route: Route) -> list[Fault]:
        """Declared and implied faults of a route, each once, in reference order."""
        wanted = {fault.key for fault in (*route.raises, *self.implied(route))}
        return [fault for fault in self.faults if fault.key in wanted]
