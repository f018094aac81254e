"""Secrets that must be readable again (a TOTP seed, an upstream's key) are encrypted at rest.

One 32-byte instance secret, kept in `secret.key` of the data directory (mode 0600) or given as
`FLUX_SERVER__SECRET`, derives a key for each purpose.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class VaultError(Exception):
    """Sealed with another secret, or tampered with."""


class Vault:
    """AES-256-GCM under a key derived for `purpose`; the purpose is also bound to each sealed value."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < 32:
            raise ValueError("the instance secret has at least 32 bytes")
        self._secret = secret

    def key(self, purpose: str) -> bytes:
        """32 bytes for one purpose: signing tokens, say."""
        return HKDF(SHA256(), 32, salt=None, info=purpose.encode()).derive(self._secret)

    def seal(self, purpose: str, plain: bytes) -> bytes:
        nonce = secrets.token_bytes(12)
        return nonce + AESGCM(self.key(purpose)).encrypt(nonce, plain, purpose.encode())

    def open(self, purpose: str, sealed: bytes) -> bytes:
        """Raises `VaultError`."""
        try:
            return AESGCM(self.key(purpose)).decrypt(sealed[:12], sealed[12:], purpose.encode())
        except (InvalidTag, ValueError):
            raise VaultError(purpose) from None


def instance_secret(data_dir: Path, configured: str) -> bytes:
    """The configured one (hex, or any text of 32 bytes and more), else the file's, made on first use."""
    if configured:
        try:
            return bytes.fromhex(configured)
        except ValueError:
            return configured.encode()
    path = data_dir / "secret.key"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return bytes.fromhex(path.read_text().strip())
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(32) + "\n")
        file.flush()
        os.fsync(file.fileno())
    return bytes.fromhex(path.read_text().strip())
