"""EIP-1559 transactions and the few contract calls of EIP-3009, encoded by hand. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from flux.paygate.facilitator.model import Payload
from flux.paygate.signing.curve import sign
from flux.paygate.signing.keccak import keccak256
from flux.paygate.signing.typed import address_word, word

TRANSFER_VRS = bytes.fromhex("e3ee160e")
TRANSFER_BYTES = bytes.fromhex("cf092995")
AUTHORIZATION_STATE = bytes.fromhex("e94a0102")
BALANCE_OF = bytes.fromhex("70a08231")
Item = bytes | list["Item"]


@dataclass(frozen=True, slots=True)
class Draft:
    """A transaction; without `to` it makes a contract. `value` in wei, fees in wei per gas."""

    chain_id: int
    nonce: int
    max_priority_fee: int
    max_fee: int
    gas: int
    to: str
    data: bytes
    value: int = 0

    def signed(self, private_key: bytes) -> tuple[bytes, str]:
        """The raw transaction and its hash."""
        fields: list[Item] = [
            _integer(self.chain_id),
            _integer(self.nonce),
            _integer(self.max_priority_fee),
            _integer(self.max_fee),
            _integer(self.gas),
            bytes.fromhex(self.to[2:]),
            _integer(self.value),
            self.data,
            [],
        ]
        signature = bytes.fromhex(sign(keccak256(b"\x02" + rlp(fields)), private_key)[2:])
        r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
        raw = b"\x02" + rlp([*fields, _integer(signature[64] - 27), _integer(r), _integer(s)])
        return raw, "0x" + keccak256(raw).hex()


def transfer_call(payload: Payload) -> bytes:
    """The settlement: v, r, s for 65-byte signatures, bytes for those of contract wallets."""
    authorization, signature = payload.authorization, payload.signature
    head = (
        address_word(authorization.sender)
        + address_word(authorization.to)
        + word(authorization.value)
        + word(authorization.valid_after)
        + word(authorization.valid_before)
        + authorization.nonce
    )
    if len(signature) == 65:
        v = signature[64] + 27 if signature[64] < 27 else signature[64]
        return TRANSFER_VRS + head + word(v) + signature[:32] + signature[32:64]
    padded = signature + bytes(-len(signature) % 32)
    return TRANSFER_BYTES + head + word(7 * 32) + word(len(signature)) + padded


def state_call(payload: Payload) -> bytes:
    return AUTHORIZATION_STATE + address_word(payload.payer) + payload.authorization.nonce


def balance_call(address: str) -> bytes:
    return BALANCE_OF + address_word(address)


def rlp(item: Item) -> bytes:
    if isinstance(item, list):
        body = b"".join(rlp(part) for part in item)
        return _length(len(body), 0xC0) + body
    if len(item) == 1 and item[0] < 0x80:
        return item
    return _length(len(item), 0x80) + item


def _length(size: int, offset: int) -> bytes:
    if size < 56:
        return bytes([offset + size])
    digits = _integer(size)
    return bytes([offset + 55 + len(digits)]) + digits


def _integer(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")
