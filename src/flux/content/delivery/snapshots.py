"""Snapshots of environments, kept in memory and renewed when their generation has grown.

The generation is read before the tables: a change in between is seen at the next request, never missed.
"""

from __future__ import annotations

from flux.content.apis.service import Apis
from flux.content.components.service import Components
from flux.content.delivery.served import ApiServed, Published, Snapshot, served
from flux.content.folders.rows import Folder
from flux.content.folders.service import Folders
from flux.content.generations.service import Generations
from flux.content.locales.service import Locales
from flux.content.organisations.service import Organisations
from flux.content.schemas.service import Schemas
from flux.content.shape.fields import Shape
from flux.kernel.faults import FaultError
from flux.kernel.house import House

MOST_SNAPSHOTS = 500


class Snapshots:
    def __init__(
        self,
        house: House,
        generations: Generations,
        organisations: Organisations,
        locales: Locales,
        folders: Folders,
        schemas: Schemas,
        components: Components,
        apis: Apis,
    ) -> None:
        self._db = house.db
        self._generations = generations
        self._organisations = organisations
        self._locales = locales
        self._folders = folders
        self._schemas = schemas
        self._components = components
        self._apis = apis
        self._known: dict[str, Snapshot] = {}

    async def of(self, environment: str) -> Snapshot | None:
        """None when there is no such environment."""
        generation = await self._generations.of(environment)
        known = self._known.get(environment)
        if known is not None and known.generation == generation:
            return known
        if generation == 0:
            return None
        loaded = await self._load(environment, generation)
        if loaded is None:
            self._known.pop(environment, None)
            return None
        if len(self._known) >= MOST_SNAPSHOTS:
            self._known.clear()
        self._known[environment] = loaded
        return loaded

    async def only(self) -> str | None:
        return await self._organisations.only_environment()

    async def shape(self, snapshot: Snapshot, version: str) -> Shape | None:
        """Of the version a document was written under, published or archived."""
        known = snapshot.shapes.get(version)
        if known is None:
            known = await self._schemas.shape(self._db, snapshot.environment, version)
            if known is not None:
                snapshot.shapes[version] = known
        return known

    async def _load(self, environment: str, generation: int) -> Snapshot | None:
        try:
            row = await self._organisations.environment(environment, None)
        except FaultError:
            return None
        folders = {one.key: one for one in await self._folders.all_of(self._db, environment)}
        chains = {key: _chain(folders, one) for key, one in folders.items()}
        schemas: dict[str, Published] = {}
        for version in await self._schemas.published_of_all(self._db, environment):
            if version.shape is not None:
                schemas[version.owner] = Published(version.key, Shape.decode(version.shape))
        connections = await self._apis.connections_of(self._db, environment)
        apis: dict[str, ApiServed] = {}
        for api in await self._apis.all_of(self._db, environment):
            found = [
                served(one, folders[one.folder], chains[one.folder], schemas.get(one.folder))
                for one in connections
                if one.api == api.key and one.folder in folders
            ]
            apis[api.prefix] = ApiServed(api, found, chains)
        components = await self._components.keys(self._db, environment)
        return Snapshot(
            environment=environment,
            generation=generation,
            is_enabled=bool(row.is_enabled),
            locales=await self._locales.of(self._db, environment),
            apis=apis,
            components={key: schemas.get(key) for key in components},
            shapes={one.version: one.shape for one in schemas.values()},
            folders={key: one.path for key, one in folders.items()},
        )


def _chain(folders: dict[str, Folder], folder: Folder) -> list[Folder]:
    """From the root down."""
    found = [folder]
    while (parent := folders.get(found[0].parent)) is not None:
        found.insert(0, parent)
    return found
