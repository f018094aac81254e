"""What an environment is made of, in a form that means the same in every environment: names and paths, no keys.

`{"locales": {code: …}, "components": {name: …}, "folders": {path: …}, "apis": {prefix: …}}`; components and folders have
`fields`, those of the schema that is published, in order. A component that is embedded in older versions too has these, oldest
first, as `earlier`, each a list of fields; a nested field that is pinned to one of them has its place in that list as
`meta.component_version`. Without, it stands for the newest.
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
        self.earlier: dict[str, list[str]] = {}
        """By the component's name, the keys of older versions that are embedded somewhere."""

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
    reading = _Reading(target, names)
    for one in (*components, *folders):
        await reading.owner(one)
    earlier = reading.earlier()
    for one in components:
        shown = {"description": one["description"], "fields": reading.fields(reading.published[one["key"]])}
        if one["key"] in earlier:
            shown["earlier"] = [reading.fields(key) for key in earlier[one["key"]]]
            names.earlier[one["name"]] = earlier[one["key"]]
        structure["components"][one["name"]] = shown
    for one in folders:
        shown = {name: one[name] for name in FOLDER}
        if one["folder_type"] != "composite":
            shown["fields"] = reading.fields(reading.published[one["key"]])
        structure["folders"][one["path"]] = shown
    return {name: dict(sorted(structure[name].items())) for name in SECTIONS}, names


class _Reading:
    """The fields of every version that content may have been written under: published ones, and those they embed."""

    def __init__(self, target: Target, names: Names) -> None:
        self._target = target
        self._names = names
        self.published: dict[str, str | None] = {}
        """Of folders and components, by key: the version."""
        self._versions: dict[str, list[Json]] = {}
        self._rows: dict[str | None, list[Json]] = {None: []}
        self._pinned: dict[str, set[str]] = {}

    async def owner(self, one: Json) -> None:
        key = one["key"]
        at = f"/folders/{key}" if key in self._names.folders else f"/components/{key}"
        self.published[key] = None
        if one.get("folder_type") == "composite":
            return
        self._versions[key] = await self._target.all(f"{at}/model/versions/")
        for version in self._versions[key]:
            if version["published_at"] and not version["archived_at"]:
                self.published[key] = version["key"]
                await self._read(at, version["key"])

    async def _read(self, at: str, version: str) -> None:
        if version in self._rows:
            return
        self._rows[version] = rows = await self._target.all(f"{at}/model/versions/{version}/schema/tree/")
        for row in rows:
            meta = row["meta"]
            if row["type"] == "nested" and meta["component"] in self._names.components:
                self._pinned.setdefault(meta["component"], set()).add(meta["component_version"])
                await self._read(f"/components/{meta['component']}", meta["component_version"])

    def earlier(self) -> dict[str, list[str]]:
        """By component, its versions that are embedded but not the published one, oldest first."""
        found = {}
        for component, pinned in self._pinned.items():
            known = [
                one["key"]
                for one in sorted(self._versions[component], key=lambda one: one["version_number"] or 0)
                if one["key"] in pinned and one["key"] != self.published[component]
            ]
            if known:
                found[component] = known
        return found

    def fields(self, version: str | None) -> list[Json]:
        """By names and paths; empty without a version."""
        return [self._field(one) for one in self._rows[version]]

    def _field(self, one: Json) -> Json:
        shown = {name: one.get(name) for name in FIELD}
        meta = dict(one["meta"])
        if "folder" in meta:
            meta["folder"] = self._names.folders.get(meta["folder"], meta["folder"])
        if "component" in meta:
            component, pin = meta["component"], meta.pop("component_version", None)
            meta["component"] = self._names.components.get(component, component)
            if pin in (older := self.earlier().get(component, [])):
                meta["component_version"] = older.index(pin)
        return {
            **shown,
            "vectorizable": bool(one.get("vectorizable")),
            "meta": dict(sorted(meta.items())),
        }


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
