"""Request ids: a valid one from the client is kept, otherwise a cheap unique one is made."""

from __future__ import annotations

import re
import secrets

_VALID = re.compile(rb"[A-Za-z0-9._-]{8,64}\Z")


class RequestIds:
    def __init__(self) -> None:
        self._prefix = secrets.token_hex(6)
        self._count = 0

    def for_request(self, sent: bytes | None) -> str:
        if sent is not None and _VALID.match(sent):
            return str(sent, "ascii")
        self._count += 1
        return f"{self._prefix}-{self._count:08x}"
