"""JSON-RPC results as typed facts. Strict: a node that answers nonsense is a broken node, not a missing payment."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}\Z")
_HASH = re.compile(r"0x[0-9a-fA-F]{64}\Z")
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}\Z")
_DATA = re.compile(r"0x(?:[0-9a-fA-F]{2})*\Z")


class Undecodable(ValueError):
    """The node's answer does not have the shape it must have."""


@dataclass(frozen=True, slots=True)
class Log:
    """Addresses and topics in lower case; `data` as bytes."""

    address: str
    topics: tuple[str, ...]
    data: bytes
    removed: bool


@dataclass(frozen=True, slots=True)
class Transaction:
    """`block_number` is None while pending. `chain_id` is None where the node does not say."""

    hash: str
    sender: str
    to: str | None
    value: int
    chain_id: int | None
    block_number: int | None


@dataclass(frozen=True, slots=True)
class Receipt:
    """`status` is None in receipts from before 2017."""

    tx_hash: str
    status: int | None
    block_number: int
    block_hash: str
    logs: tuple[Log, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """`timestamp` in Unix seconds."""

    number: int
    hash: str
    timestamp: int


def quantity(value: Any) -> int:
    if not isinstance(value, str) or not _QUANTITY.match(value):
        raise Undecodable("quantity")
    return int(value, 16)


def optional_quantity(value: Any) -> int | None:
    return None if value is None else quantity(value)


def hash_of(value: Any) -> str:
    return _text(value, _HASH, "hash")


def address_of(value: Any) -> str:
    return _text(value, _ADDRESS, "address")


def data_of(value: Any) -> bytes:
    return bytes.fromhex(_text(value, _DATA, "data")[2:])


def transaction(value: Any) -> Transaction | None:
    if value is None:
        return None
    fields = _object(value)
    return Transaction(
        hash=hash_of(fields.get("hash")),
        sender=address_of(fields.get("from")),
        to=None if fields.get("to") is None else address_of(fields["to"]),
        value=quantity(fields.get("value")),
        chain_id=optional_quantity(fields.get("chainId")),
        block_number=optional_quantity(fields.get("blockNumber")),
    )


def receipt(value: Any) -> Receipt | None:
    if value is None:
        return None
    fields = _object(value)
    logs = fields.get("logs")
    if not isinstance(logs, list):
        raise Undecodable("logs")
    return Receipt(
        tx_hash=hash_of(fields.get("transactionHash")),
        status=optional_quantity(fields.get("status")),
        block_number=quantity(fields.get("blockNumber")),
        block_hash=hash_of(fields.get("blockHash")),
        logs=tuple(_log(entry) for entry in logs),
    )


def block(value: Any) -> Block | None:
    if value is None:
        return None
    fields = _object(value)
    return Block(
        quantity(fields.get("number")), hash_of(fields.get("hash")), quantity(fields.get("timestamp"))
    )


def _log(value: Any) -> Log:
    fields = _object(value)
    topics = fields.get("topics")
    if not isinstance(topics, list):
        raise Undecodable("topics")
    return Log(
        address=address_of(fields.get("address")),
        topics=tuple(hash_of(topic) for topic in topics),
        data=data_of(fields.get("data")),
        removed=fields.get("removed") is True,
    )


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Undecodable("object")
    return value


def _text(value: Any, pattern: re.Pattern[str], what: str) -> str:
    if not isinstance(value, str) or not pattern.match(value):
        raise Undecodable(what)
    return value.lower()
