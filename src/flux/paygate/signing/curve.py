"""secp256k1 through libsecp256k1: a recovery takes tens of microseconds, which the timestamp search needs."""

from __future__ import annotations

import re
import threading
from functools import lru_cache
from typing import Any, Literal

from coincurve import PrivateKey, PublicKey
from coincurve._libsecp256k1 import ffi, lib
from coincurve.context import GLOBAL_CONTEXT

from flux.paygate.signing.keccak import keccak256

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_HALF = ORDER // 2
_UNCOMPRESSED = 2  # SECP256K1_EC_UNCOMPRESSED
_SIGNATURE = re.compile(r"0x[0-9a-fA-F]{130}\Z")


class BadSignature(ValueError):
    """Not a signature at all (`malformed`), or one that no wallet makes (`high_s`)."""

    def __init__(self, reason: Literal["malformed", "high_s"]) -> None:
        super().__init__(reason)
        self.reason = reason


class Unrecoverable(ValueError):
    """Well-formed, and no public key fits."""


def parse_signature(text: str) -> bytes:
    """`0x` and 65 bytes of hex → r ‖ s ‖ recovery id (0 or 1). Raises `BadSignature`."""
    if not _SIGNATURE.match(text):
        raise BadSignature("malformed")
    raw = bytes.fromhex(text[2:])
    recovery = {0: 0, 1: 1, 27: 0, 28: 1}.get(raw[64])
    if recovery is None:
        raise BadSignature("malformed")
    if int.from_bytes(raw[32:64], "big") > _HALF:
        raise BadSignature("high_s")
    return raw[:64] + bytes([recovery])


class _Room(threading.local):
    """What a recovery writes into, one for each thread."""

    def __init__(self) -> None:
        self.found: Any = ffi.new("secp256k1_ecdsa_recoverable_signature *")
        self.key: Any = ffi.new("secp256k1_pubkey *")
        self.out: Any = ffi.new("unsigned char[65]")
        self.size: Any = ffi.new("size_t *")


_room = _Room()


def recover(signature: bytes, digest: bytes) -> str:
    """The lower-case address that signed `digest`. Raises `Unrecoverable`."""
    # libsecp256k1 as coincurve binds it, without coincurve's objects on the way.
    found, key, out, size = _room.found, _room.key, _room.out, _room.size
    context = GLOBAL_CONTEXT.ctx
    if len(digest) != 32 or not (
        lib.secp256k1_ecdsa_recoverable_signature_parse_compact(context, found, signature[:64], signature[64])
        and lib.secp256k1_ecdsa_recover(context, key, found, digest)
    ):
        raise Unrecoverable("no key fits the signature")
    size[0] = 65
    lib.secp256k1_ec_pubkey_serialize(context, out, size, key, _UNCOMPRESSED)
    return _address_of(bytes(ffi.buffer(out))[1:])


def sign(digest: bytes, private_key: bytes) -> str:
    """A header-ready signature with v = 27 or 28."""
    raw = PrivateKey(private_key).sign_recoverable(digest, hasher=None)
    return "0x" + raw[:64].hex() + f"{raw[64] + 27:02x}"


def address_of(private_key: bytes) -> str:
    return _address(PrivateKey(private_key).public_key)


def personal_digest(message: bytes) -> bytes:
    """EIP-191 version 0x45, which wallets call personal_sign."""
    return keccak256(b"\x19Ethereum Signed Message:\n%d" % len(message) + message)


def _address(key: PublicKey) -> str:
    return _address_of(key.format(compressed=False)[1:])


@lru_cache(maxsize=10_000)
def _address_of(point: bytes) -> str:
    """Kept, because who calls once calls again."""
    return "0x" + keccak256(point)[-20:].hex()
