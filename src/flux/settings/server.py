"""Settings of the server itself: `FLUX_SERVER__<NAME>`."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field


class ServerSettings(Struct, frozen=True, kw_only=True):
    host: Annotated[str, Meta(description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535, description="Port to listen on; 0 takes a free one.")] = 8080
    public_url: Annotated[
        str,
        Meta(description="Origin that clients see, e.g. https://flux.example; empty: from host and port."),
    ] = ""
    workers: Annotated[int, Meta(ge=1, le=64, description="Processes; more than one needs PostgreSQL.")] = 1
    sandbox: Annotated[
        bool,
        Meta(
            description="Test mode: simulation, outbox, clock and faults under /sandbox. Never in production."
        ),
    ] = False
    secret: Annotated[
        str,
        Meta(
            description="Instance secret (64 hex digits) that encrypts secrets at rest; empty: secret.key in the data directory."
        ),
    ] = ""
    trusted_proxies: Annotated[
        list[str], Meta(description="Peers (addresses or CIDR) whose X-Forwarded-For is believed.")
    ] = field(default_factory=lambda: ["127.0.0.0/8", "::1/128"])
    header_bytes: Annotated[
        int, Meta(ge=1024, description="Most bytes of request headers, names and values together.")
    ] = 32_768
    url_bytes: Annotated[int, Meta(ge=256, description="Most bytes of a request target.")] = 8_192
    header_seconds: Annotated[
        float, Meta(gt=0, description="Time for a client to finish sending its headers.")
    ] = 10.0
    socket_message_bytes: Annotated[
        int,
        Meta(
            ge=1024,
            description="Longest message of a WebSocket client that is read at all, fragments together.",
        ),
    ] = 65_536
    socket_pings_per_minute: Annotated[
        int, Meta(ge=1, description="Pings and pongs a WebSocket client may send in a minute.")
    ] = 600
    body_seconds: Annotated[float, Meta(gt=0, description="Longest pause while a client sends its body.")] = (
        30.0
    )
    keep_alive_seconds: Annotated[float, Meta(gt=0, description="How long an idle connection is kept.")] = (
        65.0
    )
    drain_seconds: Annotated[
        float, Meta(ge=0, description="How long running requests may finish after SIGTERM.")
    ] = 15.0
    depth: Annotated[int, Meta(ge=4, le=512, description="Deepest nesting of a JSON body.")] = 64
    port_deadline_seconds: Annotated[
        float, Meta(gt=0, description="How long a port may take to answer before it counts as timed out.")
    ] = 5.0
    log_level: Annotated[str, Meta(description="debug, info, warning or error.")] = "info"
    log_format: Annotated[str, Meta(description="json, or text for people.")] = "text"
