"""What a check of the doctor saw."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct


class Finding(Struct, frozen=True):
    """`advice` says what to do and is empty when all is well."""

    level: Literal["ok", "warn", "fail"]
    subject: str
    message: str
    advice: str = ""


def ok(subject: str, message: str) -> Finding:
    return Finding("ok", subject, message)


def warn(subject: str, message: str, advice: str) -> Finding:
    return Finding("warn", subject, message, advice)


def fail(subject: str, message: str, advice: str) -> Finding:
    return Finding("fail", subject, message, advice)
