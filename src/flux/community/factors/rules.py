"""One-time codes after RFC 6238 (SHA-1, six digits, thirty seconds) and backup codes. No I/O."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from hashlib import sha1

from flux.kernel.identity import same
from flux.kernel.store import LOWER, random_key

STEP_SECONDS = 30
DRIFT = 1
"""Steps a clock may be off, either way."""
LEAST_SEED_BYTES = 10
MOST_SEED_BYTES = 128
BACKUP_CODES = 10
_CODE = re.compile(r"[0-9]{6}")
_BLANKS = re.compile(r"[\s-]")


def seed(text: str) -> bytes | None:
    """The bytes of a secret in base32, with or without blanks and padding; None for what is none or too short."""
    bare = _BLANKS.sub("", text).rstrip("=").upper()
    try:
        raw = base64.b32decode(bare + "=" * (-len(bare) % 8))
    except (binascii.Error, ValueError):
        return None
    return raw if LEAST_SEED_BYTES <= len(raw) <= MOST_SEED_BYTES else None


def one_time_code(key: bytes, step: int) -> str:
    digest = hmac.new(key, step.to_bytes(8, "big"), sha1).digest()
    place = digest[-1] & 15
    number = int.from_bytes(digest[place : place + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


def matching_step(key: bytes, code: str, now_ms: int) -> int | None:
    """The time step whose code this is; None for a wrong one. Takes as long for a right code as for a wrong one."""
    bare = _BLANKS.sub("", code)
    if not _CODE.fullmatch(bare):
        return None
    now = now_ms // 1000 // STEP_SECONDS
    steps = range(max(0, now - DRIFT), now + DRIFT + 1)
    return max((step for step in steps if same(one_time_code(key, step), bare)), default=None)


def new_backup_codes() -> list[str]:
    """Ten of them, as `k3f9-x2mz`."""
    made: set[str] = set()
    while len(made) < BACKUP_CODES:
        code = random_key(8, LOWER)
        made.add(f"{code[:4]}-{code[4:]}")
    return sorted(made)


def bare_backup_code(text: str) -> str:
    """How backup codes are compared: without blanks, dashes and case."""
    return _BLANKS.sub("", text).lower()


def phone_hint(phone: str) -> str:
    """What may be shown of a number before its owner has proved who they are."""
    return "•" * max(0, len(phone) - 4) + phone[-4:]
