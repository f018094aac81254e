"""What crosses the wire about components."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

Name = Annotated[str, Meta(min_length=1, max_length=255)]
Description = Annotated[str, Meta(max_length=5000)] | None


class ComponentCreate(Struct):
    name: Name
    description: Description = None
    content_type: Literal["document"] = "document"


class ComponentChange(Struct):
    name: Name | UnsetType = UNSET
    description: Description | UnsetType = UNSET


class ComponentView(Struct):
    key: str
    name: str
    description: str | None
    environment: str
    content_type: str
    created_at: str
    current_version: str | None
