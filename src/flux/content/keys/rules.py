"""Key pairs, credentials and signatures. Pure: randomness comes in through `generate`, time through arguments.

The string that a Secure signature covers is `path|sha256 of the body in hex|timestamp`, signed with ECDSA over P-256
and SHA-256, DER then base64. Older clients sign the path with its query.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from datetime import datetime
from functools import lru_cache
from typing import Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
)
from msgspec import Struct

BEARER_PREFIX = "fxk_"
SHOWN_PREFIX = 12
LONGEST_CREDENTIAL = 4096
_TIMESTAMP = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z\Z", re.ASCII)
_SIGNATURE = ec.ECDSA(hashes.SHA256())


class Credentials(Struct, frozen=True):
    """What an Authorization header says. `bearer` has its token in `secret`."""

    scheme: Literal["simple", "secure", "bearer"]
    public_key: str
    secret: str


def read_credentials(header: str) -> Credentials | None:
    """None for what is not one of the three schemes."""
    scheme, _, rest = header.partition(" ")
    rest = rest.strip()
    scheme = scheme.lower()
    if not rest or len(rest) > LONGEST_CREDENTIAL:
        return None
    if scheme == "bearer":
        return Credentials("bearer", "", rest)
    public_key, colon, secret = rest.partition(":")
    if not colon or not public_key or not secret:
        return None
    if scheme == "simple":
        return Credentials("simple", public_key, secret)
    return Credentials("secure", public_key, secret) if scheme == "secure" else None


def generate() -> tuple[str, bytes]:
    """A secret key (base64 of SEC1 DER) and the DER of its public half."""
    private = ec.generate_private_key(ec.SECP256R1())
    secret = private.private_bytes(Encoding.DER, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    public = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(secret).decode("ascii"), public


def hint(secret: str) -> str:
    """What reads show of a secret."""
    return "********" + secret[-4:]


def timestamp_s(text: str | None) -> float | None:
    """Unix seconds of a `Date` header in the form that is signed; None for any other form."""
    if text is None or not _TIMESTAMP.match(text):
        return None
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None


def is_signed(
    verifying_key: bytes, signature: str, paths: tuple[str, ...], body: bytes, timestamp: str
) -> bool:
    """True when the signature covers one of the paths, the body and the timestamp."""
    try:
        raw = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return False
    digest = hashlib.sha256(body).hexdigest()
    public = _public_key(verifying_key)
    for path in dict.fromkeys(paths):
        try:
            public.verify(raw, f"{path}|{digest}|{timestamp}".encode(), _SIGNATURE)
            return True
        except InvalidSignature:
            continue
    return False


@lru_cache(maxsize=4096)
def _public_key(der: bytes) -> ec.EllipticCurvePublicKey:
    loaded = load_der_public_key(der)
    assert isinstance(loaded, ec.EllipticCurvePublicKey)
    return loaded
