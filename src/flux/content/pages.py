"""Pages of management lists: `{"count", "next", "previous", "results"}`, by limit and offset."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar
from urllib.parse import urlencode

from msgspec import Meta, Struct

from flux.kernel.wire import Call

T = TypeVar("T")
GREATEST = 9_007_199_254_740_991


class PageQuery(Struct):
    """`limit` above the greatest page size falls back to it."""

    limit: Annotated[int, Meta(ge=1)] = 100
    offset: Annotated[int, Meta(ge=0, le=GREATEST)] = 0


class Window(Struct, frozen=True):
    """What a repository reads: `LIMIT :limit OFFSET :offset`."""

    limit: int
    offset: int


class Rows(Struct, frozen=True):
    """`count` is the total over all pages."""

    count: int
    rows: Sequence[Any]


def window(query: PageQuery, page_size: int) -> Window:
    return Window(min(query.limit, page_size), query.offset)


def page(call: Call, at: Window, found: Rows, show: Callable[[Any], Any]) -> dict[str, Any]:
    following = at.offset + at.limit
    return {
        "count": found.count,
        "next": _address(call, at.limit, following) if following < found.count else None,
        "previous": _address(call, at.limit, max(0, at.offset - at.limit)) if at.offset > 0 else None,
        "results": [show(row) for row in found.rows],
    }


def whole(results: Sequence[Any]) -> dict[str, Any]:
    """A page object around a list that is never paged."""
    return {"count": len(results), "next": None, "previous": None, "results": list(results)}


def origin(call: Call) -> str:
    """Scheme and host as the request named them."""
    return f"{call.scope.get('scheme', 'http')}://{call.header('host') or 'localhost'}"


def _address(call: Call, limit: int, offset: int) -> str:
    kept = [(name, value) for name, value in call.query if name not in ("limit", "offset")]
    path = call.scope["raw_path"].decode("latin-1")
    return f"{origin(call)}{path}?{urlencode([*kept, ('limit', limit), ('offset', offset)])}"
