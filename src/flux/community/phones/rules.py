"""How phone numbers look. No I/O."""

from __future__ import annotations

import re

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_DRESSING = re.compile(r"[\s().-]")
PHONE_PROOFS = 4 | 8 | 16 | 32 | 64 | 128
"""The suspicious-activity flags that a verified phone number clears."""


def number(text: str) -> str | None:
    """In E.164 form; None for what is no number."""
    bare = _DRESSING.sub("", text)
    return bare if _E164.fullmatch(bare) else None
