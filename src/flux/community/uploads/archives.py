"""Zip files that unpack to far more than they are. Nothing is unpacked: their own directory is read."""

from __future__ import annotations

import struct

TAIL_BYTES = 131_072
"""How much of a file's end is enough: its directory's end and, of a small archive, all of the directory."""
_END = b"PK\x05\x06"
_ENTRY = b"PK\x01\x02"
LEAST_BYTES = 100_000_000
"""An archive that unpacks to less than this harms nobody, whatever its ratio."""


def is_zip(head: bytes) -> bool:
    return head.startswith((b"PK\x03\x04", _END))


def is_bomb(tail: bytes, size: int, most_ratio: int) -> bool:
    """`tail` is the end of a zip file of `size` bytes. By the sizes that its directory declares, as far as it lies in
    the tail; entries whose size does not fit 32 bits count as the largest that does."""
    end = tail.rfind(_END)
    if end < 0 or end + 22 > len(tail):
        return False
    length, offset = struct.unpack_from("<II", tail, end + 12)
    at = max(0, end - length) if length < len(tail) else tail.find(_ENTRY)
    del offset  # of no use: what is before the archive shifts it
    total = 0
    while at >= 0 and at + 46 <= end:
        if tail[at : at + 4] != _ENTRY:
            at = tail.find(_ENTRY, at + 1, end)
            continue
        total += struct.unpack_from("<I", tail, at + 24)[0]
        name, extra, comment = struct.unpack_from("<HHH", tail, at + 28)
        at += 46 + name + extra + comment
    return total > LEAST_BYTES and total > size * most_ratio
