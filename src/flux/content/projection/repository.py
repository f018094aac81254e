"""SQL of the projection's tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import Any

from msgspec.structs import astuple

from flux.content import repository as rows
from flux.content.embeddings.rules import unpacked
from flux.content.projection.counts_repository import Held
from flux.content.projection.rows import Document, Stored, Value
from flux.content.projection.tags import tags
from flux.kernel.store import Reader, Row, Transaction, as_read

_COLUMNS = rows.columns(Document)
_VALUES = ", ".join(f":{name}" for name in Document.__struct_fields__)
_CHANGES = ", ".join(
    f"{name} = excluded.{name}" for name in Document.__struct_fields__ if name not in ("folder", "key")
)
TABLES = ("content_numbers", "content_strings", "content_texts")


_TOGETHER = 16
"""Documents inserted by one statement."""


async def put_document(tx: Transaction, document: Document) -> int:
    """The document's id; it keeps it over new revisions."""
    sql = (
        f"INSERT INTO content_documents ({_COLUMNS}) VALUES ({_VALUES}) "
        f"ON CONFLICT (folder, key) DO UPDATE SET {_CHANGES} RETURNING id"
    )
    return int(await tx.value(sql, {name: getattr(document, name) for name in Document.__struct_fields__}))


async def insert_documents(tx: Transaction, documents: Sequence[Document]) -> dict[str, int]:
    """The ids of documents that are not there yet, all of one folder, by key."""
    made: dict[str, int] = {}
    for start in range(0, len(documents), _TOGETHER):
        some = documents[start : start + _TOGETHER]
        params = dict(zip(_names(len(some)), chain.from_iterable(map(astuple, some)), strict=True))
        made.update(await tx.all(_inserting(len(some)), params, lambda key, id_: (key, id_)))
    return made


@cache
def _names(count: int) -> list[str]:
    return [f"{name}_{at}" for at in range(count) for name in Document.__struct_fields__]


@cache
def _inserting(count: int) -> str:
    rows = ", ".join(
        f"({', '.join(f':{name}_{at}' for name in Document.__struct_fields__)})" for at in range(count)
    )
    return f"INSERT INTO content_documents ({_COLUMNS}) VALUES {rows} RETURNING key, id"


async def document_ids(reader: Reader, folder: str, keys: Sequence[str]) -> dict[str, int]:
    """Of those that are shown, by key."""
    sql = "SELECT key, id FROM content_documents WHERE folder = :folder AND key IN :keys"
    return dict(await reader.all(sql, {"folder": folder, "keys": list(keys)}, lambda key, id_: (key, id_)))


async def set_owner(tx: Transaction, folder: str, key: str, owner: str) -> bool:
    """True when the document is shown."""
    sql = "UPDATE content_documents SET owner = :owner WHERE folder = :folder AND key = :key"
    return bool(await tx.run(sql, {"folder": folder, "key": key, "owner": owner}))


async def drop_documents(tx: Transaction, docs: Sequence[int]) -> Counter[str]:
    """Without their values and words, which go before. How many went, by component."""
    await drop_vectors(tx, docs)
    sql = "DELETE FROM content_documents WHERE id IN :docs RETURNING component"
    return Counter(await tx.all(sql, {"docs": list(docs)}, str))


async def drop_vectors(tx: Transaction, docs: Sequence[int]) -> None:
    await tx.run("DELETE FROM content_vectors WHERE doc IN :docs", {"docs": list(docs)})


async def drop_values(tx: Transaction, docs: Sequence[int]) -> Held:
    """All but the vectors, which are made anew only when something is published, and the words. How many went."""
    params = {"docs": list(docs)}
    await tx.run("DELETE FROM content_texts WHERE doc IN :docs", params)
    gone: Held = Counter()
    for family in ("numbers", "strings"):
        sql = f"DELETE FROM content_{family} WHERE doc IN :docs RETURNING slot, ord"
        gone.update((family, slot) for slot, ord_ in await tx.all(sql, params, as_read) if ord_ == 0)
    return gone


class Values:
    """Rows of many documents, family by family."""

    def __init__(self) -> None:
        self._numbers: list[Row] = []
        self._strings: list[Row] = []
        self._texts: list[Row] = []

    @property
    def held(self) -> Held:
        found: Held = Counter(("numbers", row[0]) for row in self._numbers if row[2] == 0)
        found.update(("strings", row[0]) for row in self._strings if row[2] == 0)
        return found

    def add(self, doc: int, key: str, values: Sequence[tuple[int, Value]]) -> None:
        """`values` with their slots, of the document with that id and key."""
        told = tags([(slot, one.compared) for slot, one in values if one.family != "text"])
        for slot, one in values:
            if one.family == "number":
                self._numbers.append((slot, doc, one.ord, one.compared, key, told))
            elif one.family == "string":
                self._strings.append((slot, doc, one.ord, one.value, one.compared, one.head, key, told))
            else:
                self._texts.append((slot, doc, one.ord, one.value, one.compared))

    async def put(self, tx: Transaction) -> None:
        if self._numbers:
            await tx.run_many(
                "INSERT INTO content_numbers (slot, doc, ord, value, key, tags) "
                "VALUES (:slot, :doc, :ord, :value, :key, :tags)",
                self._numbers,
            )
        if self._strings:
            await tx.run_many(
                "INSERT INTO content_strings (slot, doc, ord, value, folded, folded_head, key, tags) "
                "VALUES (:slot, :doc, :ord, :value, :folded, :head, :key, :tags)",
                self._strings,
            )
        if self._texts:
            await tx.run_many(
                "INSERT INTO content_texts (slot, doc, ord, value, folded) "
                "VALUES (:slot, :doc, :ord, :value, :folded)",
                self._texts,
            )


async def keeps_near(reader: Reader) -> bool:
    """Of a PostgreSQL: whether its vectors are kept for pgvector too."""
    return bool(await reader.value(rows.HAS_NEAR, {}))


async def put_vectors(tx: Transaction, found: Sequence[dict[str, Any]], *, near: bool) -> None:
    """Rows of `slot`, `doc`, `ord` within both, and packed `vector`; `near`: for pgvector too."""
    if not found:
        return
    if near:
        measured = "CAST(CAST(:near AS REAL[]) AS vector)"
        await tx.run_many(
            "INSERT INTO content_vectors (slot, doc, ord, vector, near) "
            f"VALUES (:slot, :doc, :ord, :vector, {measured})",
            [{**one, "near": list(unpacked(one["vector"]))} for one in found],
        )
        return
    await tx.run_many(
        "INSERT INTO content_vectors (slot, doc, ord, vector) VALUES (:slot, :doc, :ord, :vector)", found
    )


# -- slots ----------------------------------------------------------------------------------------------------


async def slot(tx: Transaction, folder: str, component: str, path: str, locale: str) -> int:
    """The number of a field in a locale, made on first use. Several units may ask at once."""
    sql = (
        "INSERT INTO content_slots (folder, component, path, locale) VALUES (:folder, :component, :path, :locale) "
        "ON CONFLICT (folder, component, path, locale) DO UPDATE SET path = excluded.path RETURNING id"
    )
    params = {"folder": folder, "component": component, "path": path, "locale": locale}
    return int(await tx.value(sql, params))


# -- removing many --------------------------------------------------------------------------------------------


async def drop_folders(tx: Transaction, folders: Sequence[str]) -> None:
    params = {"folders": list(folders)}
    docs = "(SELECT id FROM content_documents WHERE folder IN :folders)"
    for table in (*TABLES, "content_vectors"):
        await tx.run(f"DELETE FROM {table} WHERE doc IN {docs}", params)
    await tx.run("DELETE FROM content_documents WHERE folder IN :folders", params)
    await tx.run("DELETE FROM content_slots WHERE folder IN :folders", params)


async def folders_of(reader: Reader, environment: str) -> list[str]:
    sql = "SELECT key FROM content_folders WHERE environment = :environment"
    return await reader.all(sql, {"environment": environment}, str)


# -- indexing again -------------------------------------------------------------------------------------------


async def folders_with(reader: Reader, owners: Sequence[str]) -> list[tuple[str, str]]:
    """Folder and component of the documents whose schema one of the owners is, each pair once."""
    sql = (
        "SELECT DISTINCT folder, component FROM content_documents "
        "WHERE (component = '' AND folder IN :owners) OR component IN :owners"
    )
    return await reader.all(sql, {"owners": list(owners)}, lambda folder, component: (folder, component))


async def published_shape(reader: Reader, owner: str) -> bytes | None:
    sql = "SELECT shape FROM content_versions WHERE owner = :owner AND status = 'published'"
    found = await reader.value(sql, {"owner": owner})
    return None if found is None else bytes(found)


async def default_locale(reader: Reader, environment: str) -> str:
    sql = "SELECT code FROM content_locales WHERE environment = :environment AND is_default = 1"
    return str(await reader.value(sql, {"environment": environment}) or "en")


async def environment_of(reader: Reader, folder: str) -> str | None:
    found = await reader.value("SELECT environment FROM content_folders WHERE key = :key", {"key": folder})
    return None if found is None else str(found)


async def batch(reader: Reader, folder: str, component: str, after: int, size: int) -> list[Stored]:
    sql = (
        "SELECT id, key, item FROM content_documents "
        "WHERE folder = :folder AND component = :component AND id > :after ORDER BY id LIMIT :size"
    )
    params = {"folder": folder, "component": component, "after": after, "size": size}
    return await reader.all(sql, params, Stored)


async def put_items(tx: Transaction, documents: Sequence[Stored]) -> None:
    params = [{"id": one.id, "item": one.item} for one in documents]
    await tx.run_many("UPDATE content_documents SET item = :item WHERE id = :id", params)
