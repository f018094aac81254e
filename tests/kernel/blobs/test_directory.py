"""What only files have to prove: kills, leftovers, memory, a disk that refuses."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
import tracemalloc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.kernel.blobs.streams import broken, content, repeated, stream

from flux.kernel.blobs import DirectoryBlobs
from flux.kernel.faults.ports import Mode, PortFailure, Ports


@pytest.fixture
async def blobs(tmp_path: Path) -> AsyncIterator[DirectoryBlobs]:
    made = DirectoryBlobs(tmp_path / "blobs", Ports())
    yield made
    await made.close()


def files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


async def test_a_broken_put_leaves_no_file_at_all(blobs: DirectoryBlobs, tmp_path: Path) -> None:
    with pytest.raises(ConnectionResetError):
        await blobs.put("a/b", broken(b"x" * 1_000_000), limit=2_000_000)
    assert files(tmp_path) == []


async def test_a_blob_and_its_name_are_durable_before_a_put_ends(
    blobs: DirectoryBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a power cut leaves cannot be tried, but what was asked of the disk, and when, can be seen."""
    target = tmp_path / "blobs"
    synced: list[tuple[str, list[str]]] = []
    real = os.fsync

    def watched(descriptor: int) -> None:
        there = [str(path.relative_to(target)) for path in target.rglob("b") if path.is_file()]
        synced.append((os.readlink(f"/proc/self/fd/{descriptor}"), there))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", watched)
    await blobs.put("dir/a/b", stream(b"bytes"), limit=10)
    [whole] = [path for path in target.rglob("b") if path.is_file()]
    name = str(whole.relative_to(target))
    # The bytes first, while they have no name; then the name, and the names of the directories on the way to it.
    before = [place for place, there in synced if not there and not Path(place).is_dir()]
    after = [place for place, there in synced if name in there]
    assert len(before) == 1 and str(whole.parent) in after
    directories = {place for place, _ in synced if Path(place).is_dir()}
    assert directories >= {str(each) for each in whole.parents if each.is_relative_to(target / "dir")}
    assert str((target / "dir").parent) in directories
    synced.clear()
    await blobs.delete("dir/a/b")
    assert synced and not synced[-1][1], "that it is gone is durable too"


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from flux.kernel.blobs import DirectoryBlobs
from flux.kernel.faults.ports import Ports

async def chunks():
    yield b"x" * 1_000_000
    yield b"y" * 1_000_000
    yield b"z"
    await asyncio.sleep(0.2)
    os.kill(os.getpid(), signal.SIGKILL)
    yield b"never"

async def main():
    blobs = DirectoryBlobs(Path(sys.argv[1]), Ports())
    async def done():
        yield b"whole"
    await blobs.put("whole", done(), limit=10)
    await blobs.put("half", chunks(), limit=10_000_000)

asyncio.run(main())
"""


async def test_what_a_killed_process_left_is_swept_and_what_a_living_one_writes_is_not(
    tmp_path: Path,
) -> None:
    root = tmp_path / "blobs"
    killed = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", textwrap.dedent(KILLED), str(root)], check=False
    )
    assert killed.returncode == -9
    assert len(files(root)) == 2, "one whole blob, one unfinished file"
    living = DirectoryBlobs(root, Ports())
    assert files(root) == ["whole"]

    going_on = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"x" * 600_000
        yield b"y" * 600_000
        await going_on.wait()

    writing = asyncio.ensure_future(living.put("slow", slow(), limit=2_000_000))
    async with asyncio.timeout(30):
        while len(files(root)) < 2:
            await asyncio.sleep(0.01)
    other = DirectoryBlobs(root, Ports())
    going_on.set()
    assert (await writing).size == 1_200_000
    assert await content(other.read("whole")) == b"whole"
    await living.close()
    await other.close()


async def test_memory_stays_constant_however_large_the_blob(blobs: DirectoryBlobs) -> None:
    piece = b"x" * 65_536
    await blobs.put("warm", repeated(piece, 20), limit=2_000_000)
    tracemalloc.start()
    try:
        await blobs.put("big", repeated(piece, 1024), limit=1024 * 65_536)
        async for _ in blobs.read("big"):
            pass
        assert tracemalloc.get_traced_memory()[1] < 4 * 1024 * 1024
    finally:
        tracemalloc.stop()


async def test_a_reader_keeps_the_content_it_opened(blobs: DirectoryBlobs) -> None:
    await blobs.put("k", stream(b"a" * 1_000_000), limit=1_000_000)
    reading = blobs.read("k")
    first = await anext(reading)
    await blobs.put("k", stream(b"b" * 1_000_000), limit=1_000_000)
    await blobs.delete("k")
    assert set(first + await content(reading)) == {ord("a")}


async def test_deleting_tidies_up_the_directories_it_empties(blobs: DirectoryBlobs, tmp_path: Path) -> None:
    await blobs.put("a/b/c/d", stream(b"x"), limit=1)
    await blobs.put("a/e", stream(b"x"), limit=1)
    await blobs.delete("a/b/c/d")
    assert sorted(path.name for path in (tmp_path / "blobs" / "a").iterdir()) == ["e"]
    await blobs.delete("a/e")
    assert sorted(path.name for path in (tmp_path / "blobs").iterdir()) == ["~incoming"]


async def test_a_disk_that_refuses_is_a_failing_port(blobs: DirectoryBlobs, tmp_path: Path) -> None:
    await blobs.put("a", stream(b"x"), limit=1)
    with pytest.raises(PortFailure) as caught:
        await blobs.put("a/b", stream(b"x"), limit=1)
    assert (caught.value.port, caught.value.mode, caught.value.reason) == ("blobs", Mode.ERROR, "eexist")
    assert files(tmp_path / "blobs") == ["a"]
    (tmp_path / "blobs" / "~incoming").rmdir()
    with pytest.raises(PortFailure) as caught:
        await blobs.put("c", stream(b"x"), limit=1)
    assert caught.value.reason == "enoent"
