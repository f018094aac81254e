"""What both stores promise."""

from __future__ import annotations

import asyncio
import hashlib

import pytest
from tests.kernel.blobs.streams import broken, content, endless, repeated, stream

from flux.kernel.blobs import BlobInfo, BlobMissing, BlobTooLarge, DirectoryBlobs
from flux.kernel.blobs.s3 import S3Blobs
from flux.kernel.faults.ports import Mode, PortFailure

AnyBlobs = DirectoryBlobs | S3Blobs
MIB = 1024 * 1024


async def missing(blobs: AnyBlobs, key: str) -> bool:
    try:
        await blobs.size(key)
    except BlobMissing:
        return True
    return False


async def test_what_goes_in_comes_out(blobs: AnyBlobs) -> None:
    info = await blobs.put("attachments/1/cat.png", stream(b"me", b"", b"ow"), limit=4)
    assert info == BlobInfo("attachments/1/cat.png", 4, hashlib.sha256(b"meow").hexdigest())
    assert await content(blobs.read("attachments/1/cat.png")) == b"meow"
    assert await blobs.size("attachments/1/cat.png") == 4


async def test_a_blob_of_many_parts(blobs: AnyBlobs) -> None:
    piece = bytes(range(256)) * 4096
    info = await blobs.put("big", repeated(piece, 12), limit=12 * MIB)
    assert (info.size, info.sha256) == (12 * MIB, hashlib.sha256(piece * 12).hexdigest())
    assert await content(blobs.read("big")) == piece * 12
    assert await content(blobs.read("big", start=7 * MIB + 3, length=2 * MIB)) == (piece * 3)[3 : 2 * MIB + 3]


async def test_an_empty_blob_is_a_blob(blobs: AnyBlobs) -> None:
    info = await blobs.put("empty", stream(), limit=0)
    assert (info.size, info.sha256) == (0, hashlib.sha256(b"").hexdigest())
    assert await content(blobs.read("empty")) == b""
    assert await blobs.size("empty") == 0


@pytest.mark.parametrize(
    ("start", "length", "expected"),
    [(0, None, b"0123456789"), (3, None, b"3456789"), (3, 4, b"3456"), (8, 5, b"89"), (0, 1, b"0"), (0, 0, b""), (10, None, b""), (99, 5, b"")],
)  # fmt: skip
async def test_ranges(blobs: AnyBlobs, start: int, length: int | None, expected: bytes) -> None:
    await blobs.put("digits", stream(b"0123456789"), limit=10)
    assert await content(blobs.read("digits", start=start, length=length)) == expected


async def test_a_range_of_nonsense_is_a_bug(blobs: AnyBlobs) -> None:
    for start, length in ((-1, None), (0, -1)):
        with pytest.raises(ValueError, match="range"):
            await content(blobs.read("digits", start=start, length=length))


async def test_a_second_put_replaces_the_first(blobs: AnyBlobs) -> None:
    await blobs.put("k", stream(b"a long first content"), limit=100)
    await blobs.put("k", stream(b"short"), limit=100)
    assert await content(blobs.read("k")) == b"short"


async def test_missing_is_missing(blobs: AnyBlobs) -> None:
    await blobs.put("a/b", stream(b"x"), limit=1)
    for key in ("nothing", "a", "a/b/c", "a/bb"):
        with pytest.raises(BlobMissing):
            await blobs.size(key)
        for start, length in ((0, None), (1, None), (0, 0)):
            with pytest.raises(BlobMissing):
                await content(blobs.read(key, start=start, length=length))


async def test_delete_removes_and_does_not_mind_absence(blobs: AnyBlobs) -> None:
    await blobs.put("a/b/c", stream(b"x"), limit=1)
    await blobs.put("a/d", stream(b"y"), limit=1)
    for key in ("a/b/c", "a/b/c", "a/b", "a", "never/was"):
        await blobs.delete(key)
    assert await missing(blobs, "a/b/c")
    assert await content(blobs.read("a/d")) == b"y"


@pytest.mark.parametrize("size", [10, 7 * MIB])
async def test_past_the_limit_nothing_is_kept(blobs: AnyBlobs, size: int) -> None:
    await blobs.put("k", stream(b"x" * size), limit=size)
    await blobs.delete("k")
    with pytest.raises(BlobTooLarge):
        await blobs.put("k", repeated(b"x" * (size // 2), 1000), limit=size)
    assert await missing(blobs, "k")


@pytest.mark.parametrize("size", [10, 7 * MIB])
async def test_a_stream_that_breaks_leaves_the_old_content(blobs: AnyBlobs, size: int) -> None:
    await blobs.put("k", stream(b"old"), limit=3)
    with pytest.raises(ConnectionResetError):
        await blobs.put("k", broken(b"x" * size), limit=size)
    assert await content(blobs.read("k")) == b"old"


@pytest.mark.parametrize("size", [10, 7 * MIB])
async def test_a_put_that_is_cancelled_leaves_nothing(blobs: AnyBlobs, size: int) -> None:
    task = asyncio.ensure_future(blobs.put("k", endless(b"x" * size), limit=size))
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await missing(blobs, "k")


@pytest.mark.parametrize("key", ["", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "a/./b", "a b", "ä", "a\0", "a\n", "~incoming", "a\\b", "a" * 256, "a/" * 500 + "a"])  # fmt: skip
async def test_only_keys_are_keys(blobs: AnyBlobs, key: str) -> None:
    with pytest.raises(ValueError, match="key"):
        await blobs.put(key, stream(b"x"), limit=1)
    with pytest.raises(ValueError, match="key"):
        await content(blobs.read(key))
    with pytest.raises(ValueError, match="key"):
        await blobs.size(key)
    with pytest.raises(ValueError, match="key"):
        await blobs.delete(key)


async def test_many_at_once(blobs: AnyBlobs) -> None:
    async def one(number: int) -> None:
        await blobs.put(f"many/{number % 7}/{number}", stream(str(number).encode()), limit=10)
        assert await content(blobs.read(f"many/{number % 7}/{number}")) == str(number).encode()
        await blobs.delete(f"many/{number % 7}/{number}")

    await asyncio.gather(*(one(number) for number in range(150)))
    assert await missing(blobs, "many/0/0")


@pytest.mark.parametrize("mode", [Mode.ERROR, Mode.GARBAGE, Mode.UNAVAILABLE, Mode.TIMEOUT])
async def test_an_armed_fault_strikes_every_verb(blobs: AnyBlobs, mode: Mode) -> None:
    await blobs.put("k", stream(b"x"), limit=1)
    blobs._ports.arm("blobs", mode, count=4)
    for act in (
        blobs.put("k", stream(b"y"), limit=1),
        content(blobs.read("k")),
        blobs.size("k"),
        blobs.delete("k"),
    ):
        with pytest.raises(PortFailure) as caught:
            await act
        assert (caught.value.port, caught.value.mode) == ("blobs", mode)
    assert await content(blobs.read("k")) == b"x"
