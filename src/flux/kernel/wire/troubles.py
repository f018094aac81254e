"""What can go wrong before a handler runs, in words that know no plane.

The wire raises a `WireTrouble`; the plane's envelope translates it to one of its declared faults.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Literal

from msgspec import Struct


class Kind(Enum):
    __hash__ = object.__hash__  # members are single objects; Enum's own hash is a Python call for each lookup

    UNKNOWN_ROUTE = "unknown_route"
    WRONG_METHOD = "wrong_method"
    """`allowed` lists the methods that would do."""
    INVALID_VALUES = "invalid_values"
    """`problems` says which and why."""
    MALFORMED_JSON = "malformed_json"
    """`position` is the byte offset when known."""
    BAD_UTF8 = "bad_utf8"
    DUPLICATE_KEY = "duplicate_key"
    """`subject` is the key."""
    NUL_CHARACTER = "nul_character"
    TOO_DEEP = "too_deep"
    """`limit` is the greatest depth allowed."""
    NOT_AN_OBJECT = "not_an_object"
    CONTENT_TYPE = "content_type"
    """The body's media type is not one the route reads; `subject` is what was sent."""
    BODY_TOO_LARGE = "body_too_large"
    """`limit` in bytes."""
    BODY_TOO_SLOW = "body_too_slow"
    """`limit` in seconds."""
    REQUEST_TIMEOUT = "request_timeout"
    """The handler passed the route's time limit; its work was cancelled. `limit` in seconds."""
    HEADERS_TOO_LARGE = "headers_too_large"
    """`limit` in bytes."""
    URL_TOO_LONG = "url_too_long"
    """`limit` in bytes."""
    UPGRADE_REFUSED = "upgrade_refused"
    """A WebSocket upgrade where no socket is served."""
    BAD_REQUEST = "bad_request"
    """Not HTTP: what the parser refuses."""
    SIMULATION_REFUSED = "simulation_refused"
    """`X-Flux-Simulate` outside the sandbox, or of a code the plane does not have (`subject`)."""
    MAINTENANCE = "maintenance"
    DRAINING = "draining"


class Problem(Struct):
    """One value that does not fit.

    `path` is dotted (`embeds.0.title`; empty for the whole body). `kind` is one of missing, type, null, too_short,
    too_long, too_small, too_large, multiple_of, pattern, choice, format. `bound` is the limit that was passed,
    the pattern, or the list of choices; `expected` says the same in English.
    """

    where: Literal["body", "query", "path", "header"]
    path: str
    kind: str
    expected: str
    received: Any = None
    bound: Any = None


class WireTrouble(Exception):
    """What went wrong, with the particulars that its kind has."""

    allowed: tuple[str, ...] = ()
    position: int | None = None
    limit: float | None = None
    subject = ""

    def __init__(
        self,
        kind: Kind,
        problems: list[Problem] | None = None,
        *,
        allowed: tuple[str, ...] = (),
        position: int | None = None,
        limit: float | None = None,
        subject: str = "",
    ) -> None:
        self.kind = kind
        self.problems: list[Problem] = problems or []
        if kind is not Kind.INVALID_VALUES:  # by far the most frequent, which has problems and nothing else
            self.allowed = allowed
            self.position = position
            self.limit = limit
            self.subject = subject

    def __str__(self) -> str:
        return f"{self.kind.value} {self.problems or self.subject or self.limit or ''}".rstrip()
