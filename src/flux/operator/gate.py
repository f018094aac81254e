"""Who may pass, before anything else is looked at: everybody, or the holder of the admin token."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable

from flux.kernel.faults import Fault
from flux.kernel.identity import Operator
from flux.kernel.wire import Call, Route
from flux.operator import faults

ADMIN = "admin"
"""The `auth` of routes for the operator: `Authorization: Bearer <admin_token>`."""


def gate_for(operator: Operator) -> Callable[[Call], Awaitable[None]]:
    """Maintenance does not close this surface: it is where maintenance is ended."""

    async def gate(call: Call) -> None:
        if call.route is not None and call.route.auth == ADMIN:
            # Several Authorization headers are two opinions about who is asking: none counts.
            given = call.header_values("authorization")
            if len(given) != 1 or not operator.is_admin_bearer(given[0]):
                raise faults.UNAUTHORIZED()

    return gate


_ALWAYS = (
    faults.INVALID_REQUEST,
    faults.SIMULATION_REFUSED,
    faults.URL_TOO_LONG,
    faults.HEADERS_TOO_LARGE,
    faults.INTERNAL_ERROR,
    faults.SERVICE_UNAVAILABLE,
)
_WITH_BODY = (faults.REQUEST_TIMEOUT, faults.REQUEST_TOO_LARGE, faults.UNSUPPORTED_MEDIA_TYPE)


def implied(route: Route) -> Iterable[Fault]:
    """What the gate and the wire can answer on a route beside what it declares."""
    yield from _ALWAYS
    if route.auth == ADMIN:
        yield faults.UNAUTHORIZED
    if "body" in inspect.signature(route.handler).parameters:
        yield from _WITH_BODY
