"""A believable small example: a blog with authors, categories and articles in two languages, published and open."""

from __future__ import annotations

from typing import Any

from flux.content.apis.schemas import ApiCreate, ConnectionCreate
from flux.content.apis.service import Apis
from flux.content.folders.rows import Folder
from flux.content.folders.schemas import FolderCreate
from flux.content.folders.service import Folders
from flux.content.locales.schemas import LocaleCreate
from flux.content.locales.service import Locales
from flux.content.organisations.service import Organisations
from flux.content.resources.rules import payload
from flux.content.resources.service import Resources
from flux.content.schemas.fields import Fields
from flux.content.schemas.schemas import FieldCreate, VersionCreate
from flux.content.schemas.service import Schemas
from flux.kernel.house import House
from flux.kernel.wire import Plane

PREFIX = "blog"

AUTHORS = [
    (
        "ada",
        {
            "name": "Ada Okafor",
            "country": "NG",
            "bio": "Writes about engines, numbers and what lies between them.",
        },
    ),
    ("jun", {"name": "Jun Tanaka", "country": "JP", "bio": "Gardens by day, compiles by night."}),
]
CATEGORIES = [
    ("machines", {"title": {"en": "Machines", "fr": "Machines"}}),
    ("gardens", {"title": {"en": "Gardens", "fr": "Jardins"}}),
]
ARTICLES: list[tuple[str, str, list[str], dict[str, Any]]] = [
    (
        "engines",
        "ada",
        ["machines"],
        {
            "title": "How a small engine learns to breathe",
            "summary": {
                "en": "Valves, air and a little patience.",
                "fr": "Soupapes, air et un peu de patience.",
            },
            "body": "An engine is a pump that argues with fire. Open the valve too late and it coughs; too early and it forgets "
            "what it was burning. We took one apart on a kitchen table and listened.",
            "tags": ["engine", "repair"],
            "minutes": 6,
            "featured": True,
            "released": "2026-03-02",
        },
    ),
    (
        "compost",
        "jun",
        ["gardens"],
        {
            "title": "Compost is a slow kitchen",
            "summary": {"en": "What to feed it, and what never.", "fr": "Que lui donner, et quoi jamais."},
            "body": "Leaves are bread, grass is spice. Turn the heap when it steams, leave it alone when it sulks, and in "
            "spring it repays you with soil that smells like rain.",
            "tags": ["soil", "spring"],
            "minutes": 4,
            "featured": False,
            "released": "2026-04-18",
        },
    ),
    (
        "robots",
        "jun",
        ["machines", "gardens"],
        {
            "title": "A robot for three square metres of garden",
            "summary": {
                "en": "It waters, it measures, it apologises.",
                "fr": "Il arrose, il mesure, il s'excuse.",
            },
            "body": "The whole machine is a pump, two sensors and a rule: water only what has asked for it. The rule took longer "
            "than the soldering.",
            "tags": ["engine", "garden"],
            "minutes": 9,
            "featured": True,
            "released": "2026-05-30",
        },
    ),
]


def _field(key: str, kind: str = "string", **flags: Any) -> FieldCreate:
    return FieldCreate(key=key, name=key.replace("_", " ").capitalize(), type=kind, **flags)


class _Demonstration:
    def __init__(self, plane: Plane, environment: str) -> None:
        self._services = plane.services
        self._environment = environment

    async def folder(self, alias: str, name: str, fields: list[FieldCreate]) -> Folder:
        """A collection with a published schema."""
        schemas: Schemas = self._services[Schemas]
        folder: Folder = await self._services[Folders].create(
            self._environment, FolderCreate(name=name, alias=alias)
        )
        version = await schemas.create(self._environment, folder.key, VersionCreate(name="First"), None)
        for field in fields:
            await self._services[Fields].create(folder.key, version.key, field)
        await schemas.publish(folder.key, version.key, None)
        return folder

    async def publish(self, folder: Folder, external_id: str, data: dict[str, Any]) -> str:
        sent = payload({"data": data, "external_id": external_id})
        written = await self._services[Resources].create(folder, sent, None, publish=True)
        return str(written.resource.key)

    async def fill(self) -> None:
        await self._services[Locales].create(self._environment, LocaleCreate(name="French", code="fr"))
        authors = await self.folder(
            "authors",
            "Authors",
            [
                _field("name", required=True, searchable=True),
                _field("country", searchable=True),
                _field("bio", "text"),
            ],
        )
        categories = await self.folder(
            "categories", "Categories", [_field("title", required=True, localizable=True, searchable=True)]
        )
        articles = await self.folder("articles", "Articles", _article_fields(authors, categories))
        people = {key: await self.publish(authors, key, data) for key, data in AUTHORS}
        kinds = {key: await self.publish(categories, key, data) for key, data in CATEGORIES}
        for key, author, categories_, data in ARTICLES:
            references = {"author": people[author], "categories": [kinds[one] for one in categories_]}
            await self.publish(articles, key, {**data, **references})
        apis: Apis = self._services[Apis]
        api = await apis.create(
            self._environment, ApiCreate(name="Blog", prefix=PREFIX, description="The demonstration blog.")
        )
        for folder in (authors, categories, articles):
            await apis.connect(api, ConnectionCreate(folder=folder.key))


def _article_fields(authors: Folder, categories: Folder) -> list[FieldCreate]:
    return [
        _field("title", required=True, searchable=True, vectorizable=True),
        _field("summary", localizable=True, searchable=True),
        _field("body", "text", searchable=True, vectorizable=True),
        _field("tags", multiple=True, searchable=True),
        _field("minutes", "integer", searchable=True, meta={"minimum": 1}),
        _field("featured", "boolean", searchable=True),
        _field("released", "date", searchable=True),
        _field("author", "reference", searchable=True, meta={"folder": authors.key}),
        _field("categories", "relation", searchable=True, meta={"folder": categories.key}),
    ]


async def demo(plane: Plane, house: House) -> list[str]:
    """Into the oldest environment, once: where there is a blog already nothing changes."""
    environment = await plane.services[Organisations].first_environment()
    if environment is None:
        return []
    apis: list[Any] = await plane.services[Apis].all_of(house.db, environment)
    if all(one.prefix != PREFIX for one in apis):
        await _Demonstration(plane, environment).fill()
    at = f"{house.public_url}/content/flux/{environment}/{PREFIX}"
    return [
        f"content: {len(ARTICLES)} articles, {len(AUTHORS)} authors, {len(CATEGORIES)} categories",
        f"  {at}/articles?populate=author,categories",
        f"  {at}/articles?find_text__query=engine&return_locales=fr",
        f"  {at}/_router",
    ]
