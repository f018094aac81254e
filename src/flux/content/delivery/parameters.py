"""What every delivery request may carry beside its path: paging, locales, how documents are shown.

A value is taken from the body where it has one, else from the query. Combinations and paging numbers that make no
sense are `invalid_request`; locales have their own two codes; the rest is collected as validation problems.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from msgspec import Struct

from flux.content.faults import INVALID_LOCALE, INVALID_REQUEST, UNKNOWN_LOCALE
from flux.content.locales.schemas import CODE, LONGEST_CODE
from flux.content.search.plan import SYSTEM
from flux.content.search.problems import Problems
from flux.content.shape.checking import Locales
from flux.content.shape.fields import REFERENCES, Shape
from flux.content.shape.localising import View, fallback_chain

MISSING: Any = object()
_CODE = re.compile(CODE)
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}
GREATEST_OFFSET = 1_000_000_000


class Paging(Struct, frozen=True):
    limit: int
    offset: int
    token: str | None
    backwards: bool


Latest = Mapping[str, str]
"""Query parameters; of a repeated one the last."""


def latest(query: list[tuple[str, str]]) -> Latest:
    return dict(query)


def boolean(query: Latest, name: str) -> bool:
    """False when absent."""
    text = query.get(name)
    if text is None:
        return False
    if text.lower() not in _BOOLEANS:
        raise INVALID_REQUEST()
    return _BOOLEANS[text.lower()]


def paging(query: Latest, body: dict[str, Any], page_size: int) -> Paging:
    following, preceding = _token(query, body, "next"), _token(query, body, "previous")
    if following is not None and preceding is not None:
        raise INVALID_REQUEST()
    limit = _whole(body.get("limit", MISSING), query.get("limit"), page_size)
    offset = _whole(body.get("offset", MISSING), query.get("offset"), 0)
    if limit < 1 or offset < 0 or offset > GREATEST_OFFSET:
        raise INVALID_REQUEST()
    token = following if following is not None else preceding
    if token is not None and offset:
        raise INVALID_REQUEST()
    return Paging(min(limit, page_size), offset, token, preceding is not None)


def _whole(from_body: Any, from_query: str | None, default: int) -> int:
    """A whole number from the body, else from the query, else the default."""
    if from_body is not MISSING and from_body is not None:
        if isinstance(from_body, bool) or not isinstance(from_body, int):
            raise INVALID_REQUEST()
        return from_body
    if from_query is None:
        return default
    text = from_query.removeprefix("-")
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise INVALID_REQUEST()
    return int(from_query)


def _token(query: Latest, body: dict[str, Any], name: str) -> str | None:
    """A token, or the absolute URL that an answer named: then the token in it."""
    value: Any = query.get(name)
    if value is None and body:
        value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not value:
        raise INVALID_REQUEST()
    if "://" not in value:
        return value
    try:
        inner = parse_qs(urlsplit(value).query).get(name)
    except ValueError:
        inner = None
    if not inner:
        raise INVALID_REQUEST()
    return inner[-1]


def locale(text: str, locales: Locales) -> str:
    """Raises `INVALID_LOCALE` or `UNKNOWN_LOCALE`."""
    if len(text) > LONGEST_CODE or not _CODE.search(text):
        raise INVALID_LOCALE()
    if text not in locales.codes:
        raise UNKNOWN_LOCALE()
    return text


def view(query: Latest, locales: Locales, problems: Problems) -> View:
    """`fields` are filled in by whoever knows them."""
    raw = boolean(query, "raw")
    fallback = boolean(query, "fallback_locales")
    listed = query.get("return_locales")
    wanted = [] if listed is None else listed.split(",")
    if any(len(one) > LONGEST_CODE or not _CODE.search(one) for one in wanted):
        raise INVALID_LOCALE()
    codes = tuple(dict.fromkeys(locale(one, locales) for one in wanted))
    return View(
        locales=locales,
        return_locales=codes,
        fallback=fallback,
        raw=raw,
        truncate=_truncate(query.get("truncate_text"), problems),
    )


def _truncate(text: str | None, problems: Problems) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        problems.type("truncate_text", "number") if not _is_number(text) else _too_small(problems)
        return None
    number = int(text)
    if number < 1:
        _too_small(problems)
        return None
    return number


def _is_number(text: str) -> bool:
    return text.lstrip("-").isdigit() and text.isascii()


def _too_small(problems: Problems) -> None:
    problems.value("truncate_text", "Value must be at least 1")


def search_locales(query: Latest, locales: Locales, *, fallback: bool) -> tuple[str, ...]:
    """The locale that filters and sorting look at, and those that stand in for it."""
    named = query.get("search_locale")
    code = locales.default if named is None else locale(named, locales)
    return (code, *fallback_chain(code, locales)) if fallback else (code,)


def listed(value: Any) -> list[str] | None:
    """A list of texts, or one text with commas; None for anything else."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return list(value)
    return None


def paths(query: Latest, name: str, shape: Shape | None, problems: Problems) -> tuple[str, ...] | None:
    """Paths into `data` from a query parameter; None when it is absent."""
    text = query.get(name)
    return None if text is None else known_paths(text, name, shape, problems)


def known_paths(value: Any, name: str, shape: Shape | None, problems: Problems) -> tuple[str, ...] | None:
    """Those of the paths that exist; the others are unknown fields. `_sys` members are always shown."""
    entries = listed(value)
    if entries is None:
        problems.type(name, "list")
        return None
    kept = []
    for entry in entries:
        if shape is None or entry in SYSTEM or _is_known(shape, entry, whole=name != "populate"):
            kept.append(entry)
        else:
            problems.unknown_path()
    return tuple(kept)


def _is_known(shape: Shape, entry: str, *, whole: bool) -> bool:
    """With `whole` false only the step up to a reference counts: the rest lies in other folders."""
    chain = shape.chains.get(entry)
    if chain is None and not whole:
        parts = entry.split(".")
        heads = (".".join(parts[:end]) for end in range(len(parts) - 1, 0, -1))
        chain = next((shape.chains[head] for head in heads if head in shape.chains), None)
        if chain is not None and chain[-1].type not in REFERENCES:
            chain = None
    return chain is not None and not any(one.private for one in chain)
