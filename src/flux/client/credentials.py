"""Who asks: one small `httpx.Auth` a header form. Any other `httpx.Auth` does as well."""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable, Generator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey


class _Fixed(httpx.Auth):
    """An `Authorization` header that is the same for every request. Its value is not shown in a repr."""

    _form = "{}"

    def __init__(self, token: str) -> None:
        if not token or token != token.strip() or not token.isprintable() or not token.isascii():
            raise ValueError(f"{type(self).__name__}: not a token")
        self._value = self._form.format(token)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        request.headers["Authorization"] = self._value
        yield request


class Session(_Fixed):
    """Community: a user's session token (`flx_…`)."""


class Bot(_Fixed):
    """Community: a bot's token (`<application id>.<secret>`)."""

    _form = "Bot {}"


class Bearer(_Fixed):
    """Community OAuth2 token, content JWT or Flux bearer key, paygate session token."""

    _form = "Bearer {}"


class Admin(_Fixed):
    """Community: an admin API key, for `/admin/*`."""

    _form = "Admin {}"


class SimpleKey(_Fixed):
    """Content: `Simple <public>:<secret>`."""

    _form = "Simple {}"

    def __init__(self, public_key: str, secret_key: str) -> None:
        super().__init__(f"{public_key}:{secret_key}")


class SecureKey(httpx.Auth):
    """Content: every request signed with ECDSA P-256 over path, body hash and time; the secret never travels.

    `secret_key` is the base64 of a DER private key as the server issued it. Each attempt is signed anew.
    """

    requires_request_body = True

    def __init__(
        self, public_key: str, secret_key: str, *, wall_clock: Callable[[], float] = time.time
    ) -> None:
        self._public_key = public_key
        self._key = _load_p256(secret_key)
        self._wall_clock = wall_clock

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        moment = datetime.fromtimestamp(self._wall_clock(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        text = string_to_sign(
            request.url.raw_path.partition(b"?")[0].decode("ascii"), request.content, moment
        )
        request.headers["Date"] = moment
        request.headers["Authorization"] = f"Secure {self._public_key}:{self._sign(text)}"
        yield request

    def _sign(self, text: str) -> str:
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
        from cryptography.hazmat.primitives.hashes import SHA256

        return base64.b64encode(self._key.sign(text.encode(), ECDSA(SHA256()))).decode("ascii")


def string_to_sign(path: str, body: bytes, moment: str) -> str:
    """`<path as sent, no query>|<sha256 of the body in hex>|<the Date header>`."""
    return f"{path or '/'}|{hashlib.sha256(body).hexdigest()}|{moment}"


def _load_p256(secret_key: str) -> EllipticCurvePrivateKey:
    try:
        from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
        from cryptography.hazmat.primitives.serialization import load_der_private_key
    except ImportError:
        raise ImportError("SecureKey needs the package 'cryptography'") from None
    try:
        key = load_der_private_key(base64.b64decode(secret_key, validate=True), password=None)
    except (ValueError, TypeError):
        raise ValueError("SecureKey: secret_key is not the base64 of a DER private key") from None
    if not isinstance(key, EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise ValueError("SecureKey: the key is not on the curve P-256")
    return key
