"""HTTP and WebSocket in and out.

routes.py     declare routes; start here
call.py       a request as a handler sees it;  replies.py  what it may return;  headers.py  headers made once
planes.py     what a plane tells the wire about itself: gate, envelope, limits
troubles.py   what can go wrong before a handler runs
values.py     validation: every problem of a value with its path
bodies.py     reading bodies within size and time;  compiling.py  signature to closure
server.py     the ASGI application;  deadlines.py  time limits for what waits
protocol.py   limits below it;  exchange.py  one request and its answer;  turns.py  who runs a connection's requests
openapi.py    OpenAPI 3.1 from the routes

Planes import from here; nothing here knows a plane.
"""

from flux.kernel.wire.call import Call
from flux.kernel.wire.headers import Headers
from flux.kernel.wire.planes import Cors, Envelope, Figure, Limits, Plane, Trouble
from flux.kernel.wire.replies import Encoded, Raw, Reply, Stream
from flux.kernel.wire.routes import Route, Routes
from flux.kernel.wire.sockets import Socket, SocketClosed
from flux.kernel.wire.troubles import Kind, Problem, WireTrouble
from flux.kernel.wire.values import Body, Snowflake

__all__ = [
    "Body",
    "Call",
    "Cors",
    "Encoded",
    "Envelope",
    "Figure",
    "Headers",
    "Kind",
    "Limits",
    "Plane",
    "Problem",
    "Raw",
    "Reply",
    "Route",
    "Routes",
    "Snowflake",
    "Socket",
    "SocketClosed",
    "Stream",
    "Trouble",
    "WireTrouble",
]
