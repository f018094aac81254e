"""Export, import into an empty place, export again: the same bytes, whatever content is made of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flux.porting.records import under
from tests.content.test_porting import flux
from tests.content.world import Fields, World, a_field
from tests.harness.server import Server, serve

SAMPLES: dict[str, list[Any]] = {
    "string": ["", "plain", "Ünïcode ✓ 文字", 'quotes " and \\ and \n', "x" * 255],
    "text": ["", "long " * 500, "\u2028\U0001f600"],
    "integer": [0, -1, 9_007_199_254_740_991],
    "number": [0, -0.5, 1e308, 5e-324, 3.0, 12345678901234567890],
    "boolean": [True, False],
    "date": ["2024-02-29", "0001-01-01", "9999-12-31"],
    "time": ["00:00:00Z", "23:59:59.123456Z"],
    "datetime": ["2024-02-29T12:00:00Z", "1969-12-31T23:59:59.999+05:30"],
    "json": [{}, [], {"b": 1, "a": [None, True, {"c": "ü"}]}, "text", 0, [[[1.5]]]],
    "vector": [[0.5] * 256, [1, *[0] * 255]],
}
"""Of every type that needs nothing else."""
ALONE = ("vector", "json")
"""A field of these has one value."""


def _fields() -> Fields:
    """Each type once alone, with several values, by locale, and as null."""
    found: Fields = []
    for kind in SAMPLES:
        meta = {"meta": {"dimensions": 256}} if kind == "vector" else {}
        searchable = {"searchable": True} if kind not in ("vector", "json") else {}
        found.append({**a_field(f"{kind}_one", kind, **searchable), **meta})
        if kind not in ALONE:
            found.append(a_field(f"{kind}_many", kind, multiple=True, **searchable))
        if kind != "vector":
            found.append(a_field(f"{kind}_null", kind, nullable=True, private=True))
        found.append({**a_field(f"{kind}_local", kind, localizable=True), **meta})
    return found


def _values(turn: int) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for kind, samples in SAMPLES.items():
        value = samples[turn % len(samples)]
        data[f"{kind}_one"] = value
        data[f"{kind}_local"] = {"en": value, "de": samples[0]} if turn % 2 else {"en": value}
        if kind not in ALONE:
            data[f"{kind}_many"] = samples[: turn % 4]
        if kind != "vector":
            data[f"{kind}_null"] = None if turn % 3 else value
    return data


async def _everything(world: World) -> None:
    """Two collections that refer to each other in circles, a composite, strict children, and every state of a resource."""
    await world.make_one("/locales/", {"name": "German", "code": "de", "is_default": False})
    part = await world.component("part", [*_fields(), a_field("other", "reference")])
    small = await world.component("small", [a_field("title"), a_field("other", "reference")])
    nested, slight = await _pin(world, part), await _pin(world, small)
    pages = await world.collection("pages", [], folder_type="composite")
    left = await world.collection("left", [a_field("title"), a_field("to", "reference")])
    fields = [
        *_fields(),
        a_field("to", "reference", meta={"folder": left}),
        a_field("all", "relation", meta={"folder": left}),
        a_field("box", "object", nullable=True),
        {**a_field("deep", "object", multiple=True), "parent": "box"},
        {**a_field("one", "reference"), "parent": "box.deep"},
        a_field("part", "nested", meta=nested),
        a_field("parts", "nested", multiple=True, meta=nested),
        a_field("by_locale", "nested", localizable=True, meta=slight),
    ]
    right = await world.collection("right", fields)
    under_left = await world.collection(
        "below", [a_field("body", "text")], parent=left, strict_reference=True
    )
    first = await world.publish(left, {"title": "itself"}, external_id="ä/1 ?", name="Nämé")
    await _publish(world, left, first, {"title": "itself", "to": first})
    for turn in range(6):
        data = {
            **_values(turn),
            "to": first,
            "all": [first] * turn,
            "part": {**_values(turn), "other": first},
        }
        data["box"] = None if turn == 1 else {"deep": [{"one": first}, {}]}
        data["parts"] = [{"string_one": "a"}, {}][:turn]
        data["by_locale"] = {"de": {"title": "b", "other": first}, "en": {"title": "c"}}
        last = await world.publish(right, data, external_id=f"r{turn}")
        await world.publish(pages, _values(turn), component=part)
        await world.publish(under_left, {"body": f"{turn}"}, resource_owner=first)
    await _publish(world, left, first, {"title": "in a circle", "to": last})
    await _every_state(world, left)


async def _pin(world: World, component: str) -> dict[str, str]:
    version = (await world.make_one(f"/components/{component}/", method="GET"))["current_version"]
    return {"component": component, "component_version": version}


async def _publish(world: World, folder: str, key: str, data: dict[str, Any]) -> None:
    at = f"/folders/{folder}/resources/{key}/revisions/"
    made = await world.make_one(at, {"data": data})
    await world.make_one(f"{at}{made['key']}/publish/")


async def _every_state(world: World, folder: str) -> None:
    """Never published, published and drafted on, an older revision published again, taken out of delivery, the newest draft
    deleted, every draft deleted."""
    await world.draft(folder, {"title": "never"})
    drafted = await world.publish(folder, {"title": "published"})
    at = f"/folders/{folder}/resources/{{}}/revisions/"
    await world.make_one(at.format(drafted), {"data": {"title": "draft"}})
    older = await world.publish(folder, {"title": "older"})
    revisions = (await world.make_one(at.format(older), method="GET"))["results"]
    await _publish(world, folder, older, {"title": "newer"})
    await world.make_one(f"{at.format(older)}{revisions[0]['key']}/publish/")
    gone = await world.publish(folder, {"title": "gone"}, external_id="gone")
    revisions = (await world.make_one(at.format(gone), method="GET"))["results"]
    await world.make_one(f"{at.format(gone)}{revisions[0]['key']}/unpublish/")
    shorter, empty = [await world.draft(folder, {"title": title}) for title in ("shorter", "empty")]
    newest = (await world.make_one(at.format(shorter), {"data": {"title": "deleted"}}))["key"]
    only = (await world.make_one(at.format(empty), method="GET"))["results"][0]["key"]
    for place, revision in ((shorter, newest), (empty, only)):
        await world.make_one(f"{at.format(place)}{revision}/", method="DELETE")


@pytest.fixture(scope="module")
async def world(server: Server) -> World:
    made = await World.make(server)
    await _everything(made)
    return made


@pytest.fixture(scope="module")
async def exported(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("round") / "everything.ndjson"
    await flux(world.server, "export", path, "--env", world.env)
    return path


async def test_on_another_instance(exported: Path, tmp_path: Path) -> None:
    path = tmp_path / "again.ndjson"
    async with serve(tmp_path / "elsewhere") as elsewhere:
        await flux(elsewhere, "import", exported, "--keep-keys")
        await flux(elsewhere, "export", path)
    assert _lines(exported)[1:] == _lines(path)[1:]


async def test_in_another_environment(world: World, exported: Path, tmp_path: Path) -> None:
    """With other keys, which stand where the ones before stood; and from there once more."""
    source, path = exported, tmp_path / "again.ndjson"
    for _ in range(2):
        there = await World.make(world.server)
        await flux(world.server, "import", source, "--env", there.env)
        await flux(world.server, "export", path, "--env", there.env)
        assert list(_renamed(source, there.env)) == _lines(path)[1:]
        source = path.rename(tmp_path / "source.ndjson")


def _lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines()


def _renamed(path: Path, environment: str) -> Iterator[bytes]:
    """The lines behind the first, with every key as it is in the other environment."""
    lines = _lines(path)[1:]
    keys = [json.loads(line)["resource"]["key"] for line in lines[1:-1]]
    for line in lines:
        for key in keys:
            line = line.replace(f'"{key}"'.encode(), f'"{under(environment, key)}"'.encode())
        yield line


async def test_what_is_carried_of_each_state(exported: Path) -> None:
    lines = [json.loads(line) for line in _lines(exported)[2:-1]]
    left = [line["resource"] for line in lines if line["folder"] == "left"]
    titles = [tuple(data and data["title"] for data in (one["published"], one["draft"])) for one in left]
    assert sorted(titles, key=str) == [
        ("in a circle", None),
        ("older", None),
        ("published", "draft"),
        (None, "gone"),
        (None, "never"),
        (None, "shorter"),
    ]
