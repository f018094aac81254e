"""SQL of text and vector search: slots, lengths, vectors, and which documents a plan lets through."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from msgspec import Struct

from flux.content.embeddings.rules import unpacked
from flux.content.repository import HAS_NEAR
from flux.content.search.plan import Plan, Scope
from flux.content.search.rows import Hit
from flux.content.search.sql_repository import Statement, conditions
from flux.content.search.words import Statistics
from flux.kernel.store import Database, Sql

Read = Callable[..., Awaitable[list[Any]]]
"""`Database.all` or `Database.scan`, as there are few rows or many."""


async def slots(db: Database, scope: Scope, paths: Sequence[str], locales: Sequence[str]) -> list[int]:
    """The slots of the paths in the locales, and of those that have none."""
    sql = (
        "SELECT id FROM content_slots WHERE folder = :folder AND component = :component "
        "AND path IN :paths AND locale IN :locales"
    )
    params = {
        "folder": scope.folder,
        "component": scope.component,
        "paths": list(paths),
        "locales": ["", *locales],
    }
    return await db.all(sql, params, int)


async def statistics(db: Database, slots_: Sequence[int]) -> dict[int, Statistics]:
    sql = (
        "SELECT slot, count(*), CAST(avg(words) AS DOUBLE PRECISION) FROM content_lengths "
        "WHERE slot IN :slots GROUP BY slot"
    )
    rows = await db.scan(
        sql, {"slots": list(slots_)}, lambda slot, count, mean: (slot, Statistics(count, mean))
    )
    return dict(rows)


async def lengths(read: Read, slots_: Sequence[int], docs: Sequence[int]) -> dict[tuple[int, int], int]:
    sql = "SELECT slot, doc, words FROM content_lengths WHERE doc IN :docs AND slot IN :slots"
    params = {"docs": list(docs), "slots": list(slots_)}
    rows = await read(sql, params, lambda slot, doc, words: ((slot, doc), words))
    return dict(rows)


async def keys(read: Read, docs: Sequence[int]) -> dict[int, str]:
    sql = "SELECT d.id, d.key FROM content_documents d WHERE d.id IN :docs"
    return dict(await read(sql, {"docs": list(docs)}, lambda id_, key: (id_, key)))


async def allowed(db: Database, plan: Plan, docs: Sequence[int]) -> dict[int, str]:
    """Of these documents those that the plan's conditions let through, with their keys."""
    statement = Statement(db.dialect)
    wanted = [*conditions(statement, plan.scope, plan.where), f"d.id IN {statement.bind(list(docs))}"]
    wanted += [statement.joined(plan.scope, one, "d") for one in plan.joins if one.required]
    sql = f"SELECT d.id, d.key FROM content_documents d WHERE {' AND '.join(wanted)}"
    rows = await db.scan(sql, statement.params, lambda id_, key: (id_, key))
    return dict(rows)


class Near(Struct, frozen=True):
    """A vector that may be among the nearest. `distance` is the database's, None where it knows none."""

    doc: int
    key: str
    vector: bytes
    distance: float | None


async def knows_distances(db: Database) -> bool:
    """Whether the database can compare vectors itself."""
    return bool(await db.value(_KNOWS_DISTANCES, {}))


_KNOWS_DISTANCES = Sql(
    sqlite="SELECT count(*) FROM pragma_function_list WHERE name = 'vec_distance_cosine'",
    postgres=HAS_NEAR,
)


async def vectors(
    db: Database, plan: Plan, slots_: Sequence[int], nearest: tuple[bytes, int] | None = None
) -> list[Near]:
    """Everything in the slots that the plan's conditions let through; or of it the `nearest` so many to a packed vector,
    in order, those of no known distance first."""
    statement = Statement(db.dialect)
    wanted = conditions(statement, plan.scope, plan.where)
    wanted += [statement.joined(plan.scope, one, "d") for one in plan.joins if one.required]
    wanted.append(f"x.slot IN {statement.bind(list(slots_))}")
    distance, order = "NULL", ""
    if nearest is not None:
        vector, most = nearest
        distance = _distance(db, statement, vector)
        order = f" ORDER BY near NULLS FIRST, x.doc, x.ord LIMIT {statement.bind(most)}"
    sql = (
        f"SELECT x.doc, d.key, x.vector, {distance} AS near "
        f"FROM content_vectors x JOIN content_documents d ON d.id = x.doc WHERE {' AND '.join(wanted)}{order}"
    )
    found: list[Near] = await db.scan(sql, statement.params, Near)
    return found


def _distance(db: Database, statement: Statement, vector: bytes) -> str:
    """NULL for a vector of another length, or of none."""
    if db.dialect == "sqlite":
        length, query = statement.bind(len(vector)), statement.bind(vector)
        return f"CASE length(x.vector) WHEN {length} THEN vec_distance_cosine(x.vector, {query}) END"
    query = f"CAST(CAST({statement.bind(list(unpacked(vector)))} AS REAL[]) AS vector)"
    length = statement.bind(len(unpacked(vector)))
    measured = f"NULLIF(x.near <=> {query}, CAST('NaN' AS DOUBLE PRECISION))"
    return f"CASE WHEN vector_dims(x.near) = CAST({length} AS INTEGER) THEN {measured} END"


async def documents(db: Database, ids: Sequence[int]) -> dict[int, Hit]:
    sql = "SELECT d.id, d.key, d.version, d.plain, d.item FROM content_documents d WHERE d.id IN :ids"
    found: list[Hit] = await db.all(sql, {"ids": list(ids)}, Hit)
    return {one.id: one for one in found}
