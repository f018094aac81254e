"""Who may do what: principals, grants, and the words that routes use to ask for them. Pure, no I/O."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Literal

from msgspec import Struct

Side = Literal["management", "flux"]
ACTIONS = ("create", "read", "update", "delete")


class Open(Enum):
    """Routes that ask for no grant in an environment."""

    PUBLIC = "public"
    """Nobody in particular."""
    SIGNED_IN = "signed in"
    """A person with an access token; keys do not do."""
    DELIVERY = "delivery"
    """The delivery front door decides by itself."""


PUBLIC, SIGNED_IN, DELIVERY = Open.PUBLIC, Open.SIGNED_IN, Open.DELIVERY


@dataclass(frozen=True, slots=True)
class Needs:
    """A management route needs `action` on `content_type` of the environment in its path."""

    content_type: str
    action: str


def needs(content_type: str) -> tuple[Needs, Needs, Needs, Needs]:
    """Create, read, update and delete of one content type."""
    create, read, update, delete = (Needs(content_type, action) for action in ACTIONS)
    return create, read, update, delete


class Permission(Struct, frozen=True):
    """`objects` matters only when `all_objects` is false."""

    content_type: str
    actions: frozenset[str]
    all_objects: bool
    objects: frozenset[str] = frozenset()

    def allows(self, action: str, object_key: str | None) -> bool:
        return action in self.actions and (
            self.all_objects or object_key is None or object_key in self.objects
        )


class Grants(Struct, frozen=True):
    """What a role gives. No `Grants` at all means: not restricted."""

    permissions: dict[str, Permission]

    def allows(self, content_type: str, action: str, object_key: str | None = None) -> bool:
        """With `object_key` None: on at least some object."""
        found = self.permissions.get(content_type)
        return found is not None and found.allows(action, object_key)

    def is_limited_to_objects(self, content_type: str) -> bool:
        found = self.permissions.get(content_type)
        return found is not None and not found.all_objects


@dataclass(frozen=True, slots=True)
class Person:
    """A user with a valid access token."""

    key: str
    email: str
    first_name: str
    last_name: str


@dataclass(frozen=True, slots=True)
class KeyHolder:
    """Whoever holds an API key. `grants` None: the key has no role, or its role has full access."""

    key: str
    environment: str
    side: Side
    grants: Grants | None


class Anonymous:
    """Delivery without credentials."""

    key = ""
    grants = None


ANONYMOUS = Anonymous()
