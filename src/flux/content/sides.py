"""Roles and keys exist twice, for management and for delivery, under two spellings of their URLs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flux.content.access import Needs, Side
from flux.kernel.wire import Call
from flux.kernel.wire.routes import Handler, Routes

SIDES: tuple[Side, Side] = ("management", "flux")


def each_side(
    routes: Routes, method: str, path: str, what: str, action: str, **options: Any
) -> Callable[[Handler], Handler]:
    """Register for both sides, under /permissions/ and /roles/. `what` is `roles` or `api-keys`."""

    def register(handler: Handler) -> Handler:
        for side in SIDES:
            for root in ("permissions", "roles"):
                at = f"/v1/{{env}}/{root}/{side}-api/{what}{path}"
                routes.route(method, at, auth=Needs(f"{side}-{what}", action), side=side, **options)(handler)
        return handler

    return register


def side_of(call: Call) -> Side:
    """Which side the route of this call is for."""
    assert call.route is not None
    side: Side = call.route.options["side"]
    return side
