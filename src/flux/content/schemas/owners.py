"""Whose schema a path speaks of: a folder with a model, or a component."""

from __future__ import annotations

from flux.content import faults
from flux.content.components.service import Components
from flux.content.folders.service import Folders
from flux.kernel.faults import FaultError


class Owners:
    def __init__(self, folders: Folders, components: Components) -> None:
        self._folders = folders
        self._components = components

    async def key_of(self, environment: str, kind: str, name: str) -> str:
        """`kind` is folders, collections or components."""
        if kind == "components":
            return (await self._components.one(None, environment, name)).key
        folder = await self._folders.find(None, environment, name)
        if folder.is_composite:
            raise faults.FOLDER_HAS_NO_MODEL()
        return folder.key

    async def versions_kept(self, environment: str, owner: str) -> int | None:
        """How many versions the owner wants to keep; None: all."""
        try:
            return (await self._folders.find(None, environment, owner)).auto_remove_schema_versions
        except FaultError:
            return None
