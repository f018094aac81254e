"""Decisions about accounts: tags, ages, addresses. No I/O."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import UTC, date, datetime

from flux.kernel.store import LOWER, random_key

_EMAIL = re.compile(r"[^@\s\x00-\x1f]{1,64}@[^@\s\x00-\x1f.]+(\.[^@\s\x00-\x1f.]+)+")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NOT_IN_USERNAME = re.compile(r"[^A-Za-z0-9_]")
COLORS = (0x5865F2, 0x57F287, 0xFEE75C, 0xEB459E, 0xED4245, 0x3BA55D, 0xFAA61A, 0x9B59B6)
DISCRIMINATORS = 9999


def is_email(text: str) -> bool:
    return len(text) <= 254 and _EMAIL.fullmatch(text) is not None


def folded(text: str) -> str:
    """How usernames and addresses are compared."""
    return text.casefold()


def username_from(text: str) -> str:
    """A username made of a name or the front of an address; never empty."""
    return _NOT_IN_USERNAME.sub("", text.partition("@")[0])[:32] or f"user_{random_key(6, LOWER)}"


def free_discriminator(taken: Collection[int]) -> int | None:
    """A random one of those left; None when all 9999 are taken."""
    if len(taken) < DISCRIMINATORS // 2:
        while (number := int(random_key(4, "0123456789"))) == 0 or number in taken:
            continue
        return number
    left = [number for number in range(1, DISCRIMINATORS + 1) if number not in taken]
    return left[int(random_key(9, "0123456789")) % len(left)] if left else None


def birthday(text: str) -> date | None:
    """None when it is not `YYYY-MM-DD`."""
    try:
        return date.fromisoformat(text) if _DATE.fullmatch(text) else None
    except ValueError:
        return None


def age(born: date, now_ms: int) -> int:
    today = datetime.fromtimestamp(now_ms / 1000, UTC).date()
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def is_adult(date_of_birth: str | None, now_ms: int) -> bool:
    born = birthday(date_of_birth or "")
    return born is not None and age(born, now_ms) >= 18


def shown_color(user_id: int) -> int:
    return COLORS[(user_id >> 22) % len(COLORS)]
