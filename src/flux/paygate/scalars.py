"""Identifiers as they stand in paths, queries, bodies and headers. Each reads itself with `from_wire`."""

from __future__ import annotations

import re

from flux.kernel.store import Clock, time_sortable_key
from flux.paygate.signing.accounts import ZERO, parse_address

_API_ID = re.compile(r"api_[0-9A-Za-z]{1,60}\Z")
_CALL_ID = re.compile(r"call_[0-9A-Za-z]{1,60}\Z")
_TX_HASH = re.compile(r"0x[0-9a-fA-F]{64}\Z")


class _Text(str):
    """Text of a certain form. msgspec encodes subclasses of str only through a hook."""

    __slots__ = ()

    def to_wire(self) -> str:
        return str(self)


class ApiId(_Text):
    """`api_` and 1 to 60 letters or digits; ours are 26 time-sortable ones."""

    __slots__ = ()
    EXPECTED = "api_ followed by 1 to 60 letters or digits"

    @classmethod
    def from_wire(cls, value: object) -> ApiId:
        if not isinstance(value, str) or not _API_ID.match(value):
            raise ValueError(cls.EXPECTED)
        return cls(value)

    @classmethod
    def json_schema(cls) -> dict[str, str]:
        return {"type": "string", "pattern": "^api_[0-9A-Za-z]{1,60}$"}


class CallId(_Text):
    """`call_` and 1 to 60 letters or digits."""

    __slots__ = ()

    @classmethod
    def from_wire(cls, value: object) -> CallId:
        if not isinstance(value, str) or not _CALL_ID.match(value):
            raise ValueError("call_ followed by 1 to 60 letters or digits")
        return cls(value)

    @classmethod
    def json_schema(cls) -> dict[str, str]:
        return {"type": "string", "pattern": "^call_[0-9A-Za-z]{1,60}$"}


class TxHash(_Text):
    """`0x` and 64 hex digits, kept in lower case."""

    __slots__ = ()

    @classmethod
    def from_wire(cls, value: object) -> TxHash:
        if not isinstance(value, str) or not _TX_HASH.match(value):
            raise ValueError("0x and 64 hexadecimal digits")
        return cls(value.lower())

    @classmethod
    def json_schema(cls) -> dict[str, str]:
        return {"type": "string", "pattern": "^0x[0-9a-fA-F]{64}$"}


class Address(_Text):
    """Kept in lower case; mixed case must satisfy EIP-55."""

    __slots__ = ()

    @classmethod
    def from_wire(cls, value: object) -> Address:
        return cls(parse_address(value))

    @classmethod
    def json_schema(cls) -> dict[str, str]:
        return {"type": "string", "pattern": "^0x[0-9a-fA-F]{40}$"}


class Recipient(Address):
    """An address that can receive money: not the zero address."""

    __slots__ = ()

    @classmethod
    def from_wire(cls, value: object) -> Recipient:
        address = parse_address(value)
        if address == ZERO:
            raise ValueError("an address other than the zero address")
        return cls(address)


def new_api_id(clock: Clock) -> str:
    return "api_" + time_sortable_key(clock)


def new_call_id(clock: Clock) -> str:
    return "call_" + time_sortable_key(clock)
