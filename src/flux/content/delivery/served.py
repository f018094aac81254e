"""What delivery knows of an environment's structure, and which folder a path means. Pure, immutable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from msgspec import Struct

from flux.content.apis.rows import Api, Connection
from flux.content.apis.rules import split
from flux.content.folders.rows import Folder
from flux.content.shape.checking import Locales
from flux.content.shape.fields import Shape

READS = ("get_many", "get_one")
WRITES = ("create", "update")
MOST_PATHS = 10_000


class Published(Struct, frozen=True):
    """The published schema of a folder or component."""

    version: str
    shape: Shape


class Served(Struct, frozen=True):
    """A folder as an API serves it. `path` is its aliases, slashed; `template` has its parents' keys in it."""

    folder: Folder
    connection: Connection
    path: str
    template: str
    allowed: frozenset[str]
    schema: Published | None

    @property
    def key(self) -> str:
        return self.folder.key

    @property
    def is_writable(self) -> bool:
        return bool(self.allowed.intersection(WRITES))


@dataclass(slots=True)
class _Node:
    """A place in the tree of aliases. `strict` are the children behind a resource key of this folder."""

    served: Served | None = None
    children: dict[str, _Node] = field(default_factory=dict)
    strict: dict[str, _Node] = field(default_factory=dict)


class Target(Struct, frozen=True):
    """What a path means: a folder, the parent resources in the path (outermost first), and a resource key or None."""

    served: Served
    parents: tuple[tuple[Served, str], ...]
    key: str | None


class ApiServed:
    """One API: its folders and how paths lead to them."""

    def __init__(self, api: Api, folders: Sequence[Served], chains: Mapping[str, Sequence[Folder]]) -> None:
        self.api = api
        self.folders = list(folders)
        self.by_path = {one.path: one for one in folders}
        self.by_key = {one.key: one for one in folders}
        self.readable = frozenset(one.key for one in folders if one.allowed.intersection(READS))
        self._root = _Node()
        self._found: dict[tuple[str, ...], Target | None] = {}
        for one in folders:
            self._add(one, chains[one.key])
        for one in folders:
            self._add(
                one,
                [
                    above
                    for above in chains[one.key]
                    if above.key in self.by_key or _holds_key(above, chains[one.key])
                ],
            )

    def _add(self, served: Served, chain: Sequence[Folder]) -> None:
        """Under the full chain of aliases; then, where that is free, without ancestors that are not connected."""
        node = self._root
        for folder in chain:
            below = node.strict if folder.strict_reference else node.children
            node = below.setdefault(folder.alias, _Node())
        if node.served is None:
            node.served = served

    def find(self, segments: tuple[str, ...]) -> Target | None:
        """Remembered: the tree never changes."""
        try:
            return self._found[segments]
        except KeyError:
            if len(self._found) >= MOST_PATHS:
                self._found.clear()
            found = self._found[segments] = self._walk(self._root, segments, ())
            return found

    def _walk(
        self, node: _Node, rest: tuple[str, ...], parents: tuple[tuple[Served, str], ...]
    ) -> Target | None:
        """An alias beats a resource key where both could be meant."""
        if not rest:
            return Target(node.served, parents, None) if node.served else None
        child = node.children.get(rest[0])
        found = self._walk(child, rest[1:], parents) if child else None
        if found is not None or node.served is None:
            return found
        if len(rest) == 1:
            return Target(node.served, parents, rest[0])
        behind = node.strict.get(rest[1])
        return self._walk(behind, rest[2:], (*parents, (node.served, rest[0]))) if behind else None


def _holds_key(folder: Folder, chain: Sequence[Folder]) -> bool:
    """True when the next folder of the chain is strict: the key of this one's resource stands in the path."""
    index = list(chain).index(folder)
    return index + 1 < len(chain) and bool(chain[index + 1].strict_reference)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An environment as delivery sees it at one generation. `shapes` are those of versions, by key; `folders` are the
    paths of all folders, by key; `pointed`, as it is found out, by a field's path and versions which of them its keys point into."""

    environment: str
    generation: int
    is_enabled: bool
    locales: Locales
    apis: Mapping[str, ApiServed]
    components: Mapping[str, Published | None]
    shapes: dict[str, Shape]
    folders: Mapping[str, str]
    pointed: dict[tuple[str, ...], tuple[str, ...]] = field(default_factory=dict)


def served(
    connection: Connection, folder: Folder, chain: Sequence[Folder], schema: Published | None
) -> Served:
    template: list[str] = []
    for index, one in enumerate(chain):
        if one.strict_reference:
            template.append(f"{{{chain[index - 1].alias}_key}}")
        template.append(one.alias)
    return Served(
        folder=folder,
        connection=connection,
        path=folder.path.replace(".", "/"),
        template="/".join(template),
        allowed=frozenset(split(connection.allowed_methods)),
        schema=schema,
    )
