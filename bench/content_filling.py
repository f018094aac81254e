"""A data directory full of articles, published through the services that the Management API calls."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable
from datetime import date, timedelta
from itertools import accumulate, islice
from pathlib import Path
from typing import Any

from bench.figures import Figure
from flux import serving
from flux.app import open_house
from flux.content.apis.schemas import ApiCreate, ConnectionCreate
from flux.content.apis.service import Apis
from flux.content.folders.rows import Folder
from flux.content.folders.schemas import FolderCreate
from flux.content.folders.service import Folders
from flux.content.organisations.service import Organisations
from flux.content.plane import furnished
from flux.content.resources.batching import Batches
from flux.content.resources.schemas import BatchItem
from flux.content.schemas.fields import Fields
from flux.content.schemas.schemas import FieldCreate, VersionCreate
from flux.content.schemas.service import Schemas
from flux.settings import load_settings

AUTHORS = 1000
CATEGORIES = 20
TOGETHER = 200
_CONSONANTS, _VOWELS = "bcdfglmnprstvz", "aeiou"


def _vocabulary(size: int) -> list[str]:
    """Made-up words of two to four syllables."""
    chance = random.Random(1)
    found: dict[str, None] = {}
    while len(found) < size:
        syllables = chance.randrange(2, 5)
        found["".join(chance.choice(_CONSONANTS) + chance.choice(_VOWELS) for _ in range(syllables))] = None
    return list(found)


WORDS = _vocabulary(8000)
_WEIGHTS = list(accumulate(1 / (rank + 10) for rank in range(len(WORDS))))


def article(number: int, chance: random.Random, authors: list[str]) -> dict[str, Any]:
    """About 1 KB of text over a vocabulary in which few words are frequent, as in any language."""
    body = " ".join(chance.choices(WORDS, cum_weights=_WEIGHTS, k=150))
    return {
        "title": " ".join(chance.choices(WORDS, k=5)).capitalize(),
        "body": body[:1000],
        "status": chance.choice(("published", "draft", "archived")),
        "rating": chance.randrange(0, 100) / 10,
        "category": f"category-{chance.randrange(CATEGORIES)}",
        "released": str(date(2020, 1, 1) + timedelta(days=number % 2000)),
        "author": authors[chance.randrange(len(authors))],
    }


def _field(key: str, kind: str = "string", **flags: Any) -> FieldCreate:
    return FieldCreate(key=key, name=key, type=kind, searchable=True, **flags)


async def _folder(services: Any, environment: str, alias: str, fields: list[FieldCreate]) -> Folder:
    folder: Folder = await services[Folders].create(environment, FolderCreate(name=alias, alias=alias))
    version = await services[Schemas].create(environment, folder.key, VersionCreate(name="v"), None)
    for one in fields:
        await services[Fields].create(folder.key, version.key, one)
    await services[Schemas].publish(folder.key, version.key, None)
    return folder


async def fill(directory: Path, rows: int) -> list[Figure]:
    """Authors, articles and an open API `bench` in the first environment."""
    directory.mkdir(parents=True, exist_ok=True)
    settings = load_settings(environ={})
    operator_file = await serving.prepare(settings, directory, "http://127.0.0.1:1", nominal=True)
    opened = await open_house(settings, directory, "http://127.0.0.1:1", operator_file)
    try:
        services = furnished(opened.house).services
        environment = await services[Organisations].first_environment()
        authors = await _folder(services, environment, "authors", [_field("name"), _field("country")])
        articles = await _folder(services, environment, "articles", _article_fields(authors))
        api = await services[Apis].create(environment, ApiCreate(name="Bench", prefix="bench"))
        for folder in (authors, articles):
            await services[Apis].connect(api, ConnectionCreate(folder=folder.key))
        chance = random.Random(2)
        described = (
            {"name": f"Author {number}", "country": chance.choice(("DE", "FR", "NG"))}
            for number in range(AUTHORS)
        )
        people = await _published(services[Batches], authors, described)
        began = time.perf_counter()
        articles_ = (article(number, chance, people) for number in range(rows))
        await _published(services[Batches], articles, articles_)
        seconds = time.perf_counter() - began
    finally:
        await opened.close()
    return [
        Figure(
            f"publishing {rows:,} articles, {TOGETHER} a batch",
            seconds,
            "s",
            f"{rows / seconds:,.0f}/s",
        )
    ]


def _article_fields(authors: Folder) -> list[FieldCreate]:
    return [
        _field("title"),
        _field("body", "text"),
        _field("status"),
        _field("rating", "number"),
        _field("category"),
        _field("released", "date"),
        _field("author", "reference", meta={"folder": authors.key}),
    ]


async def _published(batches: Batches, folder: Folder, documents: Iterable[dict[str, Any]]) -> list[str]:
    keys: list[str] = []
    left = iter(documents)
    while some := list(islice(left, TOGETHER)):
        items = [
            BatchItem(external_id=str(number), published=data) for number, data in enumerate(some, len(keys))
        ]
        keys += [one.key for one in await batches.write(folder, items)]
    return keys
