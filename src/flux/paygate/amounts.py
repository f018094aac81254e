"""Money. Prices travel as decimal strings of whole units and are counted as integers of base units, never as floats."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Literal

import msgspec

MAX_DECIMALS = 18
_HUMAN = re.compile(r"(-?)(0|[1-9][0-9]{0,17})(?:\.([0-9]{1,18}))?\Z")


class NotAnAmount(ValueError):
    """Not an amount at all."""


class BadPrice(ValueError):
    """An amount, and not one that can be a price."""

    def __init__(self, reason: Literal["not_positive", "too_many_decimals", "too_large"]) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Amount:
    """`digits` × 10^-`scale`, without trailing zeros behind the point: 0.0010 is Amount(1, 3)."""

    digits: int
    scale: int

    def __str__(self) -> str:
        """`0.001`: no exponent, no trailing zeros."""
        sign = "-" if self.digits < 0 else ""
        text = str(abs(self.digits)).rjust(self.scale + 1, "0")
        return sign + (f"{text[: -self.scale]}.{text[-self.scale :]}" if self.scale else text)

    def base_units(self, decimals: int) -> int:
        """Exactly. Raises `BadPrice` when the currency has fewer decimals."""
        if self.scale > decimals:
            raise BadPrice("too_many_decimals")
        number: int = self.digits * 10 ** (decimals - self.scale)
        return number


def parse_amount(text: str) -> Amount:
    """The human form, optionally negative. Raises `NotAnAmount`."""
    match = _HUMAN.match(text)
    if match is None:
        raise NotAnAmount("a decimal string such as 0.001")
    sign, whole, fraction = match.groups()
    return _amount(int(sign + whole + (fraction or "")), len(fraction or ""))


def parse_json_amount(raw: bytes) -> Amount:
    """A JSON string in the human form, or a JSON number taken digit by digit. Raises `NotAnAmount`."""
    if raw[:1] == b'"':
        return parse_amount(msgspec.json.decode(raw, type=str))
    if raw[:1] not in b"-0123456789" or len(raw) > 64:
        raise NotAnAmount("a decimal string such as 0.001")
    try:
        exponent = Decimal(raw.decode("ascii")).as_tuple().exponent
        if not isinstance(exponent, int) or not -MAX_DECIMALS <= exponent <= MAX_DECIMALS:
            raise NotAnAmount("a decimal string such as 0.001")
        return parse_amount(f"{Decimal(raw.decode('ascii')):f}")
    except (InvalidOperation, UnicodeDecodeError):
        raise NotAnAmount("a decimal string such as 0.001") from None


def from_base_units(number: int, decimals: int) -> Amount:
    return _amount(number, decimals)


def price_units(amount: Amount, decimals: int, ceiling: int) -> int:
    """The price in base units, at least 1. `ceiling` in whole units. Raises `BadPrice`."""
    if amount.digits <= 0:
        raise BadPrice("not_positive")
    if amount.digits > ceiling * 10**amount.scale:
        raise BadPrice("too_large")
    return amount.base_units(decimals)


def _amount(digits: int, scale: int) -> Amount:
    while scale and digits % 10 == 0:
        digits //= 10
        scale -= 1
    return Amount(digits, scale)
