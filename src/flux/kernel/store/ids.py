"""Identifiers: 64-bit time-sortable snowflakes, and random keys.

A snowflake is `(unix_ms - 1420070400000) << 22 | worker(10 bits) << 12 | sequence(12 bits)`.
"""

from __future__ import annotations

import secrets
from functools import cache

from flux.kernel.store.clock import Clock

EPOCH_MS = 1_420_070_400_000
LOWER = "abcdefghijklmnopqrstuvwxyz0123456789"
ALPHANUMERIC = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = tuple(first + second for first in CROCKFORD for second in CROCKFORD)


class Snowflakes:
    """Unique within a worker, strictly increasing, even when the system clock steps back."""

    def __init__(self, clock: Clock, worker: int = 0) -> None:
        if not 0 <= worker < 1024:
            raise ValueError("a snowflake worker is 0..1023")
        self._clock = clock
        self._worker = worker << 12
        self._last_ms = 0
        self._sequence = 0

    def next(self) -> int:
        now = self._clock.now_ms()
        if now > self._last_ms:
            self._last_ms, self._sequence = now, 0
        else:
            self._sequence += 1
            if self._sequence > 0xFFF:
                self._last_ms += 1
                self._sequence = 0
        return (self._last_ms - EPOCH_MS) << 22 | self._worker | self._sequence


def snowflake_ms(snowflake: int) -> int:
    """The Unix milliseconds in a snowflake."""
    return (snowflake >> 22) + EPOCH_MS


def random_key(length: int, alphabet: str = ALPHANUMERIC) -> str:
    """A random identifier or secret from the operating system's randomness, every character as likely as any other."""
    table, surplus = _tables(alphabet)
    found = b""
    while len(found) < length:
        found += secrets.token_bytes(2 * length).translate(table, surplus)
    return found[:length].decode("ascii")


def neighbouring_keys(count: int, length: int) -> list[str]:
    """Random keys for things that are made together, ascending: a third of each is shared, the rest is its own. In an index
    they stand beside each other, so that writing them touches few of its pages."""
    shared, own = random_key(length // 3), length - length // 3
    drawn = random_key(count * own)
    return sorted(shared + drawn[at : at + own] for at in range(0, count * own, own))


@cache
def _tables(alphabet: str) -> tuple[bytes, bytes]:
    """What each random byte stands for, and the bytes that stand for nothing: with them some would come up more often."""
    whole = 256 - 256 % len(alphabet)
    return bytes(ord(alphabet[byte % len(alphabet)]) for byte in range(256)), bytes(range(whole, 256))


def time_sortable_key(clock: Clock) -> str:
    """26 lowercase Crockford base32 characters: 48 bits of milliseconds, 80 random bits."""
    return _sortable(clock.now_ms() << 80 | secrets.randbits(80))


def first_sortable_key(ms: int) -> str:
    """Sorts before every `time_sortable_key` made at that time (Unix ms) or later."""
    return _sortable(max(0, ms) << 80)


def _sortable(number: int) -> str:
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(120, -1, -10)])
