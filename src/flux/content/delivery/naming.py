"""Names of answers: a strong ETag from the bytes themselves.

SHA-256 over a page costs as much as reading its request. A polynomial over the bytes, as GCM has it, costs a fifth. Two texts have
the same one with a likelihood of less than 2^-100, as long as nobody knows its secret; so what is shown is a keyed hash of it, which
says nothing but whether two texts are the same. The secret is the instance's: its processes give the same names.
"""

from __future__ import annotations

from hashlib import blake2b

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from flux.kernel.identity import Vault

_NONCE = bytes(12)


class Names:
    def __init__(self, vault: Vault) -> None:
        secret = vault.key("content-etags")
        self._cipher = AESGCM(secret)
        self._outer = blake2b(key=secret, digest_size=16)

    def of(self, body: bytes) -> str:
        """An ETag, with its quotes."""
        shown = self._outer.copy()
        shown.update(self._cipher.encrypt(_NONCE, b"", body))
        return f'"{shown.hexdigest()}"'
