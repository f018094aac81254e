"""The part of a request line that goes to the target: what must never get there, and the request target."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

MAX_LENGTH = 4_096
_ILLEGAL = re.compile(r"[\x00-\x20\x7f-\U0010ffff\\#]")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_CONTROL_ESCAPE = re.compile(r"%(?:[01][0-9A-Fa-f]|7[Ff])")
_SEPARATOR_ESCAPE = re.compile(r"%(?:2[Ff]|5[Cc])")
_AUTHORITY = re.compile(r"/(?:[@:]|[^/]*:[^/]*@)")
_SEPARATORS = re.compile(rb"[/\\]")
_HARMLESS = re.compile(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9_.~-]*)*/?\Z")
"""What nearly every path is: nothing to decode in it, no segment that is empty or begins with a dot."""
DECODINGS = 3


def path_fault(suffix: str) -> str | None:
    """Why `suffix` (empty, or starting with a slash, as sent) must not be forwarded; None when it may."""
    if len(suffix) > MAX_LENGTH:
        return "too_long"
    if _HARMLESS.match(suffix):
        return None
    if _ILLEGAL.search(suffix) or _BAD_ESCAPE.search(suffix) or _CONTROL_ESCAPE.search(suffix):
        return "illegal_character"
    if _SEPARATOR_ESCAPE.search(suffix):
        return "encoded_separator"
    if _has_dot_segment(suffix):
        return "dot_segment"
    if "//" in suffix or _AUTHORITY.match(suffix):
        return "illegal_character"
    return None


def _has_dot_segment(suffix: str) -> bool:
    """Also when hidden behind several percent-encodings."""
    text = suffix.encode("ascii")
    for _ in range(DECODINGS):
        if any(segment.split(b";")[0] in (b".", b"..") for segment in _SEPARATORS.split(text)):
            return True
        decoded = unquote_to_bytes(text)
        if decoded == text:
            return False
        text = decoded
    return True


def target_of(base_path: str, suffix: str, query: str) -> str:
    """The request target, byte for byte. Non-ASCII bytes of a query are percent-encoded: they have no other spelling."""
    path = base_path + suffix
    if not query:
        return path or "/"
    if not query.isascii() or "#" in query:
        query = "".join(
            character if character.isascii() else f"%{ord(character):02X}"
            for character in query.replace("#", "%23")
        )
    return f"{path or '/'}?{query}"
