"""How tokens look. All of them are random and stored hashed."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Literal

from flux.community.inputs import identifier
from flux.kernel.identity import new_token, token_hash
from flux.kernel.store import random_key

_SESSION = re.compile(r"flx_[A-Za-z0-9]{36}")
_BOT = re.compile(r"([0-9]{1,19})\.([A-Za-z0-9_-]{43})")
_BEARER = re.compile(r"[A-Za-z0-9._~+/=-]{1,200}")


@dataclass(frozen=True, slots=True)
class Credential:
    """What an `Authorization` header holds. `application_id` only for bots."""

    kind: Literal["session", "bot", "bearer", "admin"]
    secret: str
    application_id: int = 0

    @property
    def hash(self) -> bytes:
        return token_hash(self.secret)


def new_session_token() -> str:
    return "flx_" + random_key(36)


def new_bot_token(application_id: int) -> tuple[str, bytes]:
    """The token as its owner sees it, and what is stored of it."""
    secret = new_token()
    return f"{application_id}.{secret}", token_hash(secret)


def read(header: str | None) -> Credential | None:
    """None for anything that is not one of the known forms: the caller is anonymous."""
    if header is None:
        return None
    scheme, blank, rest = header.partition(" ")
    if not blank:
        return Credential("session", header) if _SESSION.fullmatch(header) else None
    if scheme == "Bot":
        return _bot(rest)
    if scheme == "Bearer" and _BEARER.fullmatch(rest):
        return Credential("bearer", rest)
    if scheme == "Admin" and _BEARER.fullmatch(rest):
        return Credential("admin", rest)
    return None


def read_for_gateway(token: str) -> Credential | None:
    """The realtime gateway takes bot tokens with and without `Bot `."""
    return _bot(token) or read(token)


def _bot(text: str) -> Credential | None:
    found = _BOT.fullmatch(text)
    number = identifier(found[1]) if found else None
    return None if found is None or number is None else Credential("bot", found[2], number)


def id_hash(token_hash: bytes) -> str:
    """How a session is named to its owner."""
    return base64.urlsafe_b64encode(token_hash).rstrip(b"=").decode()


def from_id_hash(text: str) -> bytes | None:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
