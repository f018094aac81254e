"""Writing the projection, inside the unit of work of whoever publishes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from flux.content.embeddings.rules import packed, unit
from flux.content.embeddings.service import Vectors
from flux.content.generations.service import advance
from flux.content.projection import counts_repository, repository, rules, words_repository
from flux.content.projection.counts_repository import Held
from flux.content.projection.rows import Published, Value
from flux.content.projection.rules import Entries
from flux.content.projection.words_repository import Indexed
from flux.content.shape.fields import Shape
from flux.kernel.house import House
from flux.kernel.store import Reader, Transaction

T = TypeVar("T")
REINDEX = "content.reindex"
BATCH = 200
_MOST_SLOTS = 50_000


class _Place(Struct, frozen=True):
    """A document among the slots of its folder and component."""

    doc: int
    key: str
    folder: str
    component: str


class _Embedded(Struct, frozen=True):
    """The vectors of one document, each with the value it stands for."""

    values: list[Value]
    vectors: list[bytes]

    @property
    def size(self) -> int:
        return sum(map(len, self.vectors))


_NOTHING = _Embedded([], [])


class Projection:
    def __init__(self, house: House) -> None:
        self._db = house.db
        self._jobs = house.jobs
        self._slots: dict[tuple[str, str, str, str], int] = {}
        self._vocabulary = words_repository.Vocabulary()
        self._near: bool | None = None

    @staticmethod
    def entries(shape: Shape, data: dict[str, Any], default_locale: str) -> Entries:
        """What `put` will write into the indexes of data that is published by the schema it was written under. It takes
        a while: made before the unit of work, it holds up nobody."""
        return rules.entries(shape, data, default_locale)

    async def put(self, tx: Transaction, published: Published, vectors: Vectors) -> int:
        """As `put_all` of one."""
        [size] = await self.put_all(tx, [published], vectors)
        return size

    async def put_all(self, tx: Transaction, published: Sequence[Published], vectors: Vectors) -> list[int]:
        """Show these, different resources of one folder, from the commit on, instead of what was shown of them before.
        The bytes of each one's vectors. Raises `NeedsVectors`."""
        if not published:
            return []
        folder = published[0].folder
        # First, so that units which publish in the same folder wait for each other.
        await advance(tx, folder)
        default = await repository.default_locale(tx, published[0].environment)
        shapes = await self._shapes(tx, published)
        embedded = _embedded(published, shapes, default, vectors)
        documents = [rules.document(one, shape) for one, shape in zip(published, shapes, strict=True)]
        known = await repository.document_ids(tx, folder, [one.key for one in published])
        gone: Held = Counter()
        if known:
            gone = await self._drop_values(tx, list(known.values()))
            await repository.drop_vectors(tx, list(known.values()))
        for document in documents:
            if document.key in known:
                await repository.put_document(tx, document)
        fresh = [document for document in documents if document.key not in known]
        ids = known | await repository.insert_documents(tx, fresh)
        await counts_repository.add_documents(tx, folder, Counter(one.component for one in fresh))
        places = [_Place(ids[one.key], one.key, folder, one.component or "") for one in published]
        found = [
            (place, entries)
            for place, shape, one in zip(places, shapes, published, strict=True)
            if (entries := _entries(shape, one, default)) is not None
        ]
        await self._index(tx, found, gone)
        await self._put_vectors(tx, places, embedded)
        return [one.size for one in embedded]

    async def _shapes(self, tx: Transaction, published: Sequence[Published]) -> list[Shape | None]:
        """What each is indexed by: the schema that is published now."""
        known: dict[str, Shape | None] = {}
        for owner in dict.fromkeys(one.component or one.folder for one in published):
            stored = await repository.published_shape(tx, owner)
            known[owner] = None if stored is None else Shape.decode(stored)
        return [known[one.component or one.folder] for one in published]

    async def move(self, tx: Transaction, folder: str, key: str, owner: str | None) -> None:
        """Show the resource under another owner from the commit on, if it is shown at all."""
        if await repository.set_owner(tx, folder, key, owner or ""):
            await advance(tx, folder)

    async def remove(self, tx: Transaction, folder: str, key: str) -> None:
        """Show nothing of the resource from the commit on."""
        known = await repository.document_ids(tx, folder, [key])
        if known:
            await advance(tx, folder)
            docs = list(known.values())
            gone = await self._drop_values(tx, docs)
            await counts_repository.add_held(tx, _less(gone))
            documents = await repository.drop_documents(tx, docs)
            await counts_repository.add_documents(tx, folder, _less(documents))

    async def is_shown(self, reader: Reader, folder: str, key: str) -> bool:
        return bool(await repository.document_ids(reader, folder, [key]))

    async def remove_folders(self, tx: Transaction, folders: Sequence[str]) -> None:
        await advance(tx, *folders)
        await words_repository.drop_folders(tx, self._db.dialect, folders)
        await repository.drop_folders(tx, folders)
        await counts_repository.drop_folders(tx, folders)

    async def remove_environment(self, tx: Transaction, environment: str) -> None:
        if folders := await repository.folders_of(tx, environment):
            await self.remove_folders(tx, folders)

    async def schema_changed(self, tx: Transaction, owners: Sequence[str]) -> None:
        """Index again, later, what lies in the folders that have these schemas; what is private now is shown no more."""
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
        await advance(tx, folder)
        environment = await repository.environment_of(tx, folder)
        stored = await repository.published_shape(tx, component or folder)
        documents = await repository.batch(tx, folder, component, after, BATCH)
        if environment is None or stored is None or not documents:
            return None
        default = await repository.default_locale(tx, environment)
        gone = await self._drop_values(tx, [one.id for one in documents])
        shape = Shape.decode(stored)
        if shape.has_private:
            documents = [
                msgspec.structs.replace(one, item=rules.hidden(shape, one.item)) for one in documents
            ]
            await repository.put_items(tx, documents)
        found = [
            (
                _Place(one.id, one.key, folder, component),
                rules.entries(shape, msgspec.json.decode(one.item)["data"], default),
            )
            for one in documents
        ]
        await self._index(tx, found, gone)
        return documents[-1].id

    async def _drop_values(self, tx: Transaction, docs: Sequence[int]) -> Held:
        """How many went; they are counted still."""
        await words_repository.drop_words(tx, self._db.dialect, docs)
        return await repository.drop_values(tx, docs)

    async def _index(self, tx: Transaction, found: Sequence[tuple[_Place, Entries]], gone: Held) -> None:
        """Documents of one folder. `gone`: what was dropped for them."""
        rows = repository.Values()
        indexed = []
        known: dict[str, dict[rules.Address, int]] = {}
        for place, entries in found:
            slots = known.setdefault(place.component, {})
            values = []
            for one in entries.values:
                slot = slots.get((one.path, one.locale))
                if slot is None:
                    slot = slots[one.path, one.locale] = await self._slot(tx, place, one.path, one.locale)
                values.append((slot, one))
            rows.add(place.doc, place.key, values)
            words = {slots[address]: one for address, one in entries.words.items()}
            indexed.append(Indexed(place.doc, words))
        await rows.put(tx)
        held = rows.held
        held.subtract(gone)
        await counts_repository.add_held(tx, held)
        await words_repository.put_words(tx, self._db.dialect, self._vocabulary, indexed)

    async def _put_vectors(
        self, tx: Transaction, places: Sequence[_Place], embedded: Sequence[_Embedded]
    ) -> None:
        rows = []
        for place, one in zip(places, embedded, strict=True):
            for number, (value, vector) in enumerate(zip(one.values, one.vectors, strict=True)):
                slot = await self._slot(tx, place, value.path, value.locale)
                rows.append({"slot": slot, "doc": place.doc, "ord": number, "vector": vector})
        if rows and self._near is None:
            self._near = self._db.dialect == "postgres" and await repository.keeps_near(tx)
        await repository.put_vectors(tx, rows, near=bool(self._near))

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


def _less(counts: Counter[T]) -> Counter[T]:
    return Counter({one: -count for one, count in counts.items()})


def _entries(shape: Shape | None, published: Published, default: str) -> Entries | None:
    if shape is None:
        return None
    made = published.entries
    if made is not None and made.fit(shape, default):
        return made
    return rules.entries(shape, published.data, default)


def _embedded(
    published: Sequence[Published], shapes: Sequence[Shape | None], default: str, vectors: Vectors
) -> list[_Embedded]:
    """Texts as they were embedded, and the caller's own vectors. Raises `NeedsVectors`, for all of them at once."""
    if not any(shape is not None and shape.embedded for shape in shapes):
        return [_NOTHING] * len(published)
    texts = [
        rules.texts_to_embed(shape, one.data, default) if shape is not None else []
        for shape, one in zip(shapes, published, strict=True)
    ]
    made = iter(vectors.of(value.value for values in texts for value in values))
    found = []
    for shape, one, values in zip(shapes, published, texts, strict=True):
        sent = rules.vectors_sent(shape, one.data, default) if shape is not None else []
        own = [packed(unit(value.value)) for value in sent]
        found.append(_Embedded([*values, *sent], [*(next(made) for _ in values), *own]))
    return found
