from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux.paygate.amounts import (
    Amount,
    BadPrice,
    NotAnAmount,
    from_base_units,
    parse_amount,
    parse_json_amount,
    price_units,
)

CEILING = 10**9


@pytest.mark.parametrize(
    ("text", "shown", "decimals", "units"),
    [
        ("0.001", "0.001", 18, 10**15),
        ("0.01", "0.01", 6, 10_000),
        ("1", "1", 18, 10**18),
        ("0.0010", "0.001", 18, 10**15),
        ("999999999.999999999999999999", "999999999.999999999999999999", 18, 10**27 - 1),
        ("0.0100000", "0.01", 6, 10_000),
    ],
)
def test_amounts_are_exact(text: str, shown: str, decimals: int, units: int) -> None:
    amount = parse_amount(text)
    assert str(amount) == shown
    assert price_units(amount, decimals, CEILING) == units


@pytest.mark.parametrize(
    "text",
    [
        "",
        "abc",
        "1e3",
        ".5",
        "5.",
        "01",
        "1_000",
        "1,5",
        " 1",
        "1 ",
        "0x1",
        "NaN",
        "٣",
        "1.2.3",
        "1\n",
        "0." + "0" * 19,
        "+1",
    ],
)
def test_what_is_no_amount(text: str) -> None:
    with pytest.raises(NotAnAmount):
        parse_amount(text)


@pytest.mark.parametrize(
    ("text", "decimals", "reason"),
    [
        ("0", 18, "not_positive"),
        ("0.000", 18, "not_positive"),
        ("-1", 18, "not_positive"),
        ("-0", 18, "not_positive"),
        ("0.0000001", 6, "too_many_decimals"),
        ("1000000000.1", 18, "too_large"),
        ("1000000001", 6, "too_large"),
    ],
)
def test_what_is_no_price(text: str, decimals: int, reason: str) -> None:
    with pytest.raises(BadPrice) as refused:
        price_units(parse_amount(text), decimals, CEILING)
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("raw", "shown"),
    [(b'"0.001"', "0.001"), (b"0.001", "0.001"), (b"0", "0"), (b"-1", "-1"), (b"1e-3", "0.001"), (b"1E2", "100"),
     (b"0.123456789012345678", "0.123456789012345678"), (b"2.50", "2.5")],
)  # fmt: skip
def test_json_numbers_are_taken_digit_by_digit(raw: bytes, shown: str) -> None:
    assert str(parse_json_amount(raw)) == shown


@pytest.mark.parametrize(
    "raw",
    [
        b"true",
        b"null",
        b"{}",
        b"[]",
        b'"abc"',
        b"1e400",
        b"1e-400",
        b"0.1234567890123456789",
        b"1" * 5000,
        b'"\\u0661"',
    ],
)
def test_other_json_is_no_amount(raw: bytes) -> None:
    with pytest.raises(NotAnAmount):
        parse_json_amount(raw)


@given(st.integers(min_value=0, max_value=10**36), st.integers(min_value=0, max_value=18))
def test_base_units_come_back(units: int, decimals: int) -> None:
    amount = from_base_units(units, decimals)
    assert amount.base_units(decimals) == units
    if len(str(amount).partition(".")[0]) <= 18:
        assert parse_amount(str(amount)) == amount


def test_an_amount_shows_itself() -> None:
    assert str(Amount(-15, 1)) == "-1.5"
    assert str(Amount(5, 18)) == "0.000000000000000005"
