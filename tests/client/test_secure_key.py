"""The signed credential of the content plane, against the worked example of the wire contract."""

from __future__ import annotations

import base64
import hashlib
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.client.peer import Caller, Peer, Reply

from flux.client import SecureKey
from flux.client.credentials import string_to_sign

MOMENT = "2023-11-14T22:13:20Z"  # where the fake clock begins


def secret_of(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey, form: PrivateFormat) -> str:
    return base64.b64encode(key.private_bytes(Encoding.DER, form, NoEncryption())).decode()


def test_the_worked_example() -> None:
    text = string_to_sign("/blog/articles/_search", b'{"limit":1}', "2026-01-02T03:04:05Z")
    digest = "fcf9481f228ec9b580be451ce9e7f773573957704437942066d34e75ff1671ec"
    assert hashlib.sha256(text.encode()).hexdigest() == digest


@pytest.mark.parametrize("form", [PrivateFormat.TraditionalOpenSSL, PrivateFormat.PKCS8])
def test_every_attempt_is_signed_over_what_was_sent(ask: Caller, peer: Peer, form: PrivateFormat) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    credential = SecureKey("pub", secret_of(key, form), wall_clock=lambda: ask.time.now)
    unavailable = {"message": "m", "error_code": "service_unavailable", "detail": None}
    peer.script(Reply(503, unavailable, {"Retry-After": "60"}))
    ask(
        lambda flux: flux.content.request("POST", "/flux/é/_search", json={"limit": 1}, params={"q": 1}),
        content=credential,
    )
    assert [seen.headers["date"] for seen in peer.seen] == [MOMENT, "2023-11-14T22:14:20Z"]
    for seen in peer.seen:
        assert json.loads(seen.body) == {"limit": 1}
        scheme, _, value = seen.headers["authorization"].partition(" ")
        public, _, signature = value.partition(":")
        assert (scheme, public) == ("Secure", "pub")
        path = seen.target.partition("?")[0]
        assert path == "/content/flux/%C3%A9/_search"
        text = f"{path}|{hashlib.sha256(seen.body).hexdigest()}|{seen.headers['date']}"
        key.public_key().verify(base64.b64decode(signature), text.encode(), ec.ECDSA(SHA256()))


def test_another_kind_of_key_is_refused_without_naming_it() -> None:
    pkcs8 = PrivateFormat.PKCS8
    for secret in (
        "not base64!",
        base64.b64encode(b"not a key").decode(),
        secret_of(ec.generate_private_key(ec.SECP384R1()), pkcs8),
        secret_of(rsa.generate_private_key(65537, 2048), pkcs8),
    ):
        with pytest.raises(ValueError, match="SecureKey") as caught:
            SecureKey("pub", secret)
        assert secret not in str(caught.value)
