"""JSON Web Tokens, HS256 only. Pure: the secret and the time come from outside."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Any, Literal

import msgspec
from msgspec import Struct

Kind = Literal["access", "refresh"]
_HEADER = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').rstrip(b"=")
LONGEST_TOKEN = 2048


class Claims(Struct, frozen=True):
    """`sub` is the user's key; `iat` and `exp` are Unix seconds."""

    sub: str
    typ: Kind
    iat: int
    exp: int
    jti: str


_decoder = msgspec.json.Decoder(Claims)


def sign(claims: Claims, secret: bytes) -> str:
    payload = base64.urlsafe_b64encode(msgspec.json.encode(claims)).rstrip(b"=")
    signed = _HEADER + b"." + payload
    return (signed + b"." + _signature(signed, secret)).decode("ascii")


def read(token: str, kind: Kind, secret: bytes, now_s: float) -> Claims | None:
    """None for anything but a token of ours, of that kind, that has not expired."""
    if len(token) > LONGEST_TOKEN or not token.isascii():
        return None
    signed, dot, signature = token.encode("ascii").rpartition(b".")
    if not dot or not hmac.compare_digest(_signature(signed, secret), signature):
        return None
    head, _, payload = signed.partition(b".")
    if head != _HEADER:
        return None
    try:
        claims = _decoder.decode(base64.urlsafe_b64decode(payload + b"=" * (-len(payload) % 4)))
    except (binascii.Error, msgspec.DecodeError):
        return None
    return claims if claims.typ == kind and claims.exp > now_s else None


def _signature(signed: bytes, secret: bytes) -> bytes:
    digest = hmac.new(secret, signed, hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=")


def full_name(first: str, last: str) -> str:
    return f"{first} {last}".strip()


def user_view(key: str, email: str, first: str, last: str) -> dict[str, Any]:
    return {
        "key": key,
        "email": email,
        "first_name": first,
        "last_name": last,
        "full_name": full_name(first, last),
    }
