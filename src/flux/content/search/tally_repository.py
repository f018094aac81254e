"""SQL that counts what a plan finds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from flux.content.search.plan import Plan
from flux.content.search.sql_repository import TABLES, Statement, wanted
from flux.content.shape.types import TYPES
from flux.kernel.store import Database


class Counted(Struct, frozen=True):
    value: Any
    count: int


async def count(db: Database, plan: Plan) -> int:
    statement = Statement(db.dialect)
    sql = f"SELECT count(*) AS n FROM content_documents d WHERE {' AND '.join(wanted(statement, plan))}"
    [found] = await db.scan(sql, statement.params, int)
    return found


async def facet(
    db: Database, plan: Plan, path: str, kind: str, among: Sequence[int] | None, most: int
) -> list[Counted]:
    """`among` are the ids of the only documents that count."""
    statement = Statement(db.dialect)
    locale = plan.scope.locales[0] if plan.scope.is_localizable(path) else ""
    slot = statement.slot(plan.scope, path, locale)
    conditions = wanted(statement, plan)
    if among is not None:
        conditions.append(f"d.id IN {statement.bind(list(among))}")
    sql = (
        f"SELECT v.value, count(DISTINCT v.doc) AS n FROM content_documents d "
        f"JOIN {TABLES[TYPES[kind].family]} v ON v.doc = d.id AND v.slot = {slot} "
        f"WHERE {' AND '.join(conditions)} GROUP BY v.value ORDER BY n DESC, v.value LIMIT {statement.bind(most)}"
    )
    return await db.scan(sql, statement.params, Counted)
