"""Encoded answers: bounded in size, named by a strong ETag, remembered while nothing they show has changed."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Hashable

from msgspec import Struct

from flux.content.access import Anonymous, KeyHolder
from flux.content.faults import MAX_RESPONSE_SIZE_EXCEEDED
from flux.content.settled import Settled
from flux.kernel.wire import Call, Raw


class Encoded(Struct, frozen=True):
    body: bytes
    etag: str


def encoded(body: bytes) -> Encoded:
    return Encoded(body, f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"')


class Answers:
    """The newest answers, at most so many and so many bytes. Keys contain the generations they were made under."""

    def __init__(self, settled: Settled) -> None:
        self._most = settled.content.delivery_cache_entries
        self._most_bytes = settled.content.delivery_cache_bytes
        self._largest = settled.content.max_response_bytes
        self._control = settled.content.default_cache_control
        self._kept: OrderedDict[Hashable, Encoded] = OrderedDict()
        self._bytes = 0

    def known(self, key: Hashable) -> Encoded | None:
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def keep(self, key: Hashable, answer: Encoded) -> None:
        if len(answer.body) > self._most_bytes or not self._most:
            return
        before = self._kept.pop(key, None)
        self._bytes += len(answer.body) - (len(before.body) if before else 0)
        self._kept[key] = answer
        while len(self._kept) > self._most or self._bytes > self._most_bytes:
            _, gone = self._kept.popitem(last=False)
            self._bytes -= len(gone.body)

    def within_size(self, body: bytes) -> bytes:
        """Raises `MAX_RESPONSE_SIZE_EXCEEDED`."""
        if len(body) > self._largest:
            raise MAX_RESPONSE_SIZE_EXCEEDED()
        return body

    def reply(self, call: Call, answer: Encoded, principal: KeyHolder | Anonymous) -> Raw:
        """The answer, or 304 when the caller has it already."""
        control = self._control if isinstance(principal, Anonymous) else f"private, {self._control}"
        headers = {"ETag": answer.etag, "Cache-Control": control, "Vary": "Authorization"}
        wanted = call.header("if-none-match")
        if wanted is not None and _matches(wanted, answer.etag):
            return Raw(b"", status=304, headers=headers)
        return Raw(answer.body, headers=headers)


def _matches(header: str, etag: str) -> bool:
    """RFC 9110: a list, compared weakly, or `*`."""
    if header.strip() == "*":
        return True
    return etag in (one.strip().removeprefix("W/") for one in header.split(","))
