"""Relationships on the wire."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from flux.community.inputs import Input
from flux.community.users.schemas import UserPartial


class RelationshipView(Struct, frozen=True):
    id: str
    type: int
    user: UserPartial
    since: str
    nickname: str | None


class RequestByTag(Input):
    username: Annotated[str, Meta(min_length=1, max_length=32)]
    discriminator: Annotated[str, Meta(pattern=r"^[0-9]{1,4}$")]


class RelationshipPut(Struct):
    type: Annotated[int, Meta(ge=1, le=4)] | UnsetType = UNSET


class RelationshipNickname(Input):
    nickname: Annotated[str, Meta(max_length=256)] | None
