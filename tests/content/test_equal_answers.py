"""Random schemas, documents and queries: SQLite, PostgreSQL and a naive evaluation must give the same answers.

Two servers hold the same worlds; `tests/content/oracle.py` answers for each from what was published. A query is read
page by page by its cursors, and back again, sometimes while documents come and go. `FLUX_LONG=1` runs the long profile;
`FLUX_SEED=n` begins with that seed. A failure names the seed and the query.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.content.oracle import CODES, Document, Oracle, micros
from tests.content.queries import Field, Moment, Pointer, Query
from tests.content.randomly import NOTES, PEOPLE, Chance, Schema
from tests.content.world import World, a_field
from tests.harness.server import Server, serve

LONG = bool(os.environ.get("FLUX_LONG"))
SEED = int(os.environ.get("FLUX_SEED", "1"))
WORLDS, QUERIES = (25, 100) if LONG else (2, 35)
SIZES = {"people": 12, "notes": 15, "things": 36}
MOST_PAGES = 6
SETTINGS = {"content.max_filter_conditions": 500, "server.log_level": "warning"}


@pytest.fixture(scope="module")
async def servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[list[Server]]:
    async with AsyncExitStack() as stack:
        found = []
        for kind in ("sqlite", "postgres"):
            place = tmp_path_factory.mktemp(f"equal-{kind}")
            found.append(await stack.enter_async_context(serve(place, database=kind, settings=SETTINGS)))
        yield found


@dataclass
class Side:
    """One server's copy of a world."""

    world: World
    oracle: Oracle
    numbered: dict[str, dict[int, Document]]

    def resolve(self, value: Any) -> Any:
        if isinstance(value, Pointer):
            found = self.numbered[value.folder].get(value.number)
            return found.key if found else f"no{value.number}"
        if isinstance(value, Moment):
            stamp = getattr(self.numbered[value.folder][value.number], value.member)
            moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=stamp + value.shift * 1000)
            return moment.isoformat().replace("+00:00", "Z")
        if isinstance(value, list):
            return [self.resolve(one) for one in value]
        return {key: self.resolve(one) for key, one in value.items()} if isinstance(value, dict) else value

    async def put(self, folder: str, number: int, data: dict[str, Any]) -> None:
        """Publish a document and note what it became."""
        body = {"data": self.resolve(data), "publish": True}
        made = await self.world.make_one(f"/folders/{self.world.folders[folder]}/resources/", body)
        await self.note(folder, number, made["key"], body["data"])

    async def note(self, folder: str, number: int, key: str, data: dict[str, Any]) -> None:
        shown = await self.world.get(f"/all/{folder}/{key}", params={"raw": "true"})
        assert shown.json()["data"] == data, (shown.text, data)
        stamps = shown.json()["_sys"]
        document = Document(number, key, micros(stamps["created_at"]), micros(stamps["updated_at"]), data)
        self.oracle.folders[folder][key] = self.numbered[folder][number] = document

    async def change(self, number: int, data: dict[str, Any]) -> None:
        key = self.numbered["things"][number].key
        body = {"data": self.resolve(data), "publish": True}
        await self.world.make_one(f"/folders/{self.world.folders['things']}/resources/{key}/", body, "PUT")
        await self.note("things", number, key, body["data"])

    async def drop(self, number: int) -> None:
        document = self.numbered["things"].pop(number)
        del self.oracle.folders["things"][document.key]
        await self.world.make_one(
            f"/folders/{self.world.folders['things']}/resources/{document.key}/", None, "DELETE"
        )


async def made(
    server: Server, schemas: dict[str, Schema], documents: dict[str, list[dict[str, Any]]]
) -> Side:
    world = await World.make(server)
    for code in CODES[1:]:
        await world.make_one("/locales/", {"name": code, "code": code})
    keys = [
        await world.collection(folder, [_sent(one) for one in schema.values()])
        for folder, schema in schemas.items()
    ]
    await world.api("all", keys)
    side = Side(
        world, Oracle(schemas, {folder: {} for folder in schemas}), {folder: {} for folder in schemas}
    )
    for folder, listed in documents.items():
        for number, data in enumerate(listed):
            await side.put(folder, number, data)
    return side


def _sent(field: Field) -> dict[str, Any]:
    parent, _, key = field.path.rpartition(".")
    flags = {
        name: True for name in ("multiple", "localizable", "searchable", "nullable") if getattr(field, name)
    }
    return a_field(key, field.kind, **flags, **({"parent": parent} if parent else {}), meta=field.meta)


# -- asking ---------------------------------------------------------------------------------------------------


async def asked(side: Side, query: Query, **cursor: str) -> dict[str, Any]:
    """A page; with a cursor, the page that it names."""
    params = {**query.parameters(), **cursor}
    if cursor:
        params.pop("offset", None)
    path = f"/all/{query.folder}"
    if query.get:
        answer = await side.world.get(path, params=params)
    else:
        answer = await side.world.search(path, query.body(), params=params)
    assert answer.status_code == 200, f"{answer.status_code} {answer.text}"
    return dict(answer.json())


def token(page: dict[str, Any], name: str) -> str:
    return parse_qs(urlsplit(page[name]).query)[name][0]


def check_page(side: Side, query: Query, page: dict[str, Any], expected: list[Document]) -> None:
    keys = [one["_sys"]["key"] for one in page["results"]]
    assert keys == [one.key for one in expected], (
        f"found {[_number(side, key) for key in keys]}, not {[one.number for one in expected]}"
    )
    for shown, document in zip(page["results"], expected, strict=True):
        assert shown["data"] == side.oracle.shown(query, document)
        if query.joins:
            joined = {alias: [one["_sys"]["key"] for one in rows] for alias, rows in shown["_joined"].items()}
            assert joined == side.oracle.joined(query, document)


def _number(side: Side, key: str) -> int:
    return next((number for number, one in side.numbered["things"].items() if one.key == key), -1)


def _is_the_same_everywhere(query: Query) -> bool:
    """What is skipped, or lies beyond the last page read, hangs on keys; moments on the server."""
    return not query.offset and query.limit * MOST_PAGES >= SIZES["things"] and "Moment(" not in repr(query)


async def read(side: Side, query: Query, churn: Any = None) -> list[int]:
    """Page by page, then one step back. The numbers of what was found."""
    query = query.resolved(side.resolve)
    page = await asked(side, query)
    right = side.oracle.answer(query)
    at, found = query.offset, []
    for _ in range(MOST_PAGES):
        expected = right[at : at + query.limit]
        check_page(side, query, page, expected)
        found += [one.number for one in expected]
        if page["next"] is None or not expected:
            assert at + query.limit >= len(right)
            break
        assert at + query.limit < len(right)
        if churn is not None:
            await churn(side, {expected[0].key, expected[-1].key})
            right = side.oracle.answer(query)
        at = right.index(expected[-1]) + 1
        page = await asked(side, query, next=token(page, "next"))
    if page["previous"] is not None and page["results"]:
        first = right.index(next(one for one in right if one.key == page["results"][0]["_sys"]["key"]))
        back = await asked(side, query, previous=token(page, "previous"))
        check_page(side, query, back, right[max(0, first - query.limit) : first])
    return found


# -- the tests ------------------------------------------------------------------------------------------------


async def world_of(servers: list[Server], chance: Chance) -> tuple[list[Side], dict[str, Schema]]:
    schemas = {"people": PEOPLE, "notes": NOTES, "things": chance.things()}
    documents = {
        folder: [chance.document(schemas[folder], number) for number in range(SIZES[folder])]
        for folder in ("people", "things", "notes")
    }
    for number, data in enumerate(documents["people"]):
        boss = data.get("boss")
        if isinstance(boss, Pointer):
            # Only those that are there already.
            data["boss"] = Pointer("people", boss.number % number) if number else "nobody"
    sides = list(await asyncio.gather(*(made(one, schemas, documents) for one in servers)))
    for number in chance.random.sample(range(SIZES["things"]), 5):
        data = chance.document(schemas["things"], number)
        await asyncio.gather(*(one.change(number, data) for one in sides))
    return sides, schemas


@pytest.mark.parametrize("seed", range(SEED, SEED + WORLDS))
async def test_three_ways_to_the_same_answer(servers: list[Server], seed: int) -> None:
    chance = Chance(seed)
    sides, schemas = await world_of(servers, chance)
    for index in range(QUERIES):
        query = chance.query(schemas["things"])
        try:
            found = await asyncio.gather(*(read(one, query) for one in sides))
            if _is_the_same_everywhere(query):
                assert sorted(found[0]) == sorted(found[1])
        except AssertionError as wrong:
            shown = query.resolved(sides[0].resolve)
            raise AssertionError(
                f"seed {seed}, query {index}: {wrong}\n{query}\n{shown.parameters()}\n{shown.body()}"
            ) from wrong


@pytest.mark.parametrize("seed", range(SEED, SEED + (10 if LONG else 1)))
async def test_cursors_while_documents_come_and_go(servers: list[Server], seed: int) -> None:
    chance = Chance(seed + 1_000_000)
    sides, schemas = await world_of(servers, chance)
    number = SIZES["things"]
    for index in range(20 if LONG else 6):
        query = chance.query(schemas["things"])
        query = Query("things", sort=query.sort, joins=query.joins, limit=chance.random.choice((2, 3, 5)))
        steps = [
            (chance.random.random(), chance.document(schemas["things"], number + at))
            for at in range(MOST_PAGES)
        ]
        for side in sides:
            coming = iter(steps)

            async def churn(side: Side, anchors: set[str], coming: Any = coming) -> None:
                place, data = next(coming)
                await side.put("things", data["number"], data)
                gone = [key for key in sorted(side.oracle.folders["things"]) if key not in anchors]
                document = side.oracle.folders["things"][gone[int(place * len(gone))]]
                await side.drop(document.number)

            try:
                await read(side, query, churn)
            except AssertionError as wrong:
                raise AssertionError(f"seed {seed}, query {index}: {wrong}\n{query}") from wrong
        number += MOST_PAGES


async def test_populated_documents(servers: list[Server]) -> None:
    """Notes hold nothing by locale, so that documents are put into their stored bytes; with `truncate_text` they are
    taken apart instead. Both are what the oracle says."""
    chance = Chance(SEED + 2_000_000)
    sides, _ = await world_of(servers, chance)
    for side in sides:
        folders = side.world.folders
        await side.world.api("few", [folders["notes"]])
        for view in (
            {},
            {"raw": "true"},
            {"truncate_text": "100000"},
            {"return_locales": "fr"},
            {"return_locales": "fr_CA,en", "fallback_locales": "true"},
        ):
            query = Query(
                "notes",
                raw="raw" in view,
                fallback="fallback_locales" in view,
                return_locales=view["return_locales"].split(",") if "return_locales" in view else [],
            )
            params = {"populate": "about,seen", "limit": "100", **view}
            found = (await side.world.get("/all/notes", params=params)).json()["results"]
            closed = (await side.world.get("/few/notes", params=params)).json()["results"]
            assert len(found) == len(closed) == SIZES["notes"]
            for one, untouched in zip(found, closed, strict=True):
                note = side.oracle.folders["notes"][one["_sys"]["key"]]
                assert one["data"] == _populated(side, query, note)
                assert untouched["data"] == side.oracle.shown(query, note)


def _populated(side: Side, query: Query, note: Document) -> dict[str, Any]:
    data = dict(side.oracle.shown(query, note))

    def put(folder: str, key: str) -> Any:
        target = side.oracle.folders[folder].get(key)
        if target is None:
            return None
        stamps = {
            name: (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=getattr(target, name)))
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z")
            for name in ("created_at", "updated_at")
        }
        shown = side.oracle.shown(replace(query, folder=folder), target)
        return {"_sys": {"key": key, **stamps, "folder": side.world.folders[folder]}, "data": shown}

    if "about" in data:
        data["about"] = put("things", data["about"])
    if "seen" in data:
        data["seen"] = [one for one in (put("people", key) for key in data["seen"]) if one is not None]
    return data
