"""Files of messages and images of places, through the real door on both databases."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from tests.community.actors import API, Guild, Person, guild, person, unlimited
from tests.community.pictures import BLOCKED, explicit, form, moving, still, uri
from tests.community.test_pictures import bomb, zipped
from tests.harness.server import Server, serve

ATTACH_FILES = 1 << 15


async def place(server: Server) -> tuple[Person, Guild]:
    owner = await unlimited(await person(server))
    return owner, await guild(owner)


async def send(by: Person, where: Guild, payload: dict[str, Any], *files: Any) -> httpx.Response:
    return await by.call("POST", f"/channels/{where.text}/messages", files=form(payload, *files))


async def problem(answer: httpx.Response) -> tuple[str, str]:
    told = answer.json()
    assert told["code"] == "VALIDATION_ERROR", told
    return told["errors"][0]["path"], told["errors"][0]["code"]


async def test_a_file_comes_back_as_it_was_sent(server: Server) -> None:
    owner, where = await place(server)
    picture = still("png", 300, 200)
    answer = await send(
        owner,
        where,
        {"embeds": [{"image": {"url": "attachment://cat.png"}}]},
        ("cat.png", picture),
        ("a.txt", b"hi"),
    )
    assert answer.status_code == 200, answer.text
    said = answer.json()
    cat, text = said["attachments"]
    assert (cat["width"], cat["height"], cat["size"], cat["content_type"]) == (
        300,
        200,
        len(picture),
        "image/png",
    )
    assert said["embeds"][0]["image"]["url"] == cat["url"]
    shown = await server.http.get(cat["url"])
    assert shown.content == picture
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert "immutable" in shown.headers["cache-control"]
    again = await server.http.get(cat["url"], headers={"If-None-Match": shown.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    small = await server.http.get(cat["url"], params={"width": 100, "format": "webp"})
    assert Image.open(io.BytesIO(small.content)).size == (100, 67)
    assert (await server.http.get(text["url"])).headers["content-type"] == "text/plain; charset=utf-8"
    read = await owner.ok("GET", f"/channels/{where.text}/messages/{said['id']}")
    assert read["attachments"] == said["attachments"]


async def test_a_file_is_served_in_parts(server: Server) -> None:
    owner, where = await place(server)
    data = bytes(range(256)) * 3000
    picture = still("png", 300, 200)
    answer = await send(owner, where, {}, ("film.mp4", data, "video/mp4"), ("cat.png", picture))
    film, cat = (each["url"] for each in answer.json()["attachments"])
    whole = await server.http.get(film)
    assert (whole.status_code, whole.headers["accept-ranges"]) == (200, "bytes")
    size = len(data)
    for asked, start, end in (
        ("bytes=0-0", 0, 0),
        ("bytes=500-700499", 500, 700_499),
        ("bytes=767999-", size - 1, size - 1),
        ("bytes=700000-99999999", 700_000, size - 1),
        ("bytes=-10", size - 10, size - 1),
        ("BYTES = -9999999", 0, size - 1),
    ):
        part = await server.http.get(film, headers={"Range": asked})
        assert (part.status_code, part.content) == (206, data[start : end + 1]), asked
        assert part.headers["content-range"] == f"bytes {start}-{end}/{size}"
        assert part.headers["content-length"] == str(end - start + 1)
        assert part.headers["etag"] == whole.headers["etag"]
    for ignored in (
        "bytes=5-4",
        "bytes=-",
        "bytes=a-b",
        "items=0-1",
        "bytes=0-1,4-5",
        "bytes=" + "9" * 5000 + "-",
        "0-1",
    ):
        part = await server.http.get(film, headers={"Range": ignored})
        assert (part.status_code, len(part.content)) == (200, size), ignored
    mark = whole.headers["etag"]
    for version, status in (
        (mark, 206),
        (f"W/{mark}", 200),
        ('"other"', 200),
        ("Thu, 01 Jan 2026 00:00:00 GMT", 200),
    ):
        part = await server.http.get(film, headers={"Range": "bytes=0-9", "If-Range": version})
        assert part.status_code == status, version
    known = await server.http.get(film, headers={"Range": "bytes=0-9", "If-None-Match": mark})
    assert known.status_code == 304
    head = await server.http.head(film, headers={"Range": "bytes=0-9"})
    assert (head.status_code, head.headers["content-length"]) == (200, str(size))
    small = await server.http.get(cat, params={"width": 100, "format": "webp"})
    part = await server.http.get(
        cat, params={"width": 100, "format": "webp"}, headers={"Range": "bytes=4-11"}
    )
    assert (part.status_code, part.content) == (206, small.content[4:12])


async def test_entries_and_files_must_fit(server: Server) -> None:
    owner, where = await place(server)
    for payload in (
        {"attachments": []},
        {"attachments": [{"id": 1, "filename": "x"}]},
        {"attachments": [{"id": 0, "filename": "x"}, {"id": 0, "filename": "y"}]},
    ):
        assert (await problem(await send(owner, where, payload, ("x", b"x"))))[0] == "attachments"
    alone = await owner.call(
        "POST", f"/channels/{where.text}/messages", {"attachments": [{"id": 0, "filename": "x"}]}
    )
    assert (await problem(alone))[0] == "attachments"
    eleven = await send(owner, where, {}, *[("x", b"x")] * 11)
    assert await problem(eleven) == ("attachments", "LENGTH_INVALID")
    nothing = await owner.call("POST", f"/channels/{where.text}/messages", files={"other": b"x"})
    assert await problem(nothing) == ("payload_json", "REQUIRED")
    for body in (b"", b"--x\r\n\r\n", b"--x--", b"x" * 9999):
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        broken = await owner.call("POST", f"/channels/{where.text}/messages", content=body, headers=headers)
        assert broken.json()["code"] == "VALIDATION_ERROR"


async def test_hostile_files_are_harmless(server: Server) -> None:
    owner, where = await place(server)
    answer = await send(
        owner, where, {}, ("../../x.html", b"<script>alert(1)</script>", "text/html"),
        ("x.png", b"<svg onload=alert(1)>", "image/png"), ("bomb.png", bomb(60_000, 60_000)),
    )  # fmt: skip
    assert answer.status_code == 200, answer.text
    page, lie, huge = answer.json()["attachments"]
    assert page["filename"] == "x.html"
    for each in (page, lie):
        shown = await server.http.get(each["url"])
        assert shown.headers["content-type"] == "application/octet-stream"
        assert shown.headers["content-disposition"].startswith("attachment")
        assert "sandbox" in shown.headers["content-security-policy"]
    assert lie["content_type"] == "application/octet-stream" and lie["width"] is None
    small = await server.http.get(huge["url"], params={"width": 64})
    assert await problem(small) == ("format", "IMAGE_TOO_LARGE")
    refused = await send(owner, where, {}, ("x.zip", zipped(120)))
    assert await problem(refused) == ("attachments", "ARCHIVE_BOMB")
    blocked = await send(owner, where, {}, ("x", BLOCKED))
    assert blocked.json()["code"] == "CONTENT_BLOCKED"
    base = f"{API}/attachments/{where.text}/{page['id']}"
    for path in ("y.html", "..%2f..%2fx.html", "x.html/..", "%00", "x.html?format=exe"):
        assert (await server.http.get(f"{base}/{path}")).status_code in (400, 404)
    assert (await server.http.get(f"{API}/attachments/1/{page['id']}/x.html")).status_code == 404


async def test_explicit_images_stay_where_they_belong(server: Server) -> None:
    owner, where = await place(server)
    assert (await send(owner, where, {}, ("x.png", explicit()))).status_code == 200
    await owner.ok("PATCH", f"/guilds/{where.id}", {"explicit_content_filter": 2})
    answer = await send(owner, where, {}, ("x.png", explicit()))
    assert answer.json()["code"] == "EXPLICIT_CONTENT_CANNOT_BE_SENT"
    assert (await send(owner, where, {}, ("x.png", explicit("0.1")))).status_code == 200
    await owner.ok("PATCH", f"/channels/{where.text}", {"nsfw": True})
    assert (await send(owner, where, {}, ("x.png", explicit()))).status_code == 200


async def test_who_may_not_attach_is_refused_before_a_byte_is_kept(server: Server) -> None:
    owner, where = await place(server)
    member = await unlimited(await person(server))
    await where.admit(member)
    await owner.ok(
        "PUT", f"/channels/{where.text}/permissions/{where.id}", {"type": 0, "deny": str(ATTACH_FILES)}
    )
    answer = await send(member, where, {"content": "x"}, ("x", b"x"))
    assert answer.json()["code"] == "MISSING_PERMISSIONS"
    assert (await send(member, where, {"content": "x"})).status_code == 200
    stranger = await person(server)
    assert (await send(stranger, where, {}, ("x", b"x"))).json()["code"] == "MISSING_ACCESS"


async def test_edits_keep_drop_and_add_files(server: Server) -> None:
    owner, where = await place(server)
    said = (await send(owner, where, {"content": "x"}, ("a", b"1"), ("b", b"2"))).json()
    first, second = said["attachments"]
    path = f"/channels/{where.text}/messages/{said['id']}"
    entries = [{"id": first["id"], "description": "one"}, {"id": 0, "filename": "c"}]
    edited = await owner.call("PATCH", path, files=form({"attachments": entries}, ("c", b"3")))
    kept, added = edited.json()["attachments"]
    assert (kept["id"], kept["description"], added["filename"]) == (first["id"], "one", "c")
    assert (await server.http.get(second["url"])).status_code == 404
    assert (await server.http.get(added["url"])).content == b"3"
    await owner.ok("PATCH", path, {"content": "y"})
    assert len((await owner.ok("GET", path))["attachments"]) == 2
    await owner.ok("DELETE", f"{path}/attachments/{added['id']}")
    assert (await owner.call("DELETE", f"{path}/attachments/{added['id']}")).status_code == 404
    await owner.ok("PATCH", path, {"content": ""})
    await owner.ok("DELETE", f"{path}/attachments/{first['id']}")
    assert (await owner.call("GET", path)).json()["code"] == "UNKNOWN_MESSAGE"


async def test_a_forward_and_a_nonce_carry_their_files(server: Server) -> None:
    owner, where = await place(server)
    said = (await send(owner, where, {"nonce": "n1"}, ("a", b"1"))).json()
    again = (await send(owner, where, {"nonce": "n1"}, ("a", b"1"))).json()
    assert again["id"] == said["id"] and again["attachments"] == said["attachments"]
    reference = {"message_id": said["id"], "type": 1}
    forward = await owner.ok("POST", f"/channels/{where.text}/messages", {"message_reference": reference})
    assert forward["message_snapshots"][0]["attachments"][0]["url"] == said["attachments"][0]["url"]


async def test_files_of_what_is_gone_are_swept(server: Server) -> None:
    owner, where = await place(server)
    said = (await send(owner, where, {}, ("a", b"1"))).json()
    kept = (await send(owner, where, {}, ("b", b"2"))).json()
    path = server.data_dir / "blobs" / "attachments" / where.text
    assert (path / said["attachments"][0]["id"]).exists()
    await owner.ok("DELETE", f"/channels/{where.text}/messages/{said['id']}")
    assert (await server.http.get(said["attachments"][0]["url"])).status_code == 404
    await server.sandbox.clock(90_000)
    await until(lambda: not (path / said["attachments"][0]["id"]).exists())
    assert (path / kept["attachments"][0]["id"]).exists()


async def until(true: Any, seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.1)


async def test_small_limits(tmp_path: Path) -> None:
    settings = {
        "community.limits.attachment_bytes": 1000,
        "community.limits.message_attachments_bytes": 1500,
        "community.limits.emoji_bytes": 300,
    }
    async with serve(tmp_path, settings=settings) as server:
        owner, where = await place(server)
        large = await send(owner, where, {}, ("a", b"x" * 1001))
        assert (large.status_code, large.json()["code"], large.json()["max_size"]) == (
            413,
            "FILE_SIZE_TOO_LARGE",
            1000,
        )
        total = await send(owner, where, {}, ("a", b"x" * 1000), ("b", b"x" * 501))
        assert total.json()["code"] == "MESSAGE_TOTAL_ATTACHMENT_SIZE_TOO_LARGE"
        fits = await send(owner, where, {}, ("a", b"x" * 1000), ("b", b"x" * 500))
        assert fits.status_code == 200
        body = {"name": "big", "image": uri(still("png", 200, 200) + b"x" * 300)}
        emoji = await owner.call("POST", f"/guilds/{where.id}/emojis", body)
        assert emoji.json()["code"] == "FILE_SIZE_TOO_LARGE"
        blobs = server.data_dir / "blobs" / "attachments" / where.text
        assert len(list(blobs.iterdir())) == 2, "what was refused is not kept"


async def test_twenty_five_mebibytes_in_constant_memory(tmp_path: Path) -> None:
    size = 25 * 1_048_576
    async with serve(tmp_path) as server:
        owner, where = await place(server)
        await send(owner, where, {}, ("warm", b"x" * 100_000))
        before = memory(server)

        async def body() -> AsyncIterator[bytes]:
            told = json.dumps({"attachments": [{"id": 0, "filename": "big"}]}).encode()
            yield b'--x\r\nContent-Disposition: form-data; name="files[0]"; filename="big"\r\n\r\n'
            for _ in range(size // 65_536):
                yield b"x" * 65_536
            yield (
                b'\r\n--x\r\nContent-Disposition: form-data; name="payload_json"\r\n\r\n'
                + told
                + b"\r\n--x--\r\n"
            )

        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        answer = await owner.call(
            "POST", f"/channels/{where.text}/messages", content=body(), headers=headers, timeout=60
        )
        assert answer.status_code == 200, answer.text
        assert answer.json()["attachments"][0]["size"] == size
        assert memory(server) - before < 8_000_000
        got = 0
        async with server.http.stream("GET", answer.json()["attachments"][0]["url"]) as shown:
            async for piece in shown.aiter_bytes():
                got += len(piece)
        assert got == size
        assert memory(server) - before < 8_000_000


def memory(server: Server) -> int:
    """The process's highest resident size so far, in bytes."""
    status = Path(f"/proc/{server.process.pid}/status").read_text("utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


async def test_emojis_and_stickers(server: Server) -> None:
    owner, where = await place(server)
    made = await owner.ok(
        "POST", f"/guilds/{where.id}/emojis", {"name": "dance", "image": uri(moving()), "roles": []}
    )
    assert made["animated"] is True
    shown = await server.http.get(f"{API}/emojis/{made['id']}.gif")
    assert shown.content == moving()
    still_one = await server.http.get(f"{API}/emojis/{made['id']}.webp?size=16&animated=false")
    assert Image.open(io.BytesIO(still_one.content)).format == "WEBP"
    assert (await server.http.get(f"{API}/emojis/{made['id']}.webp?size=17")).status_code == 400
    for path in (
        "emojis/1.webp",
        f"emojis/{made['id']}.exe",
        "emojis/x",
        "avatars/1/00000000.png",
        "icons/1/..%2fx",
    ):
        assert (await server.http.get(f"{API}/{path}")).json()["code"] == "NOT_FOUND", path
    renamed = await owner.ok("PATCH", f"/guilds/{where.id}/emojis/{made['id']}", {"name": "jump"})
    assert renamed["name"] == "jump"
    said = await where.say(owner)
    reactions = f"/channels/{where.text}/messages/{said['id']}/reactions"
    await owner.ok("PUT", f"{reactions}/jump:{made['id']}/@me")
    seen = (await owner.ok("GET", f"/channels/{where.text}/messages/{said['id']}"))["reactions"]
    assert seen == [{"emoji": {"name": "jump", "id": made["id"], "animated": True}, "count": 1, "me": True}]
    await owner.ok("DELETE", f"/guilds/{where.id}/emojis/{made['id']}")
    assert (await owner.call("GET", f"/guilds/{where.id}/emojis/{made['id']}")).json()[
        "code"
    ] == "UNKNOWN_EMOJI"
    assert (await owner.ok("GET", f"/guilds/{where.id}/emojis")) == []
    body = {"name": "wave", "tags": ["hi"], "image": uri(still())}
    sticker = await owner.ok("POST", f"/guilds/{where.id}/stickers", body)
    assert (sticker["tags"], sticker["description"]) == (["hi"], "")
    for path in ("sticker", "stickers"):
        assert (await owner.ok("GET", f"/guilds/{where.id}/{path}/{sticker['id']}"))["name"] == "wave"
    sent = await owner.ok("POST", f"/channels/{where.text}/messages", {"sticker_ids": [sticker["id"]]})
    assert sent["stickers"] == [{"id": sticker["id"], "name": "wave", "animated": False}]
    other, elsewhere = await place(server)
    refused = await other.call(
        "POST", f"/channels/{elsewhere.text}/messages", {"sticker_ids": [sticker["id"]]}
    )
    assert refused.json()["code"] == "UNKNOWN_STICKER"
    await owner.ok("DELETE", f"/guilds/{where.id}/stickers/{sticker['id']}")
    gone = await owner.call("DELETE", f"/guilds/{where.id}/stickers/{sticker['id']}")
    assert gone.json()["code"] == "UNKNOWN_STICKER"
    log = await owner.ok("GET", f"/guilds/{where.id}/audit-logs")
    assert [each["action_type"] for each in log["audit_log_entries"]] == [92, 90, 62, 61, 60]


async def test_images_that_are_none(server: Server) -> None:
    owner, where = await place(server)
    for image in (
        "x",
        "data:image/png;base64,aGk=",
        uri(still()[:48]),
        uri(bomb(60_000, 60_000)),
        uri(b"<svg/>"),
    ):
        answer = await owner.call("POST", f"/guilds/{where.id}/emojis", {"name": "bad", "image": image})
        assert (await problem(answer))[0] == "image", image
    blocked = await owner.call(
        "POST", f"/guilds/{where.id}/emojis", {"name": "bad", "image": uri(explicit())}
    )
    assert blocked.json()["code"] == "EXPLICIT_CONTENT_CANNOT_BE_SENT"
    jpeg = await owner.call(
        "POST", f"/guilds/{where.id}/stickers", {"name": "bad", "image": uri(still("jpeg"))}
    )
    assert (await problem(jpeg))[0] == "image"


async def test_many_at_once_tell_what_failed(server: Server) -> None:
    owner, where = await place(server)
    body = {"emojis": [{"name": "good", "image": uri(still())}, {"name": "bad", "image": "x"}]}
    told = await owner.ok("POST", f"/guilds/{where.id}/emojis/bulk", body)
    assert [each["name"] for each in told["success"]] == ["good"]
    assert told["failed"] == [{"name": "bad", "error": "VALIDATION_ERROR"}]


@pytest.mark.parametrize("end", ["kill", "terminate"])
async def test_workers_end_with_their_server(tmp_path: Path, end: str) -> None:
    async with serve(tmp_path) as server:
        owner, where = await place(server)
        await owner.ok("POST", f"/guilds/{where.id}/emojis", {"name": "one", "image": uri(still())})
        workers = [pid for pid in children(server.process.pid) if b"developing" in command(pid)]
        assert workers
        getattr(server, end)()
        await until(lambda: not any(b"developing" in command(pid) for pid in workers))


def children(pid: int) -> list[int]:
    """Of a process, theirs included."""
    found = [
        int(each)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for each in (task / "children").read_text("utf-8").split()
    ]
    return [*found, *(grandchild for child in found for grandchild in children(child))]


def command(pid: int) -> bytes:
    """Empty when it is gone."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
