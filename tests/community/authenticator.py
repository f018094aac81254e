"""An authenticator in software: it makes keys and signs as WebAuthn says, and lies when asked to."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

ES256, EDDSA, RS256 = -7, -8, -257
PRESENT, VERIFIED, ATTESTED = 1, 4, 64
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
"""One for the whole run: making them is slow."""


def encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Authenticator:
    """One passkey. `origin` and `rp_id` are what the browser would say."""

    origin: str
    rp_id: str = "localhost"
    algorithm: int = ES256
    flags: int = PRESENT | VERIFIED
    counts: bool = True
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    sign_count: int = 0
    user_handle: str | None = None

    def __post_init__(self) -> None:
        self.key: Any
        if self.algorithm == ES256:
            self.key = ec.generate_private_key(ec.SECP256R1())
        elif self.algorithm == EDDSA:
            self.key = ed25519.Ed25519PrivateKey.generate()
        else:
            self.key = RSA_KEY

    @property
    def id(self) -> str:
        return encode(self.credential_id)

    def register(self, options: dict[str, Any], **lies: Any) -> dict[str, Any]:
        """`RegistrationResponseJSON` with attestation `none`."""
        assert self.algorithm in [each["alg"] for each in options["pubKeyCredParams"]]
        assert self.id not in [each["id"] for each in options.get("excludeCredentials", [])]
        self.user_handle = options["user"]["id"]
        public = cbor2.dumps(self._cose())
        credential = bytes(16) + len(self.credential_id).to_bytes(2, "big") + self.credential_id + public
        data = self._data(self.flags | ATTESTED) + credential
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client("webauthn.create", lies.get("challenge", options["challenge"]))
        response = {
            "clientDataJSON": encode(client),
            "attestationObject": encode(lies.get("attestation", attestation)),
            "transports": ["internal"],
        }
        return self._answer(response)

    def sign(self, options: dict[str, Any], **lies: Any) -> dict[str, Any]:
        """`AuthenticationResponseJSON`."""
        if self.counts:
            self.sign_count += 1
        data = self._data(lies.get("flags", self.flags))
        client = self._client(lies.get("kind", "webauthn.get"), lies.get("challenge", options["challenge"]))
        signed = self._signature(data + hashlib.sha256(client).digest())
        response: dict[str, Any] = {
            "clientDataJSON": encode(client),
            "authenticatorData": encode(data),
            "signature": encode(lies.get("signature", signed)),
        }
        if handle := lies.get("user_handle", self.user_handle):
            response["userHandle"] = handle
        return self._answer(response) | {"type": lies.get("credential_type", "public-key")}

    def _answer(self, response: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": self.id,
            "rawId": self.id,
            "type": "public-key",
            "response": response,
            "clientExtensionResults": {},
            "authenticatorAttachment": "platform",
        }

    def _client(self, kind: str, challenge: str) -> bytes:
        told = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(told).encode()

    def _data(self, flags: int) -> bytes:
        hashed = hashlib.sha256(self.rp_id.encode()).digest()
        return hashed + bytes([flags]) + self.sign_count.to_bytes(4, "big")

    def _cose(self) -> dict[int, Any]:
        public = self.key.public_key()
        if self.algorithm == ES256:
            point = public.public_numbers()
            return {1: 2, 3: ES256, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}
        if self.algorithm == EDDSA:
            return {1: 1, 3: EDDSA, -1: 6, -2: public.public_bytes_raw()}
        numbers = public.public_numbers()
        return {1: 3, 3: self.algorithm, -1: numbers.n.to_bytes(256, "big"), -2: numbers.e.to_bytes(3, "big")}

    def _signature(self, text: bytes) -> bytes:
        if self.algorithm == ES256:
            return bytes(self.key.sign(text, ec.ECDSA(hashes.SHA256())))
        if self.algorithm == EDDSA:
            return bytes(self.key.sign(text))
        return bytes(self.key.sign(text, padding.PKCS1v15(), hashes.SHA256()))
