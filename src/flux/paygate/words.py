"""The words routes use towards the gate, and who a caller turns out to be."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Auth(Enum):
    OPEN = "open"
    """Anyone; a session is noticed when there is one."""
    SESSION = "session"
    ADMIN = "admin"
    PAYMENT = "payment"
    """The paid call: identity is the wallet that paid."""
    FACILITATOR = "facilitator"
    """The operator's token, or loopback where the settings allow it."""
    PROBE = "probe"
    """Health: outside windows, bans and maintenance."""


API = "/api/v2"
"""Below the mount, in front of every route."""

OPEN, SESSION, ADMIN, PAYMENT = Auth.OPEN, Auth.SESSION, Auth.ADMIN, Auth.PAYMENT
FACILITATOR, PROBE = Auth.FACILITATOR, Auth.PROBE


@dataclass(frozen=True, slots=True)
class Wallet:
    """A logged-in wallet; `address` in lower case, `token_hash` of its session."""

    address: str
    token_hash: bytes
    expires_at: int
    """Unix ms."""
