"""Documents on their way out: locales, populate, joins, and at last bytes."""

from __future__ import annotations

from typing import Any

import msgspec

from flux.content.delivery.answers import Depends
from flux.content.delivery.fragments import Fragments
from flux.content.delivery.served import ApiServed, Snapshot
from flux.content.delivery.snapshots import Snapshots
from flux.content.delivery.splicing import Reference, page, spliced
from flux.content.search.plan import Join, Scope
from flux.content.search.rows import Hit
from flux.content.search.service import Search
from flux.content.shape.fields import REFERENCES, Shape
from flux.content.shape.localising import Presenting, View
from flux.settings.content import ContentSettings

Item = dict[str, Any]


class Presenter:
    """Shows the documents of one answer. What is asked of other folders is asked once a level, not once a document."""

    def __init__(
        self,
        settings: ContentSettings,
        snapshots: Snapshots,
        search: Search,
        snapshot: Snapshot,
        api: ApiServed,
        view: View,
        depends: Depends,
        fragments: Fragments,
    ) -> None:
        self._fragments = fragments
        self._settings = settings
        self._snapshots = snapshots
        self._search = search
        self._snapshot = snapshot
        self._api = api
        self._view = view
        self._depends = depends

    async def page(self, hits: list[Hit], populate: tuple[str, ...] = ()) -> bytes:
        """The documents as JSON, with commas between them. Those that are shown as stored are not even decoded."""
        stored = self._stored(hits)
        if stored is not None:
            spliced_ = await self._spliced(hits, [stored], populate) if populate else stored
            if spliced_ is not None:
                return b",".join(spliced_)
        return b",".join(await self._by_value(hits, populate))

    async def encoded(self, hits: list[Hit], populate: tuple[str, ...] = ()) -> list[bytes]:
        """Each of the documents by itself, where more is to come into it."""
        stored = self._stored(hits)
        if stored is not None and populate:
            stored = await self._spliced(hits, [[one] for one in stored], populate)
        return stored if stored is not None else await self._by_value(hits, populate)

    async def _by_value(self, hits: list[Hit], populate: tuple[str, ...]) -> list[bytes]:
        found: list[bytes | Item] = []
        for hit in hits:
            if not populate and not self._view.changes(plain=bool(hit.plain)):
                found.append(hit.item)
            else:
                found.append(self._shown(hit, await self._snapshots.shape(self._snapshot, hit.version)))
        if populate:
            items = [one for one in found if isinstance(one, dict)]
            await self._populate(list(zip(hits, items, strict=True)), populate)
        return [one if isinstance(one, bytes) else msgspec.json.encode(one) for one in found]

    def _stored(self, hits: list[Hit]) -> list[bytes] | None:
        """The documents' stored bytes, when all of them are shown as they are but for what is populated."""
        if self._view.changes(plain=True):
            return None
        items = [hit.item for hit in hits if hit.plain]
        return items if len(items) == len(hits) else None

    async def items(self, hits: list[Hit]) -> list[Item]:
        return [self._shown(hit, await self._snapshots.shape(self._snapshot, hit.version)) for hit in hits]

    def _shown(self, hit: Hit, shape: Shape | None) -> Item:
        item: Item = msgspec.json.decode(hit.item)
        if shape is not None:
            presenting = Presenting(self._view)
            item["data"] = presenting.document(shape, item["data"])
            if presenting.truncated:
                item["_sys"]["truncated"] = presenting.truncated
        return item

    # -- populate ---------------------------------------------------------------------------------------------

    async def _populate(self, documents: list[tuple[Hit, Item]], paths: tuple[str, ...]) -> None:
        """`author.company`: first every `author`, then the `company` of what was put there."""
        await self._level(
            [(hit, item["data"]) for hit, item in documents], paths, self._settings.max_populate_depth
        )

    async def _level(self, holders: list[tuple[Hit, Any]], paths: tuple[str, ...], depth: int) -> None:
        if depth < 1 or not holders:
            return
        places: dict[str, list[tuple[dict[str, Any], str]]] = {}
        for hit, data in holders:
            shape = await self._snapshots.shape(self._snapshot, hit.version)
            if shape is None:
                continue
            for path, _ in _steps(shape, paths):
                found = places.setdefault(path, [])
                _collect(data, path.split("."), found)
        for path, found in places.items():
            documents = await self._targets(path, found, holders)
            below = tuple(one[len(path) + 1 :] for one in paths if one.startswith(path + "."))
            put = _replace(found, documents)
            if below:
                await self._level(put, below, depth - 1)

    async def _members(self, versions: set[str], populate: tuple[str, ...]) -> list[str] | None:
        """The members to put documents in, when they can be found in the stored bytes; else None."""
        found: dict[str, None] = {}
        for version in versions:
            shape = await self._snapshots.shape(self._snapshot, version)
            for path in populate:
                one = shape.by_path.get(path) if shape is not None and path in shape.lone else None
                if one is None or one.localizable:
                    return None
                if one.type in REFERENCES:
                    found[path] = None
        return list(found)

    async def _spliced(
        self, hits: list[Hit], pages: list[list[bytes]], populate: tuple[str, ...]
    ) -> list[bytes] | None:
        """As `_populate`, in the stored bytes of some pages, without reading what stays as it is; None where that cannot be
        done."""
        versions = {hit.version for hit in hits}
        members = await self._members(versions, populate)
        if members is None:
            return None
        found = [one for each in pages if (one := page(each, members)) is not None]
        if len(found) < len(pages):
            return None
        named = {one for each in found for _, _, one in each.places}
        shown: dict[Reference, bytes] = {}
        for member in members:
            led = await self._led(member, [key.decode() for of, key in named if of == member], versions)
            items = iter(await self.encoded([hit for hit in led.values() if hit is not None]))
            for key, hit in led.items():
                shown[member, key.encode()] = b"null" if hit is None else next(items)
        return [spliced(each, shown) for each in found]

    async def _targets(
        self, path: str, found: list[tuple[dict[str, Any], str]], holders: list[tuple[Hit, Any]]
    ) -> dict[str, tuple[Hit, Item] | None]:
        """As `_led`, with what is shown."""
        keys = sorted({key for holder, member in found for key in _keys(holder[member])})
        led = await self._led(path, keys, {hit.version for hit, _ in holders})
        hits = [hit for hit in led.values() if hit is not None]
        items = {hit.key: (hit, item) for hit, item in zip(hits, await self.items(hits), strict=True)}
        return {key: items[key] if hit is not None else None for key, hit in led.items()}

    async def _led(self, path: str, keys: list[str], versions: set[str]) -> dict[str, Hit | None]:
        """By key. None: no such document; a key that is absent points where this API does not serve, and stays."""
        looked_in = await self._folders(path, versions)
        open_ = self._api.readable
        if not keys or open_.isdisjoint(looked_in):
            return {}
        targets: dict[str, Hit | None] = dict.fromkeys(keys)
        generations = tuple([await self._depends.on(folder) for folder in looked_in])
        for hit in await self._fragments.of(looked_in, generations, keys):
            if hit.by in open_:
                targets[hit.key] = hit
            elif targets.get(hit.key) is None:
                targets.pop(hit.key, None)
        return targets

    async def _folders(self, path: str, versions: set[str]) -> tuple[str, ...]:
        """Where the keys at a path may point: the field's folder when it names one, else anywhere. In order."""
        address = path, *sorted(versions)
        known = self._snapshot.pointed.get(address)
        if known is None:
            known = self._snapshot.pointed[address] = tuple(sorted(await self._found_out(path, versions)))
        return known

    async def _found_out(self, path: str, versions: set[str]) -> set[str]:
        named: set[str] = set()
        for version in versions:
            shape = await self._snapshots.shape(self._snapshot, version)
            field = shape.by_path.get(path) if shape is not None else None
            if field is not None and isinstance(field.meta.get("folder"), str):
                named.add(field.meta["folder"])
        folders = self._snapshot.folders
        keys = {
            key
            for key, place in folders.items()
            if key in named or place in {one.replace("/", ".") for one in named}
        }
        return keys or set(folders)

    # -- joins ------------------------------------------------------------------------------------------------

    async def joined(
        self, scope: Scope, hits: list[Hit], joins: tuple[Join, ...]
    ) -> list[dict[str, list[Item]]]:
        """For each document what its aliases lead to; every alias is there."""
        found: list[dict[str, list[Item]]] = [{alias: [] for alias in _aliases(joins)} for _ in hits]
        await self._joins(scope, [(hit, index) for index, hit in enumerate(hits)], joins, found)
        return found

    async def _joins(
        self,
        scope: Scope,
        sources: list[tuple[Hit, int]],
        joins: tuple[Join, ...],
        found: list[dict[str, list[Item]]],
    ) -> None:
        most = self._settings.max_joined_rows
        for join in joins:
            ids = list(dict.fromkeys(hit.id for hit, _ in sources))
            pairs = await self._search.joined(scope, join, ids, most * max(1, len(ids))) if ids else []
            led: dict[int, list[Hit]] = {}
            for id_, hit in pairs:
                led.setdefault(id_, []).append(hit)
            below: list[tuple[Hit, int]] = []
            for source, index in sources:
                hits = led.get(source.id, [])
                rows = found[index][join.alias]
                kept = hits[: max(0, most - len(rows))]
                rows += await self.items(kept)
                below += [(hit, index) for hit in kept]
            await self._joins(join.scope, below, join.joins, found)


def _aliases(joins: tuple[Join, ...]) -> list[str]:
    return [alias for join in joins for alias in (join.alias, *_aliases(join.joins))]


def _steps(shape: Shape, paths: tuple[str, ...]) -> list[tuple[str, str]]:
    """For each path the reference field it begins with, each once, and the path."""
    found: dict[str, str] = {}
    for path in paths:
        parts = path.split(".")
        for end in range(1, len(parts) + 1):
            head = ".".join(parts[:end])
            chain = shape.chains.get(head)
            if chain is not None and chain[-1].type in REFERENCES:
                found.setdefault(head, path)
                break
    return list(found.items())


def _collect(data: Any, steps: list[str], found: list[tuple[dict[str, Any], str]]) -> None:
    """Every object that holds a value at the path, through lists and translations of objects."""
    if isinstance(data, list):
        for one in data:
            _collect(one, steps, found)
    elif isinstance(data, dict):
        if steps[0] in data:
            if len(steps) == 1:
                found.append((data, steps[0]))
            else:
                _collect(data[steps[0]], steps[1:], found)
        elif data and all(isinstance(one, (dict, list)) or one is None for one in data.values()):
            for one in data.values():
                _collect(one, steps, found)


def _keys(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [key for one in value for key in _keys(one)]
    return [key for one in value.values() for key in _keys(one)] if isinstance(value, dict) else []


def _replace(
    found: list[tuple[dict[str, Any], str]], documents: dict[str, tuple[Hit, Item] | None]
) -> list[tuple[Hit, Any]]:
    """Put documents in the place of keys; what was put, to go on from."""
    put: list[tuple[Hit, Any]] = []

    def shown(value: Any) -> Any:
        if isinstance(value, str) and value in documents:
            target = documents[value]
            if target is None:
                return None
            hit, item = target
            copy = {"_sys": item["_sys"], "data": dict(item["data"])}
            put.append((hit, copy["data"]))
            return copy
        if isinstance(value, list):
            return [one for one in (shown(each) for each in value) if one is not None]
        return {code: shown(each) for code, each in value.items()} if isinstance(value, dict) else value

    for holder, member in found:
        holder[member] = shown(holder[member])
    return put
