"""Blobs as files in a directory.

A blob is written to a temporary file beside the keys, made durable, and renamed into place: readers see the old
content, the new, or none, and a kill at any moment leaves nothing half-written under a key. A key cannot be both
a file and a directory (`a` and `a/b`); S3 could, so do not make such keys.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import BinaryIO, TypeVar

from flux.kernel.blobs.blocks import Intake
from flux.kernel.blobs.keys import check_key, check_range
from flux.kernel.blobs.port import BlobInfo, BlobMissing
from flux.kernel.faults.ports import Mode, PortFailure, Ports
from flux.kernel.store.ids import random_key

T = TypeVar("T")

_BLOCK = 256 * 1024
_THREADS = 8
_RENAMES = 50
_ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR)


class DirectoryBlobs:
    def __init__(self, root: Path, ports: Ports) -> None:
        self._root = root
        self._ports = ports
        # "~" is in no key, so the unfinished can never be read as finished; one directory, hence one file system.
        self._incoming = root / "~incoming"
        self._incoming.mkdir(parents=True, exist_ok=True)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="blobs")
        _sweep(self._incoming)

    async def put(self, key: str, chunks: AsyncIterator[bytes], *, limit: int) -> BlobInfo:
        """As the port says. When the caller is cancelled while the file is renamed, it may be there."""
        path = self._path(key)
        if self._ports.enabled:
            await self._ports.strike("blobs")
        intake = Intake(chunks, _BLOCK, limit)
        unfinished = _Unfinished(self._incoming)
        try:
            # The last block goes with the finish: a small blob costs a single trip to a thread.
            last = b""
            async for block in intake:
                if last:
                    await self._work(unfinished.write, last)
                last = block
            await self._work(unfinished.finish, last, path, self._root)
        except BaseException:
            await asyncio.wrap_future(self._threads.submit(unfinished.abandon))
            raise
        return BlobInfo(key, intake.size, intake.sha256)

    async def read(self, key: str, *, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        path = self._path(key)
        check_range(start, length)
        if self._ports.enabled:
            await self._ports.strike("blobs")
        left = length
        file, block = await self._work(_open_at, path, start, _BLOCK if left is None else min(left, _BLOCK))
        with file:
            while block:
                yield block
                if left is not None:
                    left -= len(block)
                block = await self._work(file.read, _BLOCK if left is None else min(left, _BLOCK))

    async def size(self, key: str) -> int:
        path = self._path(key)
        if self._ports.enabled:
            await self._ports.strike("blobs")
        return await self._work(_size, path)

    async def delete(self, key: str) -> None:
        path = self._path(key)
        if self._ports.enabled:
            await self._ports.strike("blobs")
        await self._work(_delete, path, self._root)

    async def close(self) -> None:
        await asyncio.to_thread(self._threads.shutdown)

    def _path(self, key: str) -> Path:
        return self._root / check_key(key)

    async def _work(self, act: Callable[..., T], *arguments: object) -> T:
        """In a thread; a failing disk is a failing port."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, act, *arguments)
        except OSError as error:
            reason = errno.errorcode.get(error.errno or 0, "io").lower()
            raise PortFailure("blobs", Mode.ERROR, reason) from error


class _Unfinished:
    """A temporary file. The lock is for `abandon`, which may come while a thread still writes."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / random_key(24)
        self._lock = Lock()
        self._file: BinaryIO | None = None
        self._over = False

    def write(self, block: bytes) -> None:
        with self._lock:
            self._append(block)

    def _append(self, block: bytes) -> BinaryIO:
        if self._over:
            raise ValueError("the file was abandoned")
        if self._file is None:
            self._file = _create(self._path)
        rest = memoryview(block)
        while rest:
            rest = rest[self._file.write(rest) :]
        return self._file

    def finish(self, block: bytes, target: Path, root: Path) -> None:
        with self._lock:
            file = self._append(block)
            os.fsync(file.fileno())
            _rename(self._path, target, root)
            self._over = True
            file.close()

    def abandon(self) -> None:
        with self._lock:
            if self._over:
                return
            self._over = True
            if self._file is not None:
                self._path.unlink(missing_ok=True)
                self._file.close()


def _create(path: Path) -> BinaryIO:
    """A new file, locked: what is in the directory without a lock is a dead process's."""
    while True:
        file = path.open("xb", buffering=0)
        fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file.fileno()).st_nlink:
            return file
        file.close()  # another process swept it in the moment before the lock


def _sweep(directory: Path) -> None:
    for path in directory.iterdir():
        try:
            with path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink(missing_ok=True)
        except (BlockingIOError, FileNotFoundError):
            continue


def _rename(source: Path, target: Path, root: Path) -> None:
    for attempt in range(_RENAMES):
        _make_directory(target.parent, root)
        try:
            source.replace(target)
        except FileNotFoundError:
            if attempt + 1 == _RENAMES:
                raise
            continue  # a delete removed the directory it had emptied, between our two lines
        _fsync_directory(target.parent)
        return


def _make_directory(directory: Path, root: Path) -> None:
    """With every new name in it durable: a file in a directory that a crash forgets is lost."""
    if directory == root or directory.is_dir():
        return
    _make_directory(directory.parent, root)
    try:
        directory.mkdir()
    except FileExistsError:
        if not directory.is_dir():
            raise
    except FileNotFoundError:
        _make_directory(directory, root)
    _fsync_directory(directory.parent)


def _fsync_directory(directory: Path) -> None:
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return  # emptied and removed meanwhile; whoever removed it makes that durable
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _open_at(path: Path, start: int, count: int) -> tuple[BinaryIO, bytes]:
    try:
        file = path.open("rb", buffering=0)
    except OSError as error:
        if error.errno in _ABSENT:
            raise BlobMissing(path.name) from None
        raise
    try:
        file.seek(start)
        return file, file.read(count)
    except BaseException:
        file.close()
        raise


def _size(path: Path) -> int:
    if not path.is_file():
        raise BlobMissing(path.name)
    return path.stat().st_size


def _delete(path: Path, root: Path) -> None:
    try:
        path.unlink()
    except OSError as error:
        if error.errno not in _ABSENT:
            raise
        return
    directory = path.parent
    while directory != root:
        try:
            directory.rmdir()
        except OSError:
            break  # not empty, or already gone
        directory = directory.parent
    _fsync_directory(directory)
