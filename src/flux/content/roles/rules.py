"""Content types, their actions, and their old names. Pure."""

from __future__ import annotations

from flux.content.access import ACTIONS, Grants, Permission, Side
from flux.content.roles.rows import ObjectRow, PermissionRow

MANAGEMENT_TYPES = (
    "collection-structure",
    "collection-items",
    "resources",
    "components",
    "locales",
    "environment",
    "flux-apis",
    "flux-roles",
    "flux-api-keys",
    "management-roles",
    "management-api-keys",
    "webhooks",
)
FLUX_TYPES = ("flux-apis",)
WITH_OBJECTS = frozenset({"collection-items", "flux-apis"})
_OLD_NAMES = {"folder-structure": "collection-structure", "folder-items": "collection-items"}


def content_type(side: Side, name: str) -> str | None:
    """The canonical name; None when this side has no such content type."""
    name = _OLD_NAMES.get(name, name)
    return name if name in (MANAGEMENT_TYPES if side == "management" else FLUX_TYPES) else None


def wrong_actions(actions: list[str]) -> list[str]:
    return [action for action in actions if action not in ACTIONS]


def joined(actions: list[str]) -> str:
    """In the order of ACTIONS, each once."""
    return ",".join(action for action in ACTIONS if action in actions)


def split(actions: str) -> list[str]:
    return actions.split(",") if actions else []


def grants(permissions: list[PermissionRow], objects: list[ObjectRow]) -> Grants:
    return Grants(
        {
            row.content_type: Permission(
                row.content_type,
                frozenset(split(row.actions)),
                bool(row.all_objects),
                frozenset(one.object_key for one in objects if one.content_type == row.content_type),
            )
            for row in permissions
        }
    )
