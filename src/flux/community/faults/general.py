"""Identity, resources, rate limits, validation, the server itself, and what the wire refuses before a handler."""

from typing import Any

from flux.community.faults.table import community
from flux.kernel.faults import FaultError, Retry

UNAUTHORIZED = community.declare(
    "UNAUTHORIZED", 401, "Unauthorized", retry=Retry.AFTER_FIX,
    advice="Send `Authorization: flx_…` (a session), `Bot <id>.<secret>` or `Bearer <token>`. If you did, the token was revoked or mistyped: log in again.",
)  # fmt: skip
FORBIDDEN = community.declare(
    "FORBIDDEN", 403, "Forbidden",
    advice="The resource belongs to somebody else, or the instance reserves this operation to admins. Use an account that owns it.",
)  # fmt: skip
MISSING_PERMISSIONS = community.declare(
    "MISSING_PERMISSIONS", 403, "Missing required permissions for the operation", retry=Retry.AFTER_FIX,
    advice="You are in the guild and see the channel, but a permission bit is missing or the target stands higher than you. Ask for a role that has it.",
)  # fmt: skip
MISSING_ACCESS = community.declare(
    "MISSING_ACCESS", 403, "Not a member of the guild or lacking channel access", retry=Retry.AFTER_FIX,
    advice="Join the guild, or ask for VIEW_CHANNEL on the channel. Forget cached objects of it: you should not see them any more.",
)  # fmt: skip

UNKNOWN_USER = community.declare(
    "UNKNOWN_USER",
    404,
    "Unknown User",
    advice="No account has that id. Check that you did not send a guild or channel id.",
)
UNKNOWN_GUILD = community.declare(
    "UNKNOWN_GUILD",
    404,
    "Unknown Guild",
    advice="No guild has that id; it may have been deleted. Drop it from your cache.",
)
UNKNOWN_CHANNEL = community.declare(
    "UNKNOWN_CHANNEL", 404, "Unknown Channel",
    advice="No channel has that id, or it is a private conversation without you. Drop it from your cache.",
)  # fmt: skip
UNKNOWN_MESSAGE = community.declare(
    "UNKNOWN_MESSAGE", 404, "Unknown Message",
    advice="The message was deleted or is in another channel. Treat it as gone.",
)  # fmt: skip
UNKNOWN_MEMBER = community.declare(
    "UNKNOWN_MEMBER", 404, "Unknown Member", advice="That user is not in the guild (any more)."
)
UNKNOWN_ROLE = community.declare(
    "UNKNOWN_ROLE",
    404,
    "Unknown Role",
    advice="The guild has no such role. Fetch `GET /guilds/{id}/roles` again.",
)

RATE_LIMITED = community.declare(
    "RATE_LIMITED", 429, "You are being rate limited.", retry=Retry.LATER,
    advice="Wait `retry_after` seconds (also in `Retry-After`), then repeat. With `global: true` hold back every request, not only this route. `X-RateLimit-Remaining` on allowed answers lets you avoid it.",
    params={"retry_after": float, "global": bool},
    sample={"retry_after": 1.5, "global": False},
    headers={"Retry-After": "{retry_after}", "X-RateLimit-Global": "{global}", "X-RateLimit-Remaining": "0"},
)  # fmt: skip
SLOWMODE_RATE_LIMITED = community.declare(
    "SLOWMODE_RATE_LIMITED", 429, "Channel slowmode prevents sending messages.", retry=Retry.LATER,
    advice="The channel lets each person speak once in a while. Wait `retry_after` seconds; other channels are not affected.",
    params={"retry_after": float, "global": bool},
    sample={"retry_after": 30.0, "global": False},
    headers={"Retry-After": "{retry_after}"},
)  # fmt: skip

VALIDATION_ERROR = community.declare(
    "VALIDATION_ERROR", 400, "Request validation failed.",
    advice="`errors` lists every field that does not fit, as `{path, message, code}`; show the messages beside the fields. `X-Error-Format: tree` gives the same as an object tree.",
    params={"errors": list},
    sample={"errors": [{"path": "name", "message": "This field is required.", "code": "REQUIRED"}]},
)  # fmt: skip

INTERNAL_SERVER_ERROR = community.declare(
    "INTERNAL_SERVER_ERROR", 500, "Internal server error",
    advice="A bug or a broken store. Report the `X-Request-Id`: the log has the cause under it. Repeating a read is safe; check whether a write happened before you repeat it.",
)  # fmt: skip
SERVICE_UNAVAILABLE = community.declare(
    "SERVICE_UNAVAILABLE", 503, "Service temporarily unavailable", retry=Retry.LATER,
    advice="A needed part is down, the server is restarting, or an operator switched on maintenance. Repeat with exponential backoff, honouring `Retry-After`.",
    headers={"Retry-After": "5"},
)  # fmt: skip
BAD_GATEWAY = community.declare(
    "BAD_GATEWAY", 502, "Bad gateway", retry=Retry.LATER,
    advice="A part behind the API (realtime, mail, payments, voice) failed or answered nonsense. Repeat with exponential backoff.",
)  # fmt: skip
GATEWAY_TIMEOUT = community.declare(
    "GATEWAY_TIMEOUT", 504, "Gateway timeout", retry=Retry.LATER,
    advice="A part behind the API did not answer in time. Repeat with exponential backoff; check first whether a write happened.",
)  # fmt: skip
NOT_IMPLEMENTED = community.declare(
    "NOT_IMPLEMENTED", 501, "Feature not implemented",
    advice="This instance has the feature switched off. `GET /.well-known/fluxer` tells what is on; ask the operator.",
)  # fmt: skip

NOT_FOUND = community.declare(
    "NOT_FOUND",
    404,
    "Not Found",
    advice="No route has that path. Check the base URL: paths are relative to `/community/v1`.",
)
METHOD_NOT_ALLOWED = community.declare(
    "METHOD_NOT_ALLOWED", 405, "Method Not Allowed",
    advice="The path is right, the method is not; the `Allow` header lists those that work.",
)  # fmt: skip
REQUEST_TIMEOUT = community.declare(
    "REQUEST_TIMEOUT", 408, "The request body did not arrive in time",
    advice="The connection stalled in the middle of the body. Send it again over a fresh connection.", retry=Retry.LATER,
)  # fmt: skip
REQUEST_BODY_TOO_LARGE = community.declare(
    "REQUEST_BODY_TOO_LARGE", 413, "The request body is larger than {max_size} bytes",
    advice="Send less at once. Files belong in multipart parts, up to the limits of `/.well-known/fluxer`.",
    params={"max_size": int}, sample={"max_size": 1_048_576},
)  # fmt: skip
URI_TOO_LONG = community.declare(
    "URI_TOO_LONG", 414, "The request target is longer than {max_size} bytes",
    advice="Move what is in the query string into a body, or ask for less at once.",
    params={"max_size": int}, sample={"max_size": 8192},
)  # fmt: skip
RANGE_NOT_SATISFIABLE = community.declare(
    "RANGE_NOT_SATISFIABLE", 416, "The file has only {size} bytes",
    advice="`Content-Range` tells how long the file is. Ask for bytes it has, or for all of it without `Range`.",
    params={"size": int}, sample={"size": 1024}, headers={"Content-Range": "bytes */{size}"},
)  # fmt: skip
HEADERS_TOO_LARGE = community.declare(
    "HEADERS_TOO_LARGE", 431, "The request headers are larger than {max_size} bytes",
    advice="Usually a cookie jar out of hand. Send fewer or shorter headers.",
    params={"max_size": int}, sample={"max_size": 32_768},
)  # fmt: skip
SIMULATION_REFUSED = community.declare(
    "SIMULATION_REFUSED", 400, "There is no such failure to simulate here",
    advice="`X-Flux-Simulate` works on a server started with `--sandbox` and takes a code of this reference, as `CODE` or `CODE@STATUS`.",
)  # fmt: skip
ACCESS_DENIED = community.declare(
    "ACCESS_DENIED", 403, "Access denied",
    advice="This kind of token cannot be used here: bots cannot do what only people do, and OAuth2 bearers reach only the routes that name a scope.",
)  # fmt: skip
UNKNOWN_APPLICATION = community.declare(
    "UNKNOWN_APPLICATION", 404, "Unknown Application",
    advice="No application has that id; `GET /oauth2/applications/@me` lists yours.",
)  # fmt: skip


def rate_limited(retry_after: float, *, overall: bool = False) -> FaultError:
    """RATE_LIMITED; `overall` when it is the caller's global limit (`global` is a word of Python's)."""
    told: dict[str, Any] = {"retry_after": retry_after, "global": overall}
    return RATE_LIMITED(**told)


def slowed_down(retry_after: float) -> FaultError:
    told: dict[str, Any] = {"retry_after": retry_after, "global": False}
    return SLOWMODE_RATE_LIMITED(**told)
