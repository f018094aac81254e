"""A query of a shape that was seen before is answered as if it were the first of its kind."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from flux.content.delivery.shapes import Shapes
from flux.kernel.faults import FaultError
from flux.settings.content import ContentSettings
from tests.content.world import World, a_field
from tests.harness.server import Server

FIELDS = [a_field(f"f{number}", searchable=True) for number in range(11)]
"""More than there are lanes for tags."""


async def keys(world: World, **params: Any) -> list[str]:
    answer = await world.get("/shop/things", params={"sort": "f0", **params})
    assert answer.status_code == 200, answer.text
    return [one["data"]["f0"] for one in answer.json()["results"]]


async def shop(server: Server) -> tuple[World, str]:
    world = await World.make(server)
    folder = await world.collection(
        "things",
        [*FIELDS, a_field("many", multiple=True, searchable=True), a_field("n", "number", searchable=True)],
    )
    await world.api("shop", [folder])
    return world, folder


async def test_values_of_one_shape_are_told_apart(server: Server) -> None:
    world, folder = await shop(server)
    for number in range(6):
        data = {f"f{at}": f"v{number % (at + 1)}" for at in range(1, 11)}
        await world.publish(
            folder, {"f0": f"t{number}", "many": ["a", f"m{number}"], "n": number / 2, **data}
        )
    for number in range(6):
        assert await keys(world, where__many__contains=f"m{number}") == [f"t{number}"]
        assert await keys(world, where__n=str(number / 2), where__many__contains="a") == [f"t{number}"]
    for at in (1, 5, 10):
        for wanted in (0, 1):
            expected = [f"t{number}" for number in range(6) if number % (at + 1) == wanted]
            assert await keys(world, **{f"where__f{at}": f"v{wanted}"}) == expected
            assert await keys(world, **{f"where__f{at}__ieq": f"V{wanted}"}) == expected
            assert await keys(world, **{f"where__f{at}__in": f"x,v{wanted}", "limit": 2}) == expected[:2]
    for start in ("t", "t3", "x"):
        expected = [f"t{number}" for number in range(6) if f"t{number}".startswith(start)]
        assert await keys(world, where__f0__startswith=start) == expected
    for flag in ("true", "false"):
        assert len(await keys(world, where__f4__isnull=flag)) == (6 if flag == "false" else 0)


async def test_a_field_that_nobody_had_is_found_once_somebody_has_it(server: Server) -> None:
    world, folder = await shop(server)
    await world.publish(folder, {"f0": "one"})
    for _ in range(2):
        assert await keys(world, where__f7="here") == []
        assert await keys(world, where__f7="here", sort="-f7") == []
    await world.publish(folder, {"f0": "two", "f7": "here"})
    assert await keys(world, where__f7="here") == ["two"]
    assert await keys(world, where__f7="here", sort="-f7") == ["two"]


async def test_what_does_not_fit_is_refused_as_the_first_time(server: Server) -> None:
    world, _ = await shop(server)
    good = {"where__n__gte": "1", "where__n__between": "1,2"}
    assert (await world.get("/shop/things", params=good)).status_code == 200
    bad = {"where__n__gte": "much", "where__n__between": "2,1"}
    for _ in range(2):
        answer = await world.get("/shop/things", params=bad)
        assert answer.status_code == 422
        assert [one["field"] for one in answer.json()["detail"]] == ["where__n__gte", "where__n__between"]
    assert (await world.get("/shop/things", params=good)).status_code == 200
    unknown = [{"where__x": "1"}, {"where__x": "2"}, {"where__x": "2", "limit": "no"}]
    codes = [(await world.get("/shop/things", params=one)).json()["error_code"] for one in unknown]
    assert codes == ["unknown_field", "unknown_field", "invalid_request"]


async def test_pages_of_one_value_do_not_continue_another(server: Server) -> None:
    world, folder = await shop(server)
    for number in range(4):
        await world.publish(folder, {"f0": f"t{number}", "f1": "ab"[number % 2]})
    first = {"where__f1": "a", "sort": "f0", "limit": "1"}
    following = (await world.get("/shop/things", params=first)).json()["next"]
    token = following.rpartition("next=")[2]
    page = (await world.get("/shop/things", params={**first, "next": token})).json()["results"]
    assert [one["data"]["f0"] for one in page] == ["t2"]
    other = await world.get("/shop/things", params={**first, "where__f1": "b", "next": token})
    assert other.json()["error_code"] == "invalid_request"


@pytest.mark.parametrize("most", [0, 20_000])
def test_kept_shapes_are_bounded(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    """By bytes, statements that come later included; a shape that cannot be answered is asked about once."""
    content: Any = ContentSettings(plan_cache_bytes=most)
    shapes = Shapes(SimpleNamespace(content=content))  # type: ignore[arg-type]
    asked: list[Any] = []

    def read(*arguments: Any) -> Any:
        asked.append(arguments)
        raise FaultError(None, {}, None, {}, {})  # type: ignore[arg-type]

    monkeypatch.setattr("flux.content.delivery.shapes.read_request", read)
    snapshot: Any = SimpleNamespace(environment="e", generation=1)
    api: Any = SimpleNamespace(api=SimpleNamespace(prefix="p"))
    served: Any = SimpleNamespace(key="f")
    for number in range(40):
        for value in "12":
            with pytest.raises(FaultError):
                shapes.read(snapshot, api, served, None, [(f"where__f{number}", value)], {})
    assert len(asked) == (40 if most else 80)
    assert shapes.bytes <= most
