"""What crosses the wire under /account/."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct


class Credentials(Struct):
    email: Annotated[str, Meta(max_length=320)]
    password: Annotated[str, Meta(max_length=1024)]


class RefreshRequest(Struct):
    refresh: Annotated[str, Meta(max_length=4096)]


class TokenPair(Struct):
    access: str
    refresh: str


class UserView(Struct):
    key: str
    email: str
    first_name: str
    last_name: str
    full_name: str
