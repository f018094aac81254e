"""ALTCHA: find the number whose hash with the salt is the challenge. No I/O.

A challenge is `{algorithm, challenge, maxnumber, salt, signature}`; a solution is base64 of the JSON
`{algorithm, challenge, number, salt, signature}`, as the ALTCHA widget makes it. The salt carries the expiry.
"""

from __future__ import annotations

import base64
import hmac
from hashlib import sha256
from typing import Annotated
from urllib.parse import parse_qs

import msgspec
from msgspec import Meta, Struct

from flux.kernel.identity import same

ALGORITHM = "SHA-256"
LONGEST = 2_000
Hex = Annotated[str, Meta(min_length=64, max_length=64)]


class Challenge(Struct, frozen=True):
    algorithm: str
    challenge: str
    maxnumber: int
    salt: str
    signature: str


class Solution(Struct, frozen=True):
    algorithm: str
    challenge: Hex
    number: Annotated[int, Meta(ge=0, le=1 << 53)]
    salt: Annotated[str, Meta(max_length=200)]
    signature: Hex


_solutions = msgspec.json.Decoder(Solution)


def make(key: bytes, random: str, number: int, most: int, expires_at: int) -> Challenge:
    """`random` and `number` (at most `most`) are secret chance; `expires_at` is in Unix seconds."""
    # What follows is the number: without an end of its own the expiry could be read longer, and the number shorter.
    salt = f"{random}?expires={expires_at}&"
    challenge = _hash(salt, number)
    return Challenge(ALGORITHM, challenge, most, salt, _sign(key, challenge))


def read(token: str) -> Solution | None:
    """None for what is no solution at all."""
    if len(token) > LONGEST:
        return None
    try:
        return _solutions.decode(base64.b64decode(token, validate=True))
    except (ValueError, msgspec.DecodeError):
        return None


def holds(key: bytes, solution: Solution, now: float) -> bool:
    """Whether it solves a challenge that was signed with the key and has not expired."""
    signed = same(_sign(key, solution.challenge), solution.signature)
    solved = same(_hash(solution.salt, solution.number), solution.challenge)
    return signed and solved and solution.algorithm == ALGORITHM and expiry(solution) > now


def expiry(solution: Solution) -> int:
    """Unix seconds; 0 when the salt names none."""
    named = parse_qs(solution.salt.partition("?")[2], max_num_fields=8).get("expires", ["0"])[-1]
    return int(named) if named.isascii() and named.isdigit() and len(named) < 16 else 0


def _hash(salt: str, number: int) -> str:
    return sha256(f"{salt}{number}".encode("utf-8", "surrogatepass")).hexdigest()


def _sign(key: bytes, challenge: str) -> str:
    return hmac.new(key, challenge.encode("utf-8", "surrogatepass"), sha256).hexdigest()
