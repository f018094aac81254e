"""What crosses the wire about API keys."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

Description = Annotated[str, Meta(max_length=100)] | None
RoleKey = Annotated[str, Meta(max_length=100)] | None


class KeyCreate(Struct):
    description: Description = None
    role: RoleKey = None


class KeyChange(Struct):
    description: Description | UnsetType = UNSET
    role: RoleKey | UnsetType = UNSET


class KeyView(Struct, omit_defaults=True):
    """`secret_key` is whole in the answer to the creation and masked ever after."""

    key: str
    public_key: str
    secret_key: str
    environment: str
    created_at: str
    description: str | UnsetType | None = UNSET
    role: str | UnsetType | None = UNSET
    bearer_token_prefix: str | UnsetType | None = UNSET
    bearer_token_issued_at: str | UnsetType | None = UNSET


class BearerView(Struct):
    bearer_token: str
    bearer_token_prefix: str
    bearer_token_issued_at: str
