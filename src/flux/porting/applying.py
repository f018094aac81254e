"""Giving an environment a structure: what is missing is made, what differs is changed, what is surplus stays unless
pruned. A changed schema becomes a new version, published; content that lies there is not rewritten."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from flux.porting import structure as structures
from flux.porting.differing import Change, changes
from flux.porting.structure import API, CONNECTION, FOLDER, Json, Names
from flux.porting.target import PortingError, Target

Say = Callable[[str], None]
_FIXED = ("folder_type", "strict_reference")
"""Of a folder, for its life."""


async def apply(target: Target, wanted: Json, say: Say, *, prune: bool = False) -> list[Change]:
    """What was changed, surplus included only when it was pruned."""
    present, names = await structures.read(target)
    todo = [one for one in changes(present, wanted) if prune or one.sign != "-"]
    await _Applying(target, present, names, wanted, say).run(todo)
    return todo


class _Applying:
    def __init__(self, target: Target, present: Json, names: Names, wanted: Json, say: Say) -> None:
        self._target = target
        self._present = present
        self._wanted = wanted
        self._say = say
        self._folders = names.folder_keys
        self._components = names.component_keys
        self._earlier = dict(names.earlier)

    async def run(self, todo: list[Change]) -> None:
        """Fields after all that they may point to, surplus after all that may point to it."""
        makers = {"locales": self._locale, "components": self._component, "folders": self._folder}
        for change in todo:
            for line in change.lines():
                self._say(line)
            if change.sign != "-" and change.section in makers:
                await makers[change.section](change)
        changed = {(one.section, one.name) for one in todo if one.sign != "-"}
        for name in _by_need(self._wanted["components"]):
            if ("components", name) in changed:
                again = await self._embedded_versions(name)
                await self._schema("components", name, f"/components/{self._components[name]}", again=again)
        for path in self._wanted["folders"]:
            if ("folders", path) in changed:
                await self._schema("folders", path, f"/folders/{self._folders[path]}")
        for change in todo:
            if change.sign != "-" and change.section == "apis":
                await self._api(change)
        for change in reversed(todo):
            if change.sign == "-":
                await self._remove(change)

    async def _locale(self, change: Change) -> None:
        body = self._wanted["locales"][change.name]
        if change.sign == "+":
            await self._target.post("/locales/", {"code": change.name, **body})
        elif body["is_default"]:
            await self._target.put(f"/locales/{change.name}/", body)
        else:
            # That it is the default no longer follows from another becoming it.
            await self._target.put(f"/locales/{change.name}/", {"name": body["name"]})

    async def _component(self, change: Change) -> None:
        body = {"name": change.name, "description": self._wanted["components"][change.name]["description"]}
        if change.sign == "+":
            self._components[change.name] = (await self._target.post("/components/", body))["key"]
        else:
            await self._target.put(f"/components/{self._components[change.name]}/", body)

    async def _folder(self, change: Change) -> None:
        wanted = self._wanted["folders"][change.name]
        body = {name: wanted[name] for name in FOLDER}
        if change.sign == "+":
            parent, _, alias = change.name.rpartition(".")
            made = {**body, "alias": alias, "parent": self._folders[parent] if parent else None}
            self._folders[change.name] = (await self._target.post("/folders/tree/", made))["key"]
            return
        here = self._present["folders"][change.name]
        for name in _FIXED:
            if here[name] != wanted[name]:
                raise PortingError(f"folder {change.name}: {name} is fixed when a folder is made")
        mutable = {name: value for name, value in body.items() if name not in _FIXED}
        await self._target.put("/folders/tree/folder/", mutable, key=self._folders[change.name])

    async def _embedded_versions(self, name: str) -> bool:
        """Have the older versions of a component that are to be embedded, made before its newest where there is none.
        True when one was made, so that the newest has to be published again."""
        here = self._present["components"].get(name, {})
        known = list(zip(here.get("earlier", []), self._earlier.get(name, []), strict=True))
        owner, made, keys = f"/components/{self._components[name]}", False, []
        for fields in self._wanted["components"][name].get("earlier", []):
            key = next((key for listed, key in known if listed == fields), None)
            if key is None:
                key, made = await self._publish(owner, fields), True
            keys.append(key)
        self._earlier[name] = keys
        return made

    async def _schema(self, section: str, name: str, owner: str, *, again: bool = False) -> None:
        fields = self._wanted[section][name].get("fields", [])
        before = self._present[section].get(name, {}).get("fields", [])
        if fields and (again or fields != before):
            await self._publish(owner, fields)

    async def _publish(self, owner: str, fields: list[Json]) -> str:
        """A new version; its key."""
        version: str = (await self._target.post(f"{owner}/model/versions/", {"name": "applied"}))["key"]
        at = f"{owner}/model/versions/{version}"
        for field in fields:
            await self._target.post(f"{at}/schema/tree/", await self._field(field))
        await self._target.post(f"{at}/publish/")
        return version

    async def _field(self, field: Json) -> Json:
        parent, _, key = field["path"].rpartition(".")
        meta = dict(field["meta"])
        if "folder" in meta:
            meta["folder"] = self._folders.get(meta["folder"], meta["folder"])
        if "component" in meta:
            component = self._components[meta["component"]]
            if "component_version" in meta:
                pin = self._earlier[meta["component"]][meta["component_version"]]
            else:
                pin = (await self._target.get(f"/components/{component}/"))["current_version"]
            meta |= {"component": component, "component_version": pin}
        body = {name: value for name, value in field.items() if name != "path" and value is not None}
        return {**body, "key": key, "parent": parent or None, "meta": meta}

    async def _api(self, change: Change) -> None:
        wanted = self._wanted["apis"][change.name]
        body = {name: wanted[name] for name in API}
        if change.sign == "+":
            await self._target.post("/api/", {**body, "prefix": change.name})
        else:
            await self._target.put(f"/api/{change.name}/", body)
        at, here = f"/api/{change.name}/folders", {}
        for one in await self._target.all(f"{at}/"):
            here[one["folder"]] = {name: one[name] for name in CONNECTION}
        for path, connection in wanted["connections"].items():
            folder = self._folders[path]
            if folder not in here:
                await self._target.post(f"{at}/", {"folder": folder, **connection})
            # Its strict ancestors came along with it, closed: they are opened here.
            elif here[folder] != connection:
                await self._target.put(f"{at}/{folder}/", connection)
            if folder not in here:
                for one in await self._target.all(f"{at}/"):
                    here[one["folder"]] = {name: one[name] for name in CONNECTION}

    async def _remove(self, change: Change) -> None:
        if change.section == "locales":
            await self._target.delete(f"/locales/{change.name}/")
        elif change.section == "components":
            await self._target.delete(f"/components/{self._components[change.name]}/")
        elif change.section == "folders":
            await self._target.delete("/folders/tree/folder/", key=self._folders[change.name])
        else:
            await self._target.delete(f"/api/{change.name}/")


def _by_need(components: Json) -> Iterator[str]:
    """Components after those that they embed. Raises `PortingError` for a circle."""
    left = dict(components)
    while left:
        ready = [name for name, one in left.items() if not _embedded(one).intersection(left) - {name}]
        if not ready:
            raise PortingError(f"components embed each other in a circle: {', '.join(left)}")
        for name in ready:
            del left[name]
            yield name


def _embedded(component: Json) -> set[Any]:
    listed = [component["fields"], *component.get("earlier", [])]
    return {
        field["meta"]["component"] for fields in listed for field in fields if "component" in field["meta"]
    }
