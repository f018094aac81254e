"""Secure signatures by hand, right or wrong in one thing."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_private_key

from tests.content.world import Key


def signature(key: Key, path: str, body: bytes, stamp: str) -> str:
    private = load_der_private_key(base64.b64decode(key.secret), None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    text = f"{path}|{hashlib.sha256(body).hexdigest()}|{stamp}"
    return base64.b64encode(private.sign(text.encode(), ec.ECDSA(hashes.SHA256()))).decode()


def signed_headers(
    key: Key, path: str, body: bytes = b"", *, at: datetime | None = None, dated: bool = True
) -> dict[str, str]:
    """The headers of a request to `path` (as sent, without its query)."""
    stamp = (at or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")
    headers = {"Authorization": f"Secure {key.public}:{signature(key, path, body, stamp)}"}
    return {**headers, "Date": stamp} if dated else headers
