"""The failures of the operator surface: all extensions, with their reasons in `contract/operator.toml`."""

from __future__ import annotations

from flux.kernel.faults import FaultTable, Retry

operator = FaultTable("operator")

INVALID_REQUEST = operator.declare(
    "INVALID_REQUEST",
    400,
    "The request is not valid: {reason}",
    advice="Read details.problems: each entry has where (body, query or path), path, kind and what was expected. Correct those values and send the request again.",
    params={"reason": str},
    sample={"reason": "count: expected at least 1"},
)

SIMULATION_REFUSED = operator.declare(
    "SIMULATION_REFUSED",
    400,
    "Simulation is refused here",
    advice="Leave X-Flux-Simulate out, or start the instance with --sandbox and name a code of the surface you are calling. A code that stands under several statuses is named CODE@STATUS; /errors.json lists them all.",
)

UNAUTHORIZED = operator.declare(
    "UNAUTHORIZED",
    401,
    "The admin token is required",
    advice="Send Authorization: Bearer with the admin_token of operator.json, which lies in the instance's data directory and which only its owner can read.",
    retry=Retry.AFTER_FIX,
    headers={"WWW-Authenticate": "Bearer"},
)

NOT_FOUND = operator.declare(
    "NOT_FOUND",
    404,
    "There is nothing at this path",
    advice="Check the path: the planes live under /community, /content and /paygate, and / links to everything else. Paths under /sandbox exist only on an instance started with --sandbox.",
)

METHOD_NOT_ALLOWED = operator.declare(
    "METHOD_NOT_ALLOWED",
    405,
    "This path does not take that method",
    advice="Use one of the methods that the Allow header lists.",
    params={"allowed": str},
    sample={"allowed": "GET, HEAD"},
    headers={"Allow": "{allowed}"},
)

REQUEST_TIMEOUT = operator.declare(
    "REQUEST_TIMEOUT",
    408,
    "The request took too long",
    advice="Send the whole request without long pauses, and try again. If it keeps happening, look for a slow network between you and the server, or for a load that its metrics show.",
    retry=Retry.LATER,
)

REQUEST_TOO_LARGE = operator.declare(
    "REQUEST_TOO_LARGE",
    413,
    "The body is larger than {limit} bytes",
    advice="No request of this surface needs a body of that size: check that you are calling the path you meant.",
    params={"limit": int},
    sample={"limit": 65_536},
)

URL_TOO_LONG = operator.declare(
    "URL_TOO_LONG",
    414,
    "The request target is too long",
    advice="Shorten the path or the query; long data belongs in a body. The bound is the setting server.url_bytes.",
)

UNSUPPORTED_MEDIA_TYPE = operator.declare(
    "UNSUPPORTED_MEDIA_TYPE",
    415,
    "The body must be application/json",
    advice="Send JSON with Content-Type: application/json.",
)

HEADERS_TOO_LARGE = operator.declare(
    "HEADERS_TOO_LARGE",
    431,
    "The request headers are too large",
    advice="Send fewer or shorter headers; cookies meant for other sites on the same host are the usual cause. The bound is the setting server.header_bytes.",
)

INTERNAL_ERROR = operator.declare(
    "INTERNAL_ERROR",
    500,
    "Something went wrong inside",
    advice="Look for the X-Request-Id of this answer in the server's log: the cause is there. If it is not a known outage, please report it with that line.",
)

SERVICE_UNAVAILABLE = operator.declare(
    "SERVICE_UNAVAILABLE",
    503,
    "The service is temporarily unavailable",
    advice="Wait as long as Retry-After says and try again. /ready tells which part of the house is missing.",
    retry=Retry.LATER,
    params={"retry_after": int},
    sample={"retry_after": 5},
    headers={"Retry-After": "{retry_after}"},
)

NOT_READY = operator.declare(
    "NOT_READY",
    503,
    "The instance is not ready to serve",
    advice="Send no traffic here for now. checks names what is missing: entries with status failed carry a reason, and the log has the cause. flux doctor on the machine says what to do about it.",
    retry=Retry.LATER,
    params={"retry_after": int},
    sample={"retry_after": 5},
    headers={"Retry-After": "{retry_after}"},
)
