"""The message a consumer signs for a paid call.

Version 1, of the reference: keccak256(utf8(apiId) ‖ utf8(txHash) ‖ uint256(timestamp)), signed as 32 raw bytes with
personal_sign. The hash goes in as its 66 characters of text, exactly as in the header.
Version 2 (opt-in) is EIP-712 and covers method, target and body too.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from flux.paygate.signing.curve import Unrecoverable, personal_digest, recover
from flux.paygate.signing.keccak import keccak256
from flux.paygate.signing.typed import domain_separator, typed_digest, word

CALL_TYPE = (
    "GatewayCall(string apiId,bytes32 txHash,uint256 timestamp,string method,string target,bytes32 bodyHash)"
)
_CALL_TYPEHASH = keccak256(CALL_TYPE.encode())
MILLISECONDS_FROM = 10**11


def packed(api_id: str, tx_hash: str, timestamp: int) -> bytes:
    return api_id.encode() + tx_hash.encode() + word(timestamp)


def call_digest(api_id: str, tx_hash: str, timestamp: int) -> bytes:
    return personal_digest(keccak256(packed(api_id, tx_hash, timestamp)))


@dataclass(frozen=True, slots=True)
class Signed:
    """What version 2 covers beyond version 1. `target` is path and query below the listing."""

    chain_id: int
    method: str
    target: str
    body: bytes


def typed_call_digest(api_id: str, tx_hash: str, timestamp: int, signed: Signed) -> bytes:
    struct_hash = keccak256(
        _CALL_TYPEHASH
        + keccak256(api_id.encode())
        + bytes.fromhex(tx_hash[2:])
        + word(timestamp)
        + keccak256(signed.method.encode())
        + keccak256(signed.target.encode())
        + keccak256(signed.body)
    )
    return typed_digest(domain_separator("ApiGateway", "2", signed.chain_id, None), struct_hash)


def seconds_of(timestamp: int) -> int:
    """Unix seconds of a signed timestamp: values from 10^11 are milliseconds."""
    return timestamp // 1000 if timestamp >= MILLISECONDS_FROM else timestamp


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old a signature may be, in seconds."""

    max_age: int = 300
    max_skew: int = 60

    def verdict(self, timestamp: int, now: int) -> Literal["fresh", "too_old", "in_future"]:
        age = now - seconds_of(timestamp)
        if age > self.max_age:
            return "too_old"
        return "in_future" if age < -self.max_skew else "fresh"

    def search(self, api_id: str, tx_hash: str, signature: bytes, payers: set[str], now: int) -> int | None:
        """The second that was signed, tried from the future back; None when none gives one of the payers."""
        prefix = api_id.encode() + tx_hash.encode()
        for timestamp in range(now + self.max_skew, now - self.max_age - 1, -1):
            digest = personal_digest(keccak256(prefix + word(timestamp)))
            try:
                if recover(signature, digest) in payers:
                    return timestamp
            except Unrecoverable:
                continue
        return None
