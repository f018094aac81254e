"""What crosses the wire about locales."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

CODE = "^[A-Za-z]+(_[A-Za-z]+)*$(?!\\n)"
LONGEST_CODE = 50
Name = Annotated[str, Meta(min_length=1, max_length=100)]


class LocaleCreate(Struct):
    name: Name
    code: Annotated[str, Meta(min_length=1, max_length=LONGEST_CODE, pattern=CODE)]
    is_default: bool = False


class LocaleChange(Struct):
    name: Name | UnsetType = UNSET
    is_default: bool | UnsetType = UNSET


class LocaleView(Struct):
    name: str
    code: str
    environment: str
    is_default: bool
    created_at: str
