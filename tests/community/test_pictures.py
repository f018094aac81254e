"""What a file is and may be called, told from its bytes and name alone; and the worker that decodes."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from tests.community.pictures import explicit, moving, still

from flux.community.media.darkroom import BadImage, Darkroom, whole
from flux.community.media.developing import Order, develop
from flux.community.media.probe import Picture, look, png_text
from flux.community.media.rules import decode, fitting
from flux.community.uploads import archives, naming
from flux.settings.community_media import Media

KINDS = ("png", "jpeg", "gif", "webp", "avif")


@pytest.mark.parametrize("kind", KINDS)
def test_a_still_image_is_known_by_its_bytes(kind: str) -> None:
    assert look(still(kind, 30, 20)) == Picture(kind, 30, 20)


@pytest.mark.parametrize("kind", ["png", "gif", "webp", "avif"])
def test_an_animation_is_known_by_its_bytes(kind: str) -> None:
    assert look(moving(kind, 32, 16)) == Picture(kind, 32, 16, True)


@pytest.mark.parametrize("mode", ["RGBA", "L"])
def test_webp_in_its_three_forms(mode: str) -> None:
    for lossless in (True, False):
        out = io.BytesIO()
        Image.new(mode, (77, 33)).save(out, "WEBP", lossless=lossless)
        found = look(out.getvalue())
        assert found is not None and (found.width, found.height) == (77, 33)


@given(
    data=st.binary(max_size=300),
    start=st.sampled_from([b"", *(still(kind)[:40] for kind in KINDS), moving()[:40]]),
)
def test_nothing_makes_the_probe_fail(data: bytes, start: bytes) -> None:
    found = look(start + data)
    assert found is None or 0 < found.width <= 65_535
    png_text(start + data, b"flux:explicit")


@pytest.mark.parametrize(
    "data", [b"", b"<svg/>", b"GIF89a", b"\xff\xd8\xff", b"RIFFxxxxWEBP", b"\0\0\0\x18ftypavif"]
)
def test_what_is_no_image_is_none(data: bytes) -> None:
    assert look(data) is None


def test_the_text_of_a_png() -> None:
    assert png_text(explicit("0.5"), b"flux:explicit") == b"0.5"
    assert png_text(still(), b"flux:explicit") is None


def bomb(width: int, height: int) -> bytes:
    """A PNG that says it is huge, of a few hundred bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 100_000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def test_too_many_pixels_are_not_decoded() -> None:
    answer, _ = develop(Order(0, 1_000_000, 10, "webp"), bomb(50_000, 50_000))
    assert answer.error == "too_many_pixels"


@pytest.mark.parametrize("target", KINDS)
@pytest.mark.parametrize("source", KINDS)
def test_every_format_becomes_every_other(source: str, target: str) -> None:
    answer, data = develop(Order(0, 1_000_000, 10, target, 15, 15), still(source, 60, 40))
    assert (answer.error, answer.width, answer.height) == ("", 15, 10)
    assert look(data) == Picture(target, 15, 10)


@pytest.mark.parametrize("target", ["gif", "webp", "png"])
def test_an_animation_stays_one(target: str) -> None:
    answer, data = develop(Order(0, 1_000_000, 2, target, 8, 8, True), moving("gif", 16, 16))
    assert answer.error == ""
    assert look(data) == Picture(target, 8, 8, True)
    assert getattr(Image.open(io.BytesIO(data)), "n_frames", 1) == 2


def test_a_long_animation_on_a_large_canvas_is_cut_short() -> None:
    """A few bytes can stand for a frame of millions of pixels: what is drawn in all is bounded too."""
    order = Order(0, 1_000_000, 250, "webp", 8, 8, True, animated_pixels=50_000)
    answer, data = develop(order, moving("gif", 100, 100, frames=20))
    assert answer.error == ""
    assert getattr(Image.open(io.BytesIO(data)), "n_frames", 1) == 5


@given(data=st.binary(max_size=300), start=st.sampled_from([still(kind)[:60] for kind in KINDS]))
def test_broken_images_are_refused(data: bytes, start: bytes) -> None:
    answer, _ = develop(Order(0, 1_000_000, 10), start + data)
    assert answer.error in ("", "not_an_image", "too_many_pixels")


async def test_a_worker_survives_what_it_refuses_and_is_replaced_when_it_dies() -> None:
    room = Darkroom(Media())
    try:
        for data in (b"nonsense", bomb(60_000, 60_000)):
            with pytest.raises(BadImage):
                await room.develop(whole(data), len(data), format="png")
        process = room._workers[0]._process
        assert process is not None
        process.kill()
        with pytest.raises(BadImage):
            await room.develop(whole(still()), len(still()), format="png")
        data, answer = await room.develop(whole(still()), len(still()), format="webp")
        assert look(data) == Picture("webp", 8, 8) and answer.width == 8
    finally:
        await room.close()
    assert room._workers[0]._process is None


async def test_work_that_takes_too_long_ends_with_its_worker() -> None:
    room = Darkroom(Media(seconds=0.001))
    with pytest.raises(BadImage) as refusal:
        await room.develop(whole(still()), len(still()), format="png")
    assert refusal.value.reason == "too_slow"
    assert room._workers[0]._process is None


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("cat.png", "cat.png"), ("../../etc/passwd", "passwd"), ("C:\\x\\evil.exe", "evil.exe"), ("..", "file"),
        ("", "file"), (None, "file"), ("a/", "file"), ("a\0b\r\n.txt", "ab.txt"), ("\u202egnp.exe", "gnp.exe"),
        ("CON", "_CON"), ("aux.txt", "_aux.txt"), ("Lpt1 ", "_Lpt1"), ("com\u00b9.tar.gz", "_com\u00b9.tar.gz"), ("nul.", "_nul"),
        ("cone.png", "cone.png"), ("x.png. . ", "x.png"), ("x" * 300 + "." + "y" * 300, "x" * 255),
        (".bashrc", ".bashrc"), ("x" * 300 + ".png", "x" * 251 + ".png"), ("日本.png", "日本.png"),
    ],
)  # fmt: skip
def test_names_are_only_names(sent: str | None, kept: str) -> None:
    assert naming.clean(sent) == kept


@given(st.text())
def test_no_name_is_a_path(sent: str) -> None:
    name = naming.clean(sent)
    assert 0 < len(name) <= 255 and "/" not in name and "\\" not in name and name.strip(".")
    assert name.encode("utf-8").isascii() or name


@pytest.mark.parametrize(
    ("claimed", "name", "said", "served"),
    [
        ("text/html", "x.html", "text/html", "application/octet-stream"),
        ("image/png", "x.png", "application/octet-stream", "application/octet-stream"),
        ("image/svg+xml", "x.svg", "application/octet-stream", "application/octet-stream"),
        ("", "x.txt", "text/plain", "text/plain; charset=utf-8"),
        ("application/octet-stream", "x.mp4", "video/mp4", "video/mp4"),
        ("a b\r\nX: y", "x", "application/octet-stream", "application/octet-stream"),
    ],
)
def test_lying_types(claimed: str, name: str, said: str, served: str) -> None:
    assert naming.content_type(claimed, name, None) == said
    assert naming.served_as(said) == served


def test_an_image_is_what_its_bytes_are() -> None:
    assert naming.content_type("text/html", "x.html", look(still("gif"))) == "image/gif"


def zipped(megabytes: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("zeros", b"\0" * (megabytes << 20))
    return out.getvalue()


def test_an_archive_that_unpacks_to_far_too_much() -> None:
    data = zipped(120)
    assert archives.is_zip(data)
    assert archives.is_bomb(data, len(data), 500)
    assert not archives.is_bomb(data, len(data), 100_000)
    honest = zipped(1)
    assert not archives.is_bomb(honest, len(honest), 1)


@given(st.binary(max_size=300), st.integers(0, 1 << 40))
def test_nothing_makes_the_archive_check_fail(tail: bytes, size: int) -> None:
    archives.is_bomb(b"PK\x01\x02" + tail + b"PK\x05\x06" + tail, size, 10)


def test_data_uris() -> None:
    assert decode("data:image/png;base64,aGk=") == decode("aGk=") == b"hi"
    for text in ("", "data:image/png;base64,", "data:text/plain,hi", "!!!", "data:image/png;base64,a"):
        assert decode(text) is None


def test_sizes() -> None:
    assert [size for size in range(1, 200) if fitting(size)] == [16, 24, 32, 48, 64, 96, 128, 192]
