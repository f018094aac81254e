"""The 18 codes of the published reference, in its order."""

from __future__ import annotations

from flux.content.faults.table import content
from flux.kernel.faults import Retry

AUTHENTICATION_FAILED = content.declare(
    "authentication_failed",
    401,
    "Authentication failed",
    advice="The credentials are missing, wrong, expired or made for something else: another environment, or the other of the "
    "two APIs. The answer never says which. Check the scheme (Simple, Secure or Bearer), the key pair and, for Secure, that the "
    "clock is right and that the signed path is the one you request.",
    retry=Retry.AFTER_FIX,
)
PERMISSION_DENIED = content.declare(
    "permission_denied",
    403,
    "Permission denied",
    advice="The key or user is known, and its role does not reach what was asked. Give the role a permission for this API or "
    "content type, or use a key of another role. A key without a role is not restricted.",
    retry=Retry.AFTER_FIX,
)
ROUTE_NOT_FOUND = content.declare(
    "route_not_found",
    404,
    "Route not found",
    advice="No API has this prefix, no folder is connected under this path, or there is no such endpoint. "
    "`GET /{prefix}/_router` lists what an API serves.",
)
RESOURCE_NOT_FOUND = content.declare(
    "resource_not_found",
    404,
    "Resource does not exist",
    advice="The key is unknown in this folder, or nothing of the resource is published. On a list it means that the cursor's "
    "resource is gone: start again from the first page.",
)
COMPONENT_NOT_FOUND = content.declare(
    "component_not_found",
    404,
    "Component does not exist",
    advice="The `component` of the request is not a component of this environment. Use the component's key, not its name.",
)
ACTION_NOT_ALLOWED = content.declare(
    "action_not_allowed",
    405,
    "Action not allowed",
    advice="The folder is connected to the API without the method you need: list and search need get_many, a single read "
    "needs get_one. Change the connection's allowed_methods, or read it another way.",
)
REQUEST_TIMEOUT = content.declare(
    "request_timeout",
    408,
    "Request timeout",
    advice="The server stopped working on the request at its time limit; nothing was changed. Retry with backoff, and ask "
    "for less: a smaller limit, fewer populated references, a filter on a searchable field.",
    retry=Retry.LATER,
)
MAX_RESPONSE_SIZE_EXCEEDED = content.declare(
    "max_response_size_exceeded",
    413,
    "Response size exceeded",
    advice="The answer would pass the size limit. Lower `limit`, name the `fields` you need, populate less or use `truncate_text`.",
)
VALIDATION_ERROR = content.declare(
    "validation_error",
    422,
    "Invalid data was provided",
    advice="`detail` lists every value that does not fit: `field` is its path exactly as you sent it, `details` says what is expected.",
)
INVALID_REQUEST = content.declare(
    "invalid_request",
    422,
    "Invalid request",
    advice="The request as a whole makes no sense: a body that is not a JSON object, a page size below 1, a cursor that is not "
    "ours or belongs to another query, or parts that exclude each other (find_text with find_phrase, next with previous).",
)
UNKNOWN_FIELD = content.declare(
    "unknown_field",
    422,
    "Unknown field",
    advice="A filter, sort, search or populate names a field that the published schema does not have, or that is not "
    "searchable. `GET …/_schema` lists searchable_fields. With `ignore_unknown_fields=true` such clauses are dropped.",
)
FAILED_JOIN = content.declare(
    "failed_join",
    422,
    "Failed to join folder: folder not found",
    advice="Every joined folder must be connected to the same API with get_many, and every alias must be reached by exactly "
    "one relation that starts at `$`, without a cycle.",
)
TOO_MANY_JOIN_FOLDERS = content.declare(
    "too_many_join_folders",
    422,
    "Too many folders in join",
    advice="Join at most three folders in one search; read the rest in a second request or with populate.",
)
UNKNOWN_LOCALE = content.declare(
    "unknown_locale",
    422,
    "Unknown locale",
    advice="The environment has no such locale. Configure it, or ask for one that exists.",
)
INVALID_LOCALE = content.declare(
    "invalid_locale",
    422,
    "Invalid locale",
    advice="A locale code is letters, or letters joined by underscores (`en`, `pt_BR`); hyphens, digits and empty entries are refused.",
)
MISSED_COMPONENT = content.declare(
    "missed_component",
    422,
    "Component is required",
    advice="In a composite folder every resource has its own component: add `component=<key>` to filter, sort, search or write.",
)
RATE_LIMIT_EXCEEDED = content.declare(
    "rate_limit_exceeded",
    429,
    "Rate limit exceeded",
    advice="Wait for `Retry-After` seconds, then retry with backoff. The X-RateLimit headers of every answer show the budget.",
    retry=Retry.LATER,
    params={"retry_after": int},
    sample={"retry_after": 1},
    headers={"Retry-After": "{retry_after}"},
)
INTERNAL_SERVER_ERROR = content.declare(
    "internal_server_error",
    500,
    "Internal server error",
    advice="Something failed on our side. Retry with backoff; if it stays, send the operator the X-Request-Id of the answer: "
    "the log has the cause under it.",
    retry=Retry.LATER,
)
