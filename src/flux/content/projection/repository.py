"""SQL of the projection's tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flux.content import repository as rows
from flux.content.projection.rows import Document, Stored, Value
from flux.content.projection.rules import HEAD, WordIndex, packed
from flux.content.projection.tags import tags
from flux.content.texts import folded
from flux.kernel.store import Reader, Transaction

_COLUMNS = rows.columns(Document)
_VALUES = ", ".join(f":{name}" for name in Document.__struct_fields__)
_CHANGES = ", ".join(
    f"{name} = excluded.{name}" for name in Document.__struct_fields__ if name not in ("folder", "key")
)
TABLES = ("content_numbers", "content_strings", "content_texts", "content_words", "content_lengths")


async def put_document(tx: Transaction, document: Document) -> int:
    """The document's id; it keeps it over new revisions."""
    sql = (
        f"INSERT INTO content_documents ({_COLUMNS}) VALUES ({_VALUES}) "
        f"ON CONFLICT (folder, key) DO UPDATE SET {_CHANGES} RETURNING id"
    )
    return int(await tx.value(sql, {name: getattr(document, name) for name in Document.__struct_fields__}))


async def document_id(reader: Reader, folder: str, key: str) -> int | None:
    sql = "SELECT id FROM content_documents WHERE folder = :folder AND key = :key"
    found = await reader.value(sql, {"folder": folder, "key": key})
    return None if found is None else int(found)


async def drop_document(tx: Transaction, doc: int) -> None:
    await drop_values(tx, doc)
    await drop_vectors(tx, doc)
    await tx.run("DELETE FROM content_documents WHERE id = :doc", {"doc": doc})


async def drop_vectors(tx: Transaction, doc: int) -> None:
    await tx.run("DELETE FROM content_vectors WHERE doc = :doc", {"doc": doc})


async def drop_values(tx: Transaction, doc: int) -> None:
    """All but the vectors, which are made anew only when something is published."""
    for table in TABLES:
        await tx.run(f"DELETE FROM {table} WHERE doc = :doc", {"doc": doc})


async def put_values(tx: Transaction, doc: int, key: str, values: Sequence[tuple[int, Value]]) -> None:
    """`values` with their slots, of the document with that id and key."""
    strings = [_text_row(slot, doc, one) for slot, one in values if one.family == "string"]
    told = tags(
        [
            *((slot, float(one.value)) for slot, one in values if one.family == "number"),
            *((row["slot"], row["folded"]) for row in strings),
        ]
    )
    numbers = [
        {"slot": slot, "doc": doc, "ord": one.ord, "value": float(one.value), "key": key, "tags": told}
        for slot, one in values
        if one.family == "number"
    ]
    if numbers:
        await tx.run_many(
            "INSERT INTO content_numbers (slot, doc, ord, value, key, tags) "
            "VALUES (:slot, :doc, :ord, :value, :key, :tags)",
            numbers,
        )
    if strings:
        for row in strings:
            row["head"], row["key"], row["tags"] = row["folded"][:HEAD], key, told
        await tx.run_many(
            "INSERT INTO content_strings (slot, doc, ord, value, folded, folded_head, key, tags) "
            "VALUES (:slot, :doc, :ord, :value, :folded, :head, :key, :tags)",
            strings,
        )
    texts = [_text_row(slot, doc, one) for slot, one in values if one.family == "text"]
    if texts:
        await tx.run_many(
            "INSERT INTO content_texts (slot, doc, ord, value, folded) VALUES (:slot, :doc, :ord, :value, :folded)",
            texts,
        )


def _text_row(slot: int, doc: int, one: Value) -> dict[str, Any]:
    return {"slot": slot, "doc": doc, "ord": one.ord, "value": one.value, "folded": folded(one.value)}


async def put_words(tx: Transaction, doc: int, found: Sequence[tuple[int, WordIndex]]) -> None:
    """`found` with their slots."""
    words = [
        {"slot": slot, "word": word, "doc": doc, "positions": packed(positions)}
        for slot, index in found
        for word, positions in index.positions.items()
    ]
    if words:
        await tx.run_many(
            "INSERT INTO content_words (slot, word, doc, positions) VALUES (:slot, :word, :doc, :positions)",
            words,
        )
        lengths = [{"slot": slot, "doc": doc, "words": index.count} for slot, index in found]
        await tx.run_many(
            "INSERT INTO content_lengths (slot, doc, words) VALUES (:slot, :doc, :words)", lengths
        )


async def put_vectors(tx: Transaction, doc: int, found: Sequence[tuple[int, int, bytes]]) -> None:
    """Slot, number within it, and packed vector."""
    if found:
        await tx.run_many(
            "INSERT INTO content_vectors (slot, doc, ord, vector) VALUES (:slot, :doc, :ord, :vector)",
            [{"slot": slot, "doc": doc, "ord": ord_, "vector": vector} for slot, ord_, vector in found],
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
