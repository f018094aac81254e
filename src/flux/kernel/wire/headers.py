"""Headers of answers, as they go on the wire."""

from __future__ import annotations

_CONTROLS = bytes(code for code in (*range(32), 127) if code != 9)
_HARMLESS = bytes.maketrans(_CONTROLS, b" " * len(_CONTROLS))
"""A header value with a control character in it would be refused below, after the status line: no answer at all."""


def harmless(value: bytes) -> bytes:
    return value.translate(_HARMLESS)


def line(name: str, value: str) -> str:
    """Of a name in lower case."""
    if not value.isprintable():
        value = harmless(value.encode("latin-1", "replace")).decode("latin-1")
    return f"{name}: {value}\r\n"


class Headers(dict[str, str]):
    """Headers that several answers have: `wire` is what they are there, made once. Nothing in them is about the connection."""

    __slots__ = ("wire",)

    def __init__(self, own: dict[str, str], common: Headers | None = None) -> None:
        super().__init__(own)
        lines = "".join([line(name.lower(), value) for name, value in own.items()])
        self.wire = lines.encode("latin-1", "replace")
        if common is not None:
            self.update(common)
            self.wire += common.wire
