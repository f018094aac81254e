"""The gateway's socket."""

from __future__ import annotations

from flux.community.principals import OPEN
from flux.community.realtime.conversation import Gateway
from flux.community.realtime.protocol import DECODE_ERROR
from flux.kernel.wire import Call, Routes, Socket

routes = Routes(tag="realtime")


@routes.socket("/gateway", auth=OPEN)
async def gateway(call: Call, socket: Socket) -> None:
    """`?v=1&encoding=json`, optionally `&compress=zlib-stream` or `zstd-stream`."""
    await socket.accept(too_large=DECODE_ERROR)
    await call.use(Gateway).serve(socket, call.query_value("v"), call.query_value("compress"))
