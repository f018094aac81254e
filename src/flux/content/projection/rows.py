"""What the projection holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from flux.content.shape.fields import Shape

if TYPE_CHECKING:
    from flux.content.projection.rules import Entries


class Document(Struct, frozen=True):
    """`owner` and `component` are '' when there is none. `item` is encoded JSON."""

    environment: str
    folder: str
    key: str
    owner: str
    component: str
    version: str
    revision: str
    created_at: int
    updated_at: int
    plain: int
    item: bytes


class Published(Struct, frozen=True):
    """A resource as authoring publishes it: `data`, and as it is `stored`. `shape` is that of the revision's schema version.
    `entries` may have been made of it before."""

    environment: str
    folder: str
    key: str
    owner: str | None
    component: str | None
    version: str
    revision: str
    created_at: int
    updated_at: int
    data: dict[str, Any]
    stored: bytes
    shape: Shape
    entries: Entries | None = None


class Value(Struct, frozen=True):
    """One searchable value. `family` says which table it goes to; `ord` tells several values of one field apart; `compared`
    is a number as a float, a string or text without case, `head` the beginning of that where it is looked for."""

    path: str
    locale: str
    family: str
    ord: int
    value: Any
    compared: Any = ""
    head: str = ""


class Stored(Struct, frozen=True):
    """A document to index again."""

    id: int
    key: str
    item: bytes
