"""Access and refresh tokens, alone: only ours, only of their kind, only for their time."""

from __future__ import annotations

import base64
import hashlib
import hmac

import msgspec
import pytest

from flux.content.accounts.rules import LONGEST_TOKEN, Claims, read, sign

SECRET = b"s" * 32
CLAIMS = Claims("user", "access", 1_000, 2_000, "jti")
GOOD = sign(CLAIMS, SECRET)


def made(header: bytes, secret: bytes = SECRET, payload: bytes | None = None) -> str:
    """As `sign`, of any header and payload."""
    signed = b".".join(
        base64.urlsafe_b64encode(part).rstrip(b"=")
        for part in (header, payload or msgspec.json.encode(CLAIMS))
    )
    mark = base64.urlsafe_b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).rstrip(b"=")
    return (signed + b"." + mark).decode()


def test_a_token_of_ours_is_read_until_it_is_over() -> None:
    assert read(GOOD, "access", SECRET, 1_999.9) == CLAIMS
    assert read(GOOD, "access", SECRET, 2_000) is None
    assert read(GOOD, "refresh", SECRET, 1_500) is None
    assert made(b'{"alg":"HS256","typ":"JWT"}') == GOOD


@pytest.mark.parametrize(
    "token",
    [
        "",
        "x",
        GOOD[:-1],
        GOOD + "x",
        GOOD.replace(".", "", 1),
        GOOD + " " * LONGEST_TOKEN,
        "ü" + GOOD,
        made(b'{"alg":"none","typ":"JWT"}'),
        made(b'{"typ":"JWT","alg":"HS256"}'),
        made(b'{"alg":"HS256","typ":"JWT"}', b"other" * 8),
        made(b'{"alg":"HS256","typ":"JWT"}', payload=b"{}"),
        made(b'{"alg":"HS256","typ":"JWT"}', payload=b"not JSON"),
    ],
)
def test_anything_else_is_nobodys(token: str) -> None:
    assert read(token, "access", SECRET, 1_500) is None
