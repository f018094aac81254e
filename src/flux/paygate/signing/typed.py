"""EIP-712: hashing typed data, for version 2 of the call message and for EIP-3009 transfer authorisations."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from flux.paygate.signing.keccak import keccak256

TRANSFER_TYPE = "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
TRANSFER_TYPEHASH = keccak256(TRANSFER_TYPE.encode())


def word(number: int) -> bytes:
    """A uint256. Raises OverflowError beyond 256 bits."""
    return number.to_bytes(32, "big")


def address_word(address: str) -> bytes:
    return bytes(12) + bytes.fromhex(address[2:])


@lru_cache(maxsize=256)
def domain_separator(name: str, version: str, chain_id: int, contract: str | None) -> bytes:
    """Without a contract the domain has no `verifyingContract` member at all."""
    kind = "EIP712Domain(string name,string version,uint256 chainId" + (
        ",address verifyingContract)" if contract else ")"
    )
    parts = [keccak256(kind.encode()), keccak256(name.encode()), keccak256(version.encode()), word(chain_id)]
    if contract:
        parts.append(address_word(contract))
    return keccak256(b"".join(parts))


def typed_digest(separator: bytes, struct_hash: bytes) -> bytes:
    return keccak256(b"\x19\x01" + separator + struct_hash)


@dataclass(frozen=True, slots=True)
class Authorization:
    """An EIP-3009 transfer: addresses in lower case, amounts in base units, times in Unix seconds."""

    sender: str
    to: str
    value: int
    valid_after: int
    valid_before: int
    nonce: bytes

    def struct_hash(self) -> bytes:
        return keccak256(
            TRANSFER_TYPEHASH
            + address_word(self.sender)
            + address_word(self.to)
            + word(self.value)
            + word(self.valid_after)
            + word(self.valid_before)
            + self.nonce
        )

    def digest(self, name: str, version: str, chain_id: int, token: str) -> bytes:
        return typed_digest(domain_separator(name, version, chain_id, token), self.struct_hash())
