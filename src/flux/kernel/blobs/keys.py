"""Which keys are keys."""

from __future__ import annotations

import re

_SEGMENT = re.compile(r"[A-Za-z0-9._-]{1,255}")
_LONGEST = 900
"""S3 allows 1,024 bytes, its prefix included."""


def check_key(key: str) -> str:
    """The key itself; `ValueError` for one that could leave the store or that some store refuses."""
    segments = key.split("/")
    if len(key) > _LONGEST or any(part in (".", "..") or not _SEGMENT.fullmatch(part) for part in segments):
        raise ValueError(f"not a blob key: {key!r}")
    return key


def check_range(start: int, length: int | None) -> None:
    if start < 0 or (length is not None and length < 0):
        raise ValueError(f"not a range: start {start}, length {length}")
