"""Which bytes of a file a request wants: the `Range` of RFC 9110. No I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flux.community import faults
from flux.kernel.wire import Call

_ONE = re.compile(r"bytes[ \t]*=[ \t]*(\d{0,18})-(\d{0,18})[ \t]*", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Conditions:
    """The headers of a request for a file: If-None-Match, Range, If-Range."""

    known: str | None = None
    range: str | None = None
    if_range: str | None = None

    @classmethod
    def of(cls, call: Call) -> Conditions:
        """A range is for GET alone."""
        wanted = call.header("range") if call.method == "GET" else None
        return cls(call.header("if-none-match"), wanted, call.header("if-range"))

    def knows(self, mark: str) -> bool:
        """Whether the client has what stands under the entity tag (compared weakly)."""
        return self.known is not None and (self.known == "*" or mark in self.known)

    def span(self, mark: str, size: int) -> Span | None:
        """None for the whole file: nothing was asked, or something we do not serve (several ranges, another unit), or the
        client's part is of another version (If-Range compares strongly). Raises RANGE_NOT_SATISFIABLE."""
        if self.range is None or (self.if_range is not None and self.if_range != mark):
            return None
        found = _ONE.fullmatch(self.range)
        if found is None or found[0].endswith("=-"):
            return None
        first, last = found[1], found[2]
        if not first:
            start, end = max(0, size - int(last)), size - 1
        else:
            start, end = int(first), min(int(last), size - 1) if last else size - 1
            if last and int(last) < start:
                return None
        if start > end:
            raise faults.RANGE_NOT_SATISFIABLE(size=size)
        return Span(start, end, size)


@dataclass(frozen=True, slots=True)
class Span:
    """From byte `start` to byte `end`, both included, of `size`."""

    start: int
    end: int
    size: int

    @property
    def length(self) -> int:
        return self.end - self.start + 1

    @property
    def header(self) -> dict[str, str]:
        return {"Content-Range": f"bytes {self.start}-{self.end}/{self.size}"}
