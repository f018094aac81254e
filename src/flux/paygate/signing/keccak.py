"""Keccak-256 by pycryptodome's C code, without the objects around it: they cost twice what the hash does."""

from __future__ import annotations

import threading
from typing import Any

from Crypto.Hash import keccak
from Crypto.Util import _raw_api

_raw: Any = _raw_api
_C: Any = keccak._raw_keccak_lib  # type: ignore[attr-defined]
"""Not pycryptodome's documented interface. Its version is locked by hash, and the vectors of the tests would tell."""
_DIGEST, _CAPACITY, _ROUNDS, _PADDING = 32, 64, 24, 0x01


class _Sponge(threading.local):
    """One a thread: the C code lets go of the interpreter's lock while it works."""

    def __init__(self) -> None:
        pointer: Any = _raw.VoidPointer()
        if _C.keccak_init(pointer.address_of(), _CAPACITY, _ROUNDS):
            raise MemoryError("keccak")
        self.state: Any = pointer.get()
        self.out: Any = _raw.create_string_buffer(_DIGEST)
        # Frees the state when the thread ends.
        self.owner: Any = _raw.SmartPointer(self.state, _C.keccak_destroy)


_sponge = _Sponge()


def keccak256(data: bytes) -> bytes:
    """32 bytes."""
    state, out = _sponge.state, _sponge.out
    if (
        _C.keccak_reset(state)
        or _C.keccak_absorb(state, data, len(data))
        or _C.keccak_digest(state, out, _DIGEST, _PADDING)
    ):
        raise ValueError("keccak")
    return bytes(out)
