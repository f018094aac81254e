"""What an environment is made of, in a form that means the same in every environment: names and paths, no keys.

`{"locales": {code: …}, "components": {name: …}, "folders": {path: …}, "apis": {prefix: …}}`; components and folders have
`fields`, those of the schema that is published, in order. A nested field follows its component's newest published
version: which older one it was pinned to is not carried over.
"""

from __future__ import annotations

from typing import Any

from flux.porting.target import PortingError, Target

Json = dict[str, Any]
FOLDER = ("name", "folder_type", "strict_reference", "auto_remove_revisions", "auto_remove_schema_versions")
FIELD = (
    "path", "name", "type", "description", "required", "nullable", "multiple", "localizable", "searchable", "private",
    "vectorizable", "meta",
)  # fmt: skip
API = (
    "name",
    "description",
    "is_auth_required",
    "mcp_enabled",
    "router_introspection_enabled",
    "cors_origins",
)
CONNECTION = (
    "allowed_methods", "description_get_one", "description_get_many", "description_search", "description_schema",
)  # fmt: skip
SECTIONS = ("locales", "components", "folders", "apis")


class Names:
    """Keys of an environment and the names they stand for, both ways."""

    def __init__(self) -> None:
        self.folders: dict[str, str] = {}
        self.components: dict[str, str] = {}

    @property
    def folder_keys(self) -> dict[str, str]:
        return {path: key for key, path in self.folders.items()}

    @property
    def component_keys(self) -> dict[str, str]:
        return {name: key for key, name in self.components.items()}


async def read(target: Target) -> tuple[Json, Names]:
    """The structure of an environment. Raises `PortingError` where two components have one name."""
    names = Names()
    folders = await target.all("/folders/tree/")
    components = await target.all("/components/")
    for one in folders:
        names.folders[one["key"]] = one["path"]
    for one in components:
        if one["name"] in names.components.values():
            raise PortingError(f"two components are called {one['name']!r}: rename one of them")
        names.components[one["key"]] = one["name"]
    structure: Json = {
        "locales": {
            one["code"]: {"name": one["name"], "is_default": one["is_default"]}
            for one in await target.all("/locales/")
        },
        "components": {},
        "folders": {},
        "apis": await _apis(target, names),
    }
    for one in components:
        fields = await _fields(target, f"/components/{one['key']}", names)
        structure["components"][one["name"]] = {"description": one["description"], "fields": fields}
    for one in folders:
        shown = {name: one[name] for name in FOLDER}
        if one["folder_type"] != "composite":
            shown["fields"] = await _fields(target, f"/folders/{one['key']}", names)
        structure["folders"][one["path"]] = shown
    return {name: dict(sorted(structure[name].items())) for name in SECTIONS}, names


async def _fields(target: Target, owner: str, names: Names) -> list[Json]:
    """Of the published version; empty when none is."""
    versions = await target.all(f"{owner}/model/versions/")
    published = [one for one in versions if one["published_at"] and not one["archived_at"]]
    if not published:
        return []
    found = await target.all(f"{owner}/model/versions/{published[0]['key']}/schema/tree/")
    return [_field(one, names) for one in found]


def _field(one: Json, names: Names) -> Json:
    shown = {name: one.get(name) for name in FIELD}
    meta = dict(one["meta"])
    if "folder" in meta:
        meta["folder"] = names.folders.get(meta["folder"], meta["folder"])
    if "component" in meta:
        meta["component"] = names.components.get(meta["component"], meta["component"])
        meta.pop("component_version", None)
    return {**shown, "vectorizable": bool(one.get("vectorizable")), "meta": dict(sorted(meta.items()))}


async def _apis(target: Target, names: Names) -> Json:
    found: Json = {}
    for api in await target.all("/api/"):
        connections = {
            names.folders[one["folder"]]: {name: one[name] for name in CONNECTION}
            for one in await target.all(f"/api/{api['key']}/folders/")
            if one["folder"] in names.folders
        }
        found[api["prefix"]] = {
            **{name: api[name] for name in API},
            "connections": dict(sorted(connections.items())),
        }
    return found
