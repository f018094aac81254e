"""What identifies a request, and an answer that is kept."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import msgspec

IDENTIFIED = "id:"
"""In front of keys that are payment identifiers of x402; no Idempotency-Key has a colon."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """An Idempotency-Key (or payment identifier) and the request it stands for."""

    key: str
    fingerprint: bytes

    @classmethod
    def of(cls, key: str, method: str, target: str, body: bytes) -> Remembered:
        text = f"{method}\n{target}\n".encode("latin-1", "replace") + hashlib.sha256(body).digest()
        return cls(key, hashlib.sha256(text).digest())


class Head(msgspec.Struct, frozen=True):
    """Status and headers as the consumer got them."""

    status: int
    pairs: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer ready to be given again."""

    head: Head
    body: bytes
