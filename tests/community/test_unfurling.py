"""Links are shown below messages: what a page says of itself, fetched by a job, never from where it must not be."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st
from tests.community.actors import guild, person, unlimited
from tests.community.gateway import GatewayClient
from tests.community.pictures import still
from tests.community.test_files import memory as highest_memory
from tests.harness.server import Server, serve

from flux.community.messages.linking import links_of
from flux.community.unfurling.reading import embed_of
from flux.kernel.outside.fetching import Fetched

PAGE = b"""<!doctype html><html><head><title>Plain &amp; simple</title>
<meta property="og:title" content="A title"><meta property="og:description" content=" Two\n lines ">
<meta property="og:image" content="/cat.png"><meta property="og:image:width" content="30">
<meta name="theme-color" content="#ff0000"><meta property="og:site_name" content="Site"></head>
<body><meta property="og:title" content="not this"></body></html>"""


def page(body: bytes, kind: str = "text/html", charset: str = "utf-8") -> Fetched:
    return Fetched("http://site.test/a", kind, charset, body, True)


def test_a_page_in_its_own_words() -> None:
    assert embed_of("http://site.test/short", page(PAGE)) == {
        "type": "link", "url": "http://site.test/short", "title": "A title", "description": "Two lines",
        "thumbnail": {"url": "http://site.test/cat.png", "proxy_url": "http://site.test/cat.png", "flags": 0, "width": 30},
        "provider": {"name": "Site"}, "color": 0xFF0000,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        (page(b"<title>Only &lt;this&gt;</title>"), {"title": "Only <this>"}),
        (page("<title>caf\xe9</title>".encode("latin-1"), charset="latin-1"), {"title": "caf\xe9"}),
        (page(b"<title>x</title>", charset="no-such"), {"title": "x"}),
        (
            page(b'<meta property=og:title content=a><meta property=og:image content="javascript:alert(1)">'),
            {"title": "a"},
        ),
        (page(b"<title>" + b"y" * 999 + b"</title>"), {"title": "y" * 255 + "\u2026"}),
    ],
)
def test_pages_of_all_kinds(found: Fetched, shown: dict[str, str]) -> None:
    embed = embed_of("http://site.test/", found)
    assert embed is not None and "thumbnail" not in embed
    assert {name: embed[name] for name in shown} == shown


@pytest.mark.parametrize(
    "found",
    [
        page(b""),
        page(b"{}", "application/json"),
        page(b"GIF89a", "image/gif"),
        page(b"<svg>", "image/svg+xml"),
    ],
)
def test_what_shows_nothing(found: Fetched) -> None:
    assert embed_of("http://site.test/", found) is None


def test_an_image_is_itself() -> None:
    embed = embed_of("http://site.test/a", page(still("png", 30, 20), "image/png"))
    assert embed is not None
    assert (embed["type"], embed["thumbnail"]["width"], embed["thumbnail"]["height"]) == ("image", 30, 20)


@given(st.binary(max_size=400), st.sampled_from(["text/html", "image/png"]))
def test_nothing_in_a_page_makes_the_reader_fail(body: bytes, kind: str) -> None:
    embed_of("http://site.test/", page(b"<meta property=og:image content=" + body, kind))
    embed_of("http://site.test/", page(body, kind))


@pytest.mark.parametrize(
    ("content", "links"),
    [
        ("see http://a.test/x, and (https://b.test/y).", ["http://a.test/x", "https://b.test/y"]),
        ("<http://a.test> `http://b.test` ```\nhttp://c.test\n``` http://d.test", ["http://d.test"]),
        ("http://a.test http://a.test ftp://b.test xhttp://c.test", ["http://a.test"]),
        (
            "http://1.test http://2.test http://3.test http://4.test",
            ["http://1.test", "http://2.test", "http://3.test"],
        ),
    ],
)
def test_links_in_a_text(content: str, links: list[str]) -> None:
    assert links_of(content, 3) == links


BOMB = gzip.compress(PAGE + b"\0" * 200_000_000)
"""Of some 200 KB."""


class Site:
    """A web site on this machine that packs what it sends when asked to, and a door beside it that must stay shut."""

    def __init__(self) -> None:
        self.port = 0
        self.shut = 0
        self.asked: list[str] = []

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        if request.path == "/away":
            raise web.HTTPFound(f"http://127.0.0.1:{self.shut}/secret")
        if request.path == "/slow":
            await asyncio.sleep(60)
        if request.path == "/bomb":
            packed = {"Content-Encoding": "gzip", "Content-Type": "text/html"}
            return web.Response(body=BOMB, headers=packed)
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            packed = {"Content-Encoding": "gzip", "Content-Type": "text/html"}
            return web.Response(body=gzip.compress(PAGE), headers=packed)
        return web.Response(body=PAGE, content_type="text/html")


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
async def world(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Server, Site]]:
    site = Site()
    application = web.Application()
    application.router.add_get("/{rest:.*}", site.answer)
    runner = web.AppRunner(application)
    await runner.setup()
    for name in ("port", "shut"):
        listening = web.TCPSite(runner, "127.0.0.1", 0)
        await listening.start()
        assert listening._server is not None
        setattr(site, name, listening._server.sockets[0].getsockname()[1])  # type: ignore[attr-defined]
    settings = {
        "community.unfurling.allowed_targets": [f"127.0.0.1:{site.port}"],
        "community.unfurling.seconds": 1.0,
    }
    directory: Path = tmp_path_factory.mktemp("unfurling")
    async with serve(directory, database=request.param, settings=settings) as server:
        yield server, site
    await runner.cleanup()


async def test_a_preview_follows_its_message(world: tuple[Server, Site]) -> None:
    server, site = world
    owner = await unlimited(await person(server))
    where = await guild(owner)
    path = f"/channels/{where.text}/messages"
    async with GatewayClient(owner) as socket:
        await socket.identify()
        link = f"http://127.0.0.1:{site.port}/page"
        own = {"embeds": [{"title": "mine"}]}
        said = await owner.ok("POST", path, {"content": f"look: {link}", **own})
        assert [embed["title"] for embed in said["embeds"]] == ["mine"]
        told = await socket.event("MESSAGE_UPDATE", 30)
        assert [embed["title"] for embed in told["embeds"]] == ["mine", "A title"]
        assert told["embeds"][1]["url"] == link
        assert told.get("edited_timestamp") is None
        edited = await owner.ok("PATCH", f"{path}/{said['id']}", {"content": "no link"})
        assert [embed["title"] for embed in edited["embeds"]] == ["mine"]
        hook = await owner.ok("POST", f"/channels/{where.text}/webhooks", {"name": "Hook"})
        await owner.ok("POST", f"/webhooks/{hook['id']}/{hook['token']}", {"content": link})
        while (await socket.event("MESSAGE_UPDATE", 30)).get("webhook_id") != hook["id"]:
            pass


async def test_what_must_not_be_fetched_is_not(world: tuple[Server, Site]) -> None:
    server, site = world
    owner = await unlimited(await person(server))
    where = await guild(owner)
    path = f"/channels/{where.text}/messages"
    base = f"http://127.0.0.1:{site.port}"
    for link in (
        f"http://127.0.0.1:{site.shut}/direct", f"http://localhost:{site.shut}/name", f"http://2130706433:{site.shut}/number",
        f"http://[::1]:{site.shut}/six", f"{base}/away", f"http://127.0.0.1:{site.shut}\\@example.test/", "http://x..y/",
        "http://" + "a" * 1900 + "/", f"<{base}/quiet>", f"`{base}/code`",
    ):  # fmt: skip
        await owner.ok("POST", path, {"content": link})
    hidden = await owner.ok("POST", path, {"content": f"{base}/hidden", "flags": 4})
    last = await owner.ok("POST", path, {"content": f"{base}/last"})

    async def embeds(message_id: str) -> list[dict[str, Any]]:
        return list((await owner.ok("GET", f"{path}/{message_id}"))["embeds"])

    async with asyncio.timeout(40):
        while not await embeds(last["id"]) or "/away" not in site.asked:
            await asyncio.sleep(0.1)
    assert not {"/direct", "/name", "/number", "/six", "/secret", "/quiet", "/code", "/hidden"} & set(
        site.asked
    )
    assert await embeds(hidden["id"]) == []
    assert [each["id"] for each in await owner.ok("GET", path) if each["embeds"]] == [last["id"]]


async def test_a_page_that_unpacks_to_far_too_much_costs_nothing(world: tuple[Server, Site]) -> None:
    """Its beginning is shown like any other's."""
    server, site = world
    owner = await unlimited(await person(server))
    where = await guild(owner)
    path = f"/channels/{where.text}/messages"
    before = highest_memory(server)
    said = await owner.ok("POST", path, {"content": f"http://127.0.0.1:{site.port}/bomb"})
    async with asyncio.timeout(40):
        while not (shown := (await owner.ok("GET", f"{path}/{said['id']}"))["embeds"]):
            await asyncio.sleep(0.1)
    assert shown[0]["title"] == "A title"
    assert highest_memory(server) - before < 20_000_000
