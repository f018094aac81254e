"""Addresses: `0x` and 40 hex digits, kept in lower case inside, shown with their EIP-55 checksum outside."""

from __future__ import annotations

import re
from functools import lru_cache

from flux.paygate.signing.keccak import keccak256

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}\Z")
ZERO = "0x" + "0" * 40


@lru_cache(maxsize=10_000)
def checksummed(address: str) -> str:
    """The EIP-55 form of a valid address."""
    digits = address[2:].lower()
    marks = keccak256(digits.encode("ascii")).hex()
    return "0x" + "".join(
        digit.upper() if int(mark, 16) > 7 else digit for digit, mark in zip(digits, marks, strict=False)
    )


def parse_address(text: object) -> str:
    """Lower case. All-lower and all-upper hex pass; mixed case must satisfy the checksum. Raises ValueError."""
    if not isinstance(text, str) or not _ADDRESS.match(text):
        raise ValueError("0x and 40 hexadecimal digits")
    digits = text[2:]
    if digits not in (digits.lower(), digits.upper()) and text != checksummed(text):
        raise ValueError("an address whose EIP-55 checksum holds")
    return text.lower()
