"""Writing the projection, inside the unit of work of whoever publishes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from flux.content.embeddings.rules import packed, unit
from flux.content.embeddings.service import Vectors
from flux.content.generations.service import advance
from flux.content.projection import repository, rules
from flux.content.projection.rows import Published, Value
from flux.content.shape.fields import Shape
from flux.kernel.house import House
from flux.kernel.store import Reader, Transaction

REINDEX = "content.reindex"
BATCH = 200
_MOST_SLOTS = 50_000


class _Place(Struct, frozen=True):
    """A document among the slots of its folder and component."""

    doc: int
    key: str
    folder: str
    component: str


class Projection:
    def __init__(self, house: House) -> None:
        self._db = house.db
        self._jobs = house.jobs
        self._slots: dict[tuple[str, str, str, str], int] = {}

    async def put(self, tx: Transaction, published: Published, vectors: Vectors) -> int:
        """Show this from the commit on, instead of what was shown of the resource before. The bytes of its vectors.
        Raises `NeedsVectors`."""
        stored = await repository.published_shape(tx, published.component or published.folder)
        default = await repository.default_locale(tx, published.environment)
        shape = rules.decoded(stored) if stored is not None else None
        texts = rules.texts_to_embed(shape, published.data, default) if shape is not None else []
        embedded = vectors.of(one.value for one in texts)
        document = rules.document(published)
        doc = await repository.put_document(tx, document)
        await repository.drop_values(tx, doc)
        await repository.drop_vectors(tx, doc)
        size = 0
        if shape is not None:
            place = _Place(doc, published.key, published.folder, document.component)
            await self._index(tx, place, shape, published.data, default)
            sent = rules.vectors_sent(shape, published.data, default)
            own = [packed(unit(one.value)) for one in sent]
            size = await self._put_vectors(tx, place, [*texts, *sent], [*embedded, *own])
        await advance(tx, published.folder)
        return size

    async def remove(self, tx: Transaction, folder: str, key: str) -> None:
        """Show nothing of the resource from the commit on."""
        doc = await repository.document_id(tx, folder, key)
        if doc is not None:
            await repository.drop_document(tx, doc)
            await advance(tx, folder)

    async def is_shown(self, reader: Reader, folder: str, key: str) -> bool:
        return await repository.document_id(reader, folder, key) is not None

    async def remove_folders(self, tx: Transaction, folders: Sequence[str]) -> None:
        await repository.drop_folders(tx, folders)
        await advance(tx, *folders)

    async def remove_environment(self, tx: Transaction, environment: str) -> None:
        if folders := await repository.folders_of(tx, environment):
            await self.remove_folders(tx, folders)

    async def schema_changed(self, tx: Transaction, owners: Sequence[str]) -> None:
        """Index again, later, what lies in the folders that have these schemas."""
        for folder, component in await repository.folders_with(tx, owners):
            await self._jobs.enqueue(
                tx, REINDEX, {"folder": folder, "component": component}, key=f"{folder}/{component}"
            )

    async def reindex(self, folder: str, component: str) -> None:
        """The job: in small units, so that writing goes on between them. Running it twice changes nothing."""
        after = 0
        while True:

            async def work(tx: Transaction, after: int = after) -> int | None:
                return await self._reindex_batch(tx, folder, component, after)

            following = await self._db.transact(work)
            if following is None:
                return
            after = following

    async def _reindex_batch(self, tx: Transaction, folder: str, component: str, after: int) -> int | None:
        environment = await repository.environment_of(tx, folder)
        shape = await repository.published_shape(tx, component or folder)
        documents = await repository.batch(tx, folder, component, after, BATCH)
        if environment is None or shape is None or not documents:
            return None
        default = await repository.default_locale(tx, environment)
        for stored in documents:
            await repository.drop_values(tx, stored.id)
            data = msgspec.json.decode(stored.item)["data"]
            await self._index(
                tx, _Place(stored.id, stored.key, folder, component), rules.decoded(shape), data, default
            )
        await advance(tx, folder)
        return documents[-1].id

    async def _index(
        self, tx: Transaction, place: _Place, shape: Shape, data: dict[str, Any], default: str
    ) -> None:
        values = rules.values(shape, data, default)
        found = [(await self._slot(tx, place, one.path, one.locale), one) for one in values]
        await repository.put_values(tx, place.doc, place.key, found)
        words = rules.word_index(one for one in values if one.path in shape.text_paths)
        indexed = [(await self._slot(tx, place, *address), index) for address, index in words.items()]
        await repository.put_words(tx, place.doc, indexed)

    async def _put_vectors(
        self, tx: Transaction, place: _Place, values: list[Value], vectors: list[bytes]
    ) -> int:
        rows = []
        for number, (value, vector) in enumerate(zip(values, vectors, strict=True)):
            rows.append((await self._slot(tx, place, value.path, value.locale), number, vector))
        await repository.put_vectors(tx, place.doc, rows)
        return sum(map(len, vectors))

    async def _slot(self, tx: Transaction, place: _Place, path: str, locale: str) -> int:
        """Slots never change, so they are remembered; but only once their unit is committed."""
        address = place.folder, place.component, path, locale
        known = self._slots.get(address)
        if known is not None:
            return known
        made = await repository.slot(tx, *address)

        def remember() -> None:
            if len(self._slots) >= _MOST_SLOTS:
                self._slots.clear()
            self._slots[address] = made

        tx.after_commit(remember)
        return made
