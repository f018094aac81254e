"""`flux content export · import · diff · apply` against a live server, as a program in a process of its own."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flux.cli import main
from flux.porting.records import under
from tests.content.world import Blog, World, a_field, blog, name
from tests.harness.server import Server, serve


@dataclass(frozen=True)
class Done:
    status: int
    out: bytes
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.decode().splitlines()


async def flux(server: Server, action: str, *arguments: str | Path, expect: int = 0) -> Done:
    """`flux content …` on the server's own data directory, in a thread of this process."""
    command = ["content", action, *map(str, arguments), "--data", str(server.data_dir)]
    out, err = io.TextIOWrapper(io.BytesIO(), "utf-8"), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = await asyncio.to_thread(main, command)
    out.flush()
    assert isinstance(out.buffer, io.BytesIO)
    done = Done(status, out.buffer.getvalue(), err.getvalue())
    assert done.status == expect, (arguments, done)
    return done


async def test_as_a_program(server: Server, tmp_path: Path) -> None:
    """With an environment of the process's own, and a token instead of the operator's file."""
    content = server.operator["content"]
    command = [sys.executable, "-m", "flux.cli", "content", "diff", "--from", content["environment"]]
    command += ["--env", content["environment"], "--url", content["management_url"], "--data", str(tmp_path)]
    for token, status in ((f"Bearer {content['management_token']}", 0), ("Bearer nonsense", 2)):
        running = await asyncio.create_subprocess_exec(
            *command, stdout=-1, stderr=-1, env={**os.environ, "FLUX_CONTENT_TOKEN": token}
        )
        out, err = await running.communicate()
        assert (running.returncode, out) == (status, b""), err
        assert (b"authentication_failed" in err) == (status == 2) and b"Traceback" not in err
    running = await asyncio.create_subprocess_exec(*command, stdout=-1, stderr=-1)
    _, err = await running.communicate()
    assert running.returncode == 2 and b"operator.json cannot be read" in err


@pytest.fixture(scope="module")
async def made(server: Server) -> Blog:
    """The fixture of the matrix, with an object, a nested and a localised value beside it."""
    made = await blog(server)
    world = made.world
    seo = await world.component("seo", [a_field("title"), a_field("author", "reference")])
    version = (await world.make_one(f"/components/{seo}/", method="GET"))["current_version"]
    fields = [
        a_field("title", required=True, searchable=True),
        a_field("box", "object"),
        {**a_field("writers", "relation", meta={"folder": world.folders["authors"]}), "parent": "box"},
        a_field("local", "reference", localizable=True),
        a_field("seo", "nested", meta={"component": seo, "component_version": version}),
    ]
    deep = await world.collection("deep", fields)
    author = made.resources["author"]
    data = {
        "title": "Deep",
        "box": {"writers": [author, author]},
        "local": {"en": author},
        "seo": {"title": "S", "author": author},
    }
    made.resources["deep"] = await world.publish(deep, data, external_id="deep")
    await world.draft(world.folders["companies"], {"name": "Draft only"})
    for index in range(120):
        await world.publish(world.folders["vault"], {"secret": f"s{index}"})
    return made


@pytest.fixture(scope="module")
async def exported(made: Blog, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("export") / "blog.ndjson"
    done = await flux(made.world.server, "export", path, "--env", made.world.env)
    assert "resources of" in done.lines[-1] and not path.with_name("blog.ndjson.part").exists()
    return path


async def test_the_same_content_gives_the_same_bytes(made: Blog, exported: Path, tmp_path: Path) -> None:
    again = await flux(made.world.server, "export", "--env", made.world.env)
    assert again.out == exported.read_bytes()
    lines = [json.loads(line) for line in again.lines]
    assert lines[0] == {"flux": "content", "format": 1, "environment": made.world.env}
    assert list(lines[1]) == ["structure"] and lines[-1] == {"end": {"resources": len(lines) - 3}}
    folders = [line["folder"] for line in lines[2:-1]]
    assert folders == sorted(folders) and folders.count("vault") == 120
    shape = await flux(made.world.server, "export", "--schema-only", "--env", made.world.env)
    assert [json.loads(line) for line in shape.lines] == [*lines[:2], {"end": {"resources": 0}}]


async def test_an_export_that_was_broken_off_goes_on(made: Blog, exported: Path, tmp_path: Path) -> None:
    whole = exported.read_bytes()
    lines = whole.splitlines(keepends=True)
    path = tmp_path / "again.ndjson"
    for kept in (b"".join(lines[:40]), b"".join(lines[:40]) + lines[40][:10], lines[0][:20], b"".join(lines)):
        path.with_name("again.ndjson.part").write_bytes(kept)
        await flux(made.world.server, "export", path, "--env", made.world.env)
        assert path.read_bytes() == whole


async def test_into_another_environment(made: Blog, exported: Path) -> None:
    """References follow their resources to their new keys; a second import finds nothing to do."""
    server = made.world.server
    there = await World.make(server)
    differing = await flux(server, "diff", exported, "--env", there.env, expect=1)
    assert "+ folder articles.comments" in differing.lines and "+ component hero" in differing.lines
    first = await flux(server, "import", exported, "--env", there.env)
    assert first.lines[-1].endswith(f"created, 0 changed, 0 unchanged in {there.env}")
    assert (await flux(server, "diff", exported, "--env", there.env)).out == b""
    second = await flux(server, "import", exported, "--env", there.env)
    assert f"0 created, 0 changed, {first.lines[-1].split()[0]} unchanged" in second.lines[-1]
    key = await there.key()
    article = under(there.env, made.resources["A1"])
    shown = (await there.get(f"/blog/articles/{article}?populate=author.company", key)).json()["data"]
    assert shown["title"] == "A1" and shown["author"]["data"]["company"]["data"]["name"] == "Acme"
    comments = (await there.get(f"/blog/articles/{article}/comments", key)).json()["results"]
    assert [one["data"]["body"] for one in comments] == ["Nice"]
    assert (await there.get("/blog/pages", key)).json()["results"][0]["data"] == {"headline": "Hello"}
    here, folders = (await made.get("/blog/articles")).json(), await _folder_keys(there)
    assert [one["data"]["title"] for one in here["results"]] == [
        one["data"]["title"] for one in (await there.get("/blog/articles", key)).json()["results"]
    ]
    author = under(there.env, made.resources["author"])
    at = f"/folders/{folders['deep']}/resources/{under(there.env, made.resources['deep'])}"
    data = await there.make_one(f"{at}/data/", method="GET")
    assert data["box"] == {"writers": [author, author]} and data["local"] == {"en": author}
    assert data["seo"] == {"title": "S", "author": author}


async def _folder_keys(world: World) -> dict[str, str]:
    page = await world.make_one("/folders/tree/?limit=100", method="GET")
    return {one["path"]: one["key"] for one in page["results"]}


async def test_an_import_that_was_broken_off_goes_on(made: Blog, exported: Path, tmp_path: Path) -> None:
    server, there = made.world.server, await World.make(made.world.server)
    path = tmp_path / "part.ndjson"
    lines = exported.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:80]))
    broken = await flux(server, "import", path, "--env", there.env, expect=2)
    assert "the file breaks off" in broken.err
    mark = json.loads((tmp_path / "part.ndjson.progress").read_text())
    assert mark["environment"] == there.env and 2 < mark["line"] <= 80
    path.write_bytes(b"".join(lines))
    rest = await flux(server, "import", path, "--env", there.env)
    created = int(rest.lines[-1].split()[0])
    assert created == len(lines) - 1 - mark["line"] and "0 unchanged" in rest.lines[-1]
    assert not (tmp_path / "part.ndjson.progress").exists()
    again = await flux(server, "import", path, "--env", there.env)
    assert f"0 created, 0 changed, {len(lines) - 3} unchanged" in again.lines[-1]


async def test_restored_on_another_instance_byte_by_byte(exported: Path, tmp_path: Path) -> None:
    path = tmp_path / "restored.ndjson"
    async with serve(tmp_path / "elsewhere") as elsewhere:
        await flux(elsewhere, "import", exported, "--keep-keys")
        await flux(elsewhere, "export", path)
    before, after = (one.read_bytes().splitlines() for one in (exported, path))
    assert before[1:] == after[1:] and before[0] != after[0]


async def test_schema_as_code(made: Blog, tmp_path: Path) -> None:
    """Changes travel from one environment to the other; what is surplus stays until it is pruned."""
    server = made.world.server
    one, other = await World.make(server), await World.make(server)
    await flux(server, "apply", "--from", made.world.env, "--env", one.env)
    await flux(server, "apply", "--from", made.world.env, "--env", other.env)
    assert (await flux(server, "diff", "--from", one.env, "--env", other.env)).status == 0
    folders = await _folder_keys(one)
    fields = [a_field("title", required=True, searchable=True), a_field("subtitle", "text")]
    await one.schema(f"/folders/{folders['vault']}", fields)
    await one.make_one(
        "/folders/tree/folder/", {"name": "Renamed"}, "PUT", params={"key": folders["authors"]}
    )
    await one.make_one("/api/pub/", {"cors_origins": ["*"]}, "PUT")
    await one.make_one("/api/pub2/", method="DELETE")
    await one.make_one("/locales/", {"name": "German", "code": "de", "is_default": True})
    await one.collection(name("extra"), [a_field("x")])
    told = (await flux(server, "diff", "--from", one.env, "--env", other.env, expect=1)).lines
    assert {"~ folder vault", "    - field secret", "    + field subtitle", "    + field title"} <= set(told)
    assert '    name: "authors" → "Renamed"' in told and "- api pub2" in told and "+ locale de" in told
    assert '    cors_origins: [] → ["*"]' in told
    await flux(server, "apply", "--from", one.env, "--env", other.env)
    assert (await flux(server, "diff", "--from", one.env, "--env", other.env, expect=1)).lines == [
        "- api pub2"
    ]
    await flux(server, "apply", "--from", one.env, "--env", other.env, "--prune")
    assert (await flux(server, "diff", "--from", one.env, "--env", other.env)).out == b""


async def test_older_versions_of_components_stay_pinned(made: Blog, tmp_path: Path) -> None:
    """Also where the other environment knows the component in its newest version only, and inside of components."""
    server, here = made.world.server, await World.make(made.world.server)
    people = await here.collection("people", [a_field("name")])
    somebody = await here.publish(people, {"name": "Ada"})
    inner = await here.component("inner", [a_field("old", "reference", meta={"folder": people})])
    first = (await here.make_one(f"/components/{inner}/", method="GET"))["current_version"]
    pinned = {"component": inner, "component_version": first}
    outer = await here.component("outer", [a_field("deep", "nested", meta=pinned)])
    second = await here.schema(f"/components/{inner}", [a_field("new", required=True)])
    whole = {"component": outer, "component_version": None}
    whole["component_version"] = (await here.make_one(f"/components/{outer}/", method="GET"))[
        "current_version"
    ]
    newest = {"component": inner, "component_version": second}
    fields = [
        a_field("one", "nested", meta=pinned),
        a_field("two", "nested", meta=newest),
        a_field("three", "nested", meta=whole),
    ]
    folder = await here.collection("pinning", fields)
    data = {"one": {"old": somebody}, "two": {"new": "n"}, "three": {"deep": {"old": somebody}}}
    await here.publish(folder, data, external_id="p")
    path, again = tmp_path / "pins.ndjson", tmp_path / "again.ndjson"
    await flux(server, "export", path, "--env", here.env)
    there = await World.make(server)
    await there.component("inner", [a_field("new", required=True)])
    await flux(server, "import", path, "--env", there.env)
    assert (await flux(server, "diff", path, "--env", there.env)).out == b""
    assert (await flux(server, "apply", path, "--env", there.env)).lines == ["nothing to change"]
    await flux(server, "export", again, "--env", there.env)
    before, after = (one.read_bytes().splitlines() for one in (path, again))
    assert before[1] == after[1]
    [shown] = [json.loads(line)["resource"] for line in after if b'"external_id":"p"' in line]
    copy = under(there.env, somebody)
    assert shown["published"] == {
        "one": {"old": copy},
        "two": {"new": "n"},
        "three": {"deep": {"old": copy}},
    }


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "line 1: not JSON"),
        (b'{"a": 1}\n', "this is not an export"),
        (b'{"flux": "content", "format": 9, "environment": "x"}\n', "format 9 is not known"),
        (b'{"flux": "content", "format": 1, "environment": "x"}\n{}\n', "the structure is expected"),
        (b"\x00\xff\n", "line 1: not JSON"),
    ],
)
async def test_files_that_are_no_exports(
    server: Server, tmp_path: Path, content: bytes, complaint: str
) -> None:
    path = tmp_path / "bad.ndjson"
    path.write_bytes(content)
    done = await flux(server, "import", path, expect=2)
    assert complaint in done.err and "Traceback" not in done.err


async def test_lines_that_do_not_fit_are_named(made: Blog, exported: Path, tmp_path: Path) -> None:
    there = await World.make(made.world.server)
    lines = exported.read_bytes().splitlines(keepends=True)
    at = next(index for index, line in enumerate(lines) if b'"folder":"articles"' in line)
    bad: Any = json.loads(lines[at])
    bad["resource"]["published"]["price"] = "much"
    lines[at] = json.dumps(bad).encode() + b"\n"
    path = tmp_path / "bad.ndjson"
    path.write_bytes(b"".join(lines))
    done = await flux(made.world.server, "import", path, "--env", there.env, expect=2)
    assert "(articles)" in done.err and "data.price" in done.err and f"lines {at + 1} to" in done.err
    missing = await flux(made.world.server, "import", tmp_path / "nothing", expect=2)
    assert "No such file" in missing.err


async def test_the_mark_stays_before_what_was_refused(made: Blog, tmp_path: Path) -> None:
    """Batches behind a refused one may be there already; the next run finds them as they are."""
    server, there = made.world.server, await World.make(made.world.server)
    folder = await there.collection("rows", [a_field("title")])
    path = tmp_path / "rows.ndjson"
    await flux(server, "export", path, "--env", there.env)
    head, shape, _ = path.read_bytes().splitlines(keepends=True)
    rest = {"component": None, "created_at": "2026-01-01T00:00:00.000Z", "draft": None, "external_id": None}
    rest |= {"name": None, "resource_owner": None}

    def write(refused: Any) -> None:
        titles = [refused if number == 450 else f"T{number}" for number in range(1000)]
        resources = [
            {**rest, "key": f"row{number:09d}", "published": {"title": title}}
            for number, title in enumerate(titles)
        ]
        lines = [json.dumps({"folder": "rows", "resource": one}).encode() + b"\n" for one in resources]
        path.write_bytes(b"".join([head, shape, *lines, b'{"end":{"resources":1000}}\n']))

    write(5)
    done = await flux(server, "import", path, "--env", there.env, expect=2)
    assert "lines 403 to 602 (rows)" in done.err and "items[50].data.title" in done.err
    mark = json.loads((tmp_path / "rows.ndjson.progress").read_text())
    assert mark["line"] == 402
    write("T450")
    told = (await flux(server, "import", path, "--env", there.env)).lines[-1]
    created, changed, unchanged = (int(part.split()[0]) for part in told.split(","))
    assert (created + unchanged, changed) == (600, 0) and unchanged in (0, 200, 400)
    count = (await there.make_one(f"/folders/{folder}/resources/?limit=1", method="GET"))["count"]
    assert count == 1000
