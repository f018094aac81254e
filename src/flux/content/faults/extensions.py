"""Refusals that both APIs need beyond the published reference. The reasons stand in the contract."""

from __future__ import annotations

from flux.content.faults.table import content
from flux.kernel.faults import Retry

BAD_REQUEST = content.declare(
    "bad_request",
    400,
    "Bad request",
    advice="The server could not read the request as HTTP, or its target or headers are too long. Send long queries as a search body.",
)
JSON_PARSE_ERROR = content.declare(
    "json_parse_error",
    400,
    "JSON parse error",
    advice="The body is not JSON in UTF-8. Check quoting and that the whole body was sent.",
)
SIMULATION_REFUSED = content.declare(
    "simulation_refused",
    400,
    "Simulation refused",
    advice="X-Flux-Simulate works only on a server started with its sandbox, and only with codes of this plane (write "
    "CODE@STATUS where a code has several statuses).",
)
AUTHENTICATION_REQUIRED = content.declare(
    "authentication_required",
    401,
    "Authentication required",
    advice="As authentication_failed, under its current name: send valid delivery credentials for this environment.",
    retry=Retry.AFTER_FIX,
)
ACCESS_DENIED = content.declare(
    "access_denied",
    403,
    "Access denied",
    advice="The key's role does not grant this on the API. For writes it needs the create or update action on flux-apis.",
    retry=Retry.AFTER_FIX,
)
COLLECTION_NOT_WRITABLE = content.declare(
    "collection_not_writable",
    403,
    "Collection is not writable",
    advice="Add create or update to the allowed_methods of the folder's connection, or write through the management API.",
    retry=Retry.AFTER_FIX,
)
PLAN_LIMIT_EXCEEDED = content.declare(
    "plan_limit_exceeded",
    403,
    "Plan limit exceeded",
    advice="`detail` names the entity, how many there are and how many may be. Delete some, or ask the operator to raise "
    "`content.plan_limits.<entity>`.",
    retry=Retry.AFTER_FIX,
    params={"entity": str, "current": int, "limit": int},
    sample={"entity": "resources", "current": 100, "limit": 100},
)
ENVIRONMENT_DISABLED = content.declare(
    "environment_disabled",
    403,
    "Environment is disabled",
    advice="Switch the environment on again with its toggle endpoint before managing what is in it.",
    retry=Retry.AFTER_FIX,
)
ENVIRONMENT_PROTECTED = content.declare(
    "environment_protected",
    403,
    "Environment is protected",
    advice="The environment's protection forbids changes. The organisation's owner can lift it.",
    retry=Retry.AFTER_FIX,
)
METHOD_NOT_ALLOWED = content.declare(
    "method_not_allowed",
    405,
    "Method not allowed",
    advice="The path exists; the `Allow` header of the answer lists the methods that work on it.",
)
RATE_LIMITED = content.declare(
    "rate_limited",
    429,
    "Rate limit exceeded",
    advice="Wait for `Retry-After` seconds, then retry with backoff.",
    retry=Retry.LATER,
    params={"retry_after": int},
    sample={"retry_after": 1},
    headers={"Retry-After": "{retry_after}"},
)
UPSTREAM_ERROR = content.declare(
    "upstream_error",
    502,
    "Upstream error",
    advice="The service that computes embeddings failed; nothing was written. Retry with backoff.",
    retry=Retry.LATER,
)
SERVICE_UNAVAILABLE = content.declare(
    "service_unavailable",
    503,
    "Service unavailable",
    advice="An operator has put the content plane in maintenance, or the server is stopping. Retry with backoff.",
    retry=Retry.LATER,
)
