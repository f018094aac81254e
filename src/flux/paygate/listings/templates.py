"""Operation paths: `/users/{id}` (or `/users/:id`), and which operation a request means.

Literal segments beat those with parameters; a parameter takes exactly one segment that is not empty; the query string
never takes part.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Generic, TypeVar
from urllib.parse import unquote

T = TypeVar("T")
_COLON = re.compile(r":([A-Za-z_][A-Za-z0-9_-]*)\Z")
_PLACE = re.compile(r"\{([A-Za-z_][A-Za-z0-9_.-]*)\}")
_LITERAL = re.compile(r"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%[0-9A-Fa-f]{2})*\Z")
MAX_LENGTH = 1_000


class BadTemplate(ValueError):
    """Not a path template; the argument is one of the reasons of INVALID_ENDPOINT."""


def normalised(path: str) -> str:
    """The template in braces. Raises `BadTemplate`."""
    if len(path) > MAX_LENGTH:
        raise BadTemplate("too_long")
    if not path.startswith("/"):
        raise BadTemplate("bad_template")
    if path == "/":
        return path
    segments = [_segment(segment) for segment in path[1:].removesuffix("/").split("/")]
    names = [name for segment in segments for name in _PLACE.findall(segment)]
    if len(set(names)) != len(names):
        raise BadTemplate("bad_template")
    return "/" + "/".join(segments)


def _segment(segment: str) -> str:
    colon = _COLON.match(segment)
    if colon:
        return f"{{{colon.group(1)}}}"
    if not segment:
        raise BadTemplate("bad_template")
    rest = _PLACE.sub("", segment)
    if "{" in rest or "}" in rest:
        raise BadTemplate("bad_template")
    if not _LITERAL.match(rest):
        raise BadTemplate("illegal_character")
    decoded = unquote(rest)
    if decoded in (".", "..") and rest == segment:
        raise BadTemplate("dot_segment")
    if "/" in decoded or "\\" in decoded:
        raise BadTemplate("encoded_separator")
    if any(ord(character) < 32 or ord(character) == 127 for character in decoded):
        raise BadTemplate("illegal_character")
    return segment


class Operations(Generic[T]):
    """What each method and path of a listing means. Built once a listing version, asked on every call."""

    def __init__(self, entries: Iterable[tuple[str, str, T]]) -> None:
        """`entries` are (method, normalised template, what it means); the first of equal ones wins."""
        self._entries: list[tuple[str, list[str | re.Pattern[str]], tuple[int, ...], T]] = []
        self._names: list[str] = []
        seen: set[tuple[str, str]] = set()
        for method, template, meaning in entries:
            shape = (method, _PLACE.sub("{}", template))
            if shape in seen:
                continue
            seen.add(shape)
            self._names.append(f"{method} {template}")
            steps = [] if template == "/" else [_step(segment) for segment in template[1:].split("/")]
            rank = tuple(_rank(segment) for segment in template[1:].split("/"))
            self._entries.append((method, steps, rank, meaning))
        self._entries.sort(key=lambda entry: entry[2])

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def names(self) -> list[str]:
        """`GET /weather`, in the order given."""
        return self._names

    def find(self, method: str, path: str) -> T | None:
        """`path` percent-encoded as sent, starting with a slash. HEAD means GET where it is not declared itself."""
        segments = (
            [] if path == "/" else [unquote(segment) for segment in path[1:].removesuffix("/").split("/")]
        )
        found = self._match(method, segments)
        if found is None and method == "HEAD":
            found = self._match("GET", segments)
        return found

    def _match(self, method: str, segments: list[str]) -> T | None:
        for known, steps, _, meaning in self._entries:
            if known == method and len(steps) == len(segments) and _fits(steps, segments):
                return meaning
        return None


def _fits(steps: list[str | re.Pattern[str]], segments: list[str]) -> bool:
    for step, segment in zip(steps, segments, strict=True):
        if isinstance(step, str):
            if step != segment:
                return False
        elif not step.match(segment):
            return False
    return True


def _step(segment: str) -> str | re.Pattern[str]:
    pieces = _PLACE.split(segment)
    if len(pieces) == 1:
        return unquote(segment)
    pattern = "".join(
        "(.+)" if index % 2 else re.escape(unquote(piece)) for index, piece in enumerate(pieces)
    )
    return re.compile(pattern + r"\Z", re.DOTALL)


def _rank(segment: str) -> int:
    """Literal, partly literal, parameter."""
    if not _PLACE.search(segment):
        return 0
    return 2 if _PLACE.fullmatch(segment) else 1
