"""Forms, names and images made to do harm, through the real door: refused or harmless, and cheap."""

from __future__ import annotations

import io
import json
from pathlib import Path

import httpx
import pytest
from PIL import Image
from tests.community.actors import Guild, Person, guild, person, unlimited
from tests.community.pictures import form, moving, uri
from tests.community.test_files import memory
from tests.community.test_pictures import bomb
from tests.harness.server import Server, serve

PAYLOAD = b'--x\r\nContent-Disposition: form-data; name="payload_json"\r\n\r\n{"content": "hi"}\r\n'
FILE = b'--x\r\nContent-Disposition: form-data; name="files[%d]"; filename="a"\r\n\r\nx\r\n'
END = b"--x--\r\n"
NESTED = (
    b'--x\r\nContent-Disposition: form-data; name="files"\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n'
    b'--y\r\nContent-Disposition: file; filename="a"\r\n\r\nx\r\n--y--\r\n'
)
LONG_HEAD = b'--x\r\nContent-Disposition: form-data; name="a"; more="' + b"m" * 20_000 + b'"\r\n\r\nx\r\n'
FORMS = {
    "ten thousand parts": PAYLOAD
    + b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n' * 10_000
    + END,
    "ten thousand files": PAYLOAD + b"".join(FILE % (each % 100) for each in range(10_000)) + END,
    "an endless head": PAYLOAD + LONG_HEAD + END,
    "no last boundary": PAYLOAD,
    "nothing": b"",
    "another boundary": PAYLOAD.replace(b"--x", b"--z") + b"--z--",
    "a name that is none": PAYLOAD.replace(b'name="payload_json"', b"") + END,
    "the payload in pieces": PAYLOAD.replace(b'{"content"', b"--x\r\n\r\n") + END,
}


async def place(server: Server) -> tuple[Person, Guild]:
    owner = await unlimited(await person(server))
    return owner, await guild(owner)


async def send(
    owner: Person, where: Guild, body: bytes, kind: str = "multipart/form-data; boundary=x"
) -> httpx.Response:
    return await owner.call(
        "POST", f"/channels/{where.text}/messages", content=body, headers={"Content-Type": kind}, timeout=60
    )


@pytest.mark.parametrize("name", FORMS)
async def test_a_hostile_form_is_refused_and_leaves_nothing(server: Server, name: str) -> None:
    owner, where = await place(server)
    refused = await send(owner, where, FORMS[name])
    assert (refused.status_code, refused.json()["code"]) == (400, "VALIDATION_ERROR"), refused.text
    assert await owner.ok("GET", f"/channels/{where.text}/messages") == []
    kept = server.data_dir / "blobs" / "attachments" / where.text
    assert not kept.exists() or not list(kept.iterdir())


@pytest.mark.parametrize(
    "kind",
    ["multipart/form-data", "multipart/form-data; boundary=", "multipart/mixed; boundary=x", "multipart/form-data; boundary=\"" + "b" * 200 + '"'],
)  # fmt: skip
async def test_a_form_that_is_announced_wrongly_is_refused(server: Server, kind: str) -> None:
    owner, where = await place(server)
    refused = await send(owner, where, PAYLOAD + END, kind)
    assert (refused.status_code, refused.json()["code"]) == (400, "VALIDATION_ERROR")


async def test_a_form_within_a_form_is_only_bytes(server: Server) -> None:
    owner, where = await place(server)
    said = (await send(owner, where, PAYLOAD + NESTED + END)).json()
    assert (said["content"], said["attachments"]) == ("hi", [])


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (b"../../../etc/passwd", "passwd"), (b"..\\\\..\\\\win.ini", "win.ini"), (b"a\x00.txt", "a.txt"),
        (b"x.txt\r\nX-Evil: 1", None), (b"CON", "_CON"), (b"\xff\xfe.png", "??.png"), (b"n" * 5000, "n" * 255),
        ("\u202egpj.exe".encode(), "gpj.exe"), (b'a";filename="b', None),
    ],
)  # fmt: skip
async def test_a_name_reaches_neither_a_path_nor_a_header(
    server: Server, sent: bytes, kept: str | None
) -> None:
    owner, where = await place(server)
    part = (
        b'--x\r\nContent-Disposition: form-data; name="files[0]"; filename="' + sent + b'"\r\n\r\nbytes\r\n'
    )
    payload = b'--x\r\nContent-Disposition: form-data; name="payload_json"\r\n\r\n'
    body = part + payload + json.dumps({"attachments": [{"id": 0}]}).encode() + b"\r\n" + END
    answer = await send(owner, where, body)
    assert answer.status_code == 200, answer.text
    (file,) = answer.json()["attachments"]
    name = file["filename"]
    if kept is not None and "?" not in kept:
        assert name == kept
    assert "/" not in name and "\\" not in name and name.isprintable()
    shown = await server.http.get(file["url"])
    assert (shown.status_code, shown.content) == (200, b"bytes")
    assert "x-evil" not in shown.headers
    assert set(shown.headers["content-disposition"]) < set(map(chr, range(32, 127)))
    assert shown.headers["x-content-type-options"] == "nosniff"
    inside = (server.data_dir / "blobs").resolve()
    assert (inside / "attachments" / where.text / file["id"]).exists()


def packed_text() -> bytes:
    """A PNG with a text chunk that unpacks to 64 MiB."""
    import struct
    import zlib

    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "PNG")
    data = b"k\0\0" + zlib.compress(b"\0" * (64 << 20))
    chunk = struct.pack(">I", len(data)) + b"zTXt" + data + struct.pack(">I", zlib.crc32(b"zTXt" + data))
    whole = out.getvalue()
    return whole[:33] + chunk + whole[33:]


def wide(kind: str) -> bytes:
    """A small animation that says its canvas is as large as the format can tell."""
    data = bytearray(moving(kind))
    if kind == "gif":
        data[6:10] = b"\xff\xff\xff\xff"
    else:
        assert data[12:16] == b"VP8X"
        data[24:30] = b"\xfe\x3f\0\xfe\x3f\0"
    return bytes(data)


LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    b'<svg xmlns="http://www.w3.org/2000/svg"><text>&b;&b;</text></svg>'
)


async def test_images_that_unpack_to_too_much_cost_little(tmp_path: Path) -> None:
    """As an avatar they are refused, as a file they are bytes that nobody opens."""
    bombs = {
        "png": bomb(60_000, 60_000), "gif": wide("gif"), "webp": wide("webp"), "svg": LAUGHS,
        "png with text": packed_text(), "gif of many frames": moving("gif", 800, 800, frames=60),
    }  # fmt: skip
    async with serve(tmp_path) as server:
        owner, where = await place(server)
        await owner.ok("PATCH", "/users/@me", {"avatar": uri(moving())})
        before = memory(server)
        for name, data in bombs.items():
            assert len(data) < 2_000_000, name
            tried = await owner.call("PATCH", "/users/@me", {"avatar": uri(data)}, timeout=60)
            assert tried.status_code in (200, 400), (name, tried.text)
            if name in ("png", "gif", "webp", "svg"):
                assert tried.json()["code"] == "VALIDATION_ERROR", name
            sent = await owner.call(
                "POST",
                f"/channels/{where.text}/messages",
                files=form({}, (f"x.{name[:3]}", data)),
                timeout=60,
            )
            assert sent.status_code == 200, name
            (file,) = sent.json()["attachments"]
            whole = await server.http.get(file["url"], timeout=60)
            assert whole.content == data
            small = await server.http.get(file["url"], params={"width": 64, "format": "webp"}, timeout=60)
            assert small.status_code in (200, 400), (name, small.text)
        assert memory(server) - before < 60_000_000
        assert (await server.http.get("/health")).status_code == 200
        assert "Traceback" not in server.log()
