"""What counts as a DNS server's answer: the one to this question, and of the kind that was asked for."""

from __future__ import annotations

import struct

import pytest

from flux.paygate.outside.resolving import _A, _AAAA, _records

QUESTION = b"\x06target\x07example\x00"
ADDRESS = bytes([93, 184, 216, 34])


def answer(
    number: int = 7,
    flags: int = 0x8180,
    questions: int = 1,
    kind: int = _A,
    of_class: int = 1,
    data: bytes = ADDRESS,
) -> bytes:
    head = struct.pack(">HHHHHH", number, flags, questions, 1, 0, 0)
    asked = QUESTION + struct.pack(">HH", _A, 1)
    return head + asked + b"\xc0\x0c" + struct.pack(">HHIH", kind, of_class, 60, len(data)) + data


def test_an_answer_to_the_question() -> None:
    assert _records(answer(), 7, _A) == ["93.184.216.34"]
    assert _records(answer(kind=_AAAA, data=bytes(15) + b"\x01"), 7, _AAAA) == ["::1"]
    assert _records(answer(flags=0x8183), 7, _A) == []


@pytest.mark.parametrize(
    "told", [answer(number=8), answer(flags=0x0100), answer(questions=0), answer()[:20], answer()[:14]]
)
def test_what_is_no_answer_to_it(told: bytes) -> None:
    with pytest.raises((ValueError, struct.error)):
        _records(told, 7, _A)


@pytest.mark.parametrize(
    "told", [answer(kind=_AAAA), answer(of_class=3), answer(data=ADDRESS + b"x"), answer(kind=5)]
)
def test_records_of_another_kind_say_nothing(told: bytes) -> None:
    assert _records(told, 7, _A) == []
