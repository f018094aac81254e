"""Reading a file into an environment: structure first, then resources in batches, a few at a time.

What was done is noted beside the file (`….progress`); a second run goes on there. It may also begin anew: what is the
same already is left alone, since a resource has the same key whenever it is imported.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import msgspec

from flux.porting import records, structure
from flux.porting.applying import Say, apply
from flux.porting.progress import Bar
from flux.porting.structure import Json, Names
from flux.porting.target import PortingError, Refused, Target

BATCH_ITEMS = 200
BATCH_BYTES = 600_000
AT_ONCE = 4


@dataclass(slots=True)
class Told:
    created: int = 0
    changed: int = 0
    unchanged: int = 0

    @property
    def all(self) -> int:
        return self.created + self.changed + self.unchanged


@dataclass(slots=True)
class _Batch:
    """Resources of one folder. `line` and `offset` are where the file goes on behind them."""

    folder: str
    items: list[Json] = field(default_factory=list)
    bytes: int = 0
    line: int = 0
    offset: int = 0

    def has_room(self, folder: str) -> bool:
        return self.folder == folder and len(self.items) < BATCH_ITEMS and self.bytes < BATCH_BYTES


class _Mark(msgspec.Struct):
    """How far an import came: into which environment, of which file."""

    environment: str
    file: str
    line: int
    offset: int


async def import_file(
    target: Target, path: Path, say: Say, *, shape: bool = True, keep_keys: bool = False, quiet: bool = False
) -> Told:
    """`shape`: bring the structure in line first, adding and changing only. `keep_keys`: resources keep their keys,
    which an instance has once; without it those of another environment get keys of their own."""
    with path.open("rb") as file:
        head, wanted = _opening(file)
        mark = _read_mark(path, head, target)
        if shape and mark is None:
            await apply(target, wanted, say)
        _, names = await structure.read(target)
        same = keep_keys or head["environment"] == target.environment
        rewriting = records.Rewriting(
            wanted, (lambda key: key) if same else lambda key: records.under(target.environment, key)
        )
        if mark is not None:
            file.seek(mark.offset)
        importing = _Importing(target, names, rewriting, path, _digest(head, wanted))
        return await importing.run(file, mark.line if mark else 2, quiet=quiet)


class _Importing:
    def __init__(
        self, target: Target, names: Names, rewriting: records.Rewriting, path: Path, digest: str
    ) -> None:
        self._target = target
        self._folders = names.folder_keys
        self._components = names.component_keys
        self._rewriting = rewriting
        self._path = path
        self._digest = digest
        self._told = Told()
        self._broken: PortingError | None = None

    async def run(self, file: IO[bytes], number: int, *, quiet: bool) -> Told:
        """A few batches of one folder at a time, the next as soon as the oldest is done: the server never waits for the
        file to be read. The next folder waits, since it may belong to this one's resources."""
        bar = Bar("import", self._path.stat().st_size, quiet=quiet)
        under_way: deque[tuple[_Batch, asyncio.Task[Json]]] = deque()
        try:
            for batch in self._readable(file, number):
                most = AT_ONCE if under_way and under_way[-1][0].folder == batch.folder else 1
                while len(under_way) >= most:
                    await self._finish(*under_way.popleft(), bar)
                under_way.append((batch, asyncio.create_task(self._write(batch))))
                # It is sent before the next one is read.
                await asyncio.sleep(0)
            while under_way:
                await self._finish(*under_way.popleft(), bar)
        finally:
            for _, task in under_way:
                task.cancel()
            await asyncio.gather(*(task for _, task in under_way), return_exceptions=True)
        bar.close()
        if self._broken is not None:
            raise self._broken
        _mark_path(self._path).unlink(missing_ok=True)
        return self._told

    def _readable(self, file: IO[bytes], number: int) -> Iterator[_Batch]:
        """Up to what cannot be read, if anything: what was read before it is written all the same."""
        try:
            yield from self._batches(file, number)
        except PortingError as problem:
            self._broken = problem

    def _batches(self, file: IO[bytes], number: int) -> Iterator[_Batch]:
        batch: _Batch | None = None
        ended, offset = False, file.tell()
        for number, raw in enumerate(file, number + 1):  # noqa: B020 - counts on
            value = records.read(raw, number)
            if "end" in value:
                ended = True
                break
            if "resource" not in value or "folder" not in value:
                raise PortingError(f"line {number}: neither a resource nor the end")
            folder = value["folder"]
            if folder not in self._folders:
                raise PortingError(f"line {number}: there is no folder {folder}; import the structure too")
            if batch is None or not batch.has_room(folder):
                if batch is not None:
                    yield batch
                batch = _Batch(folder)
            batch.items.append(self._item(folder, value["resource"]))
            offset += len(raw)
            batch.bytes, batch.line, batch.offset = batch.bytes + len(raw), number, offset
        if batch is not None:
            yield batch
        if not ended:
            raise PortingError("the file breaks off: it has no end line")

    def _item(self, folder: str, resource: Json) -> Json:
        item = self._rewriting.resource(folder, resource)
        component = item.get("component")
        return {**item, "component": self._components.get(component) if component else None}

    async def _finish(self, batch: _Batch, writing: asyncio.Task[Json], bar: Bar) -> None:
        """Batches finish in the order of the file, so that all before the mark is there."""
        for one in (await writing)["items"]:
            setattr(self._told, one["result"], getattr(self._told, one["result"]) + 1)
        mark = _Mark(self._target.environment, self._digest, batch.line, batch.offset)
        _mark_path(self._path).write_bytes(msgspec.json.encode(mark))
        bar.show(batch.offset, self._told.all)

    async def _write(self, batch: _Batch) -> Json:
        at = f"/folders/{self._folders[batch.folder]}/resources/batch/"
        try:
            answer: Json = await self._target.post(at, {"items": batch.items})
            return answer
        except Refused as refused:
            first = batch.line - len(batch.items) + 1
            raise PortingError(f"lines {first} to {batch.line} ({batch.folder}): {refused}") from None


def _opening(file: IO[bytes]) -> tuple[Json, Json]:
    """Head and structure."""
    head = records.checked_head(records.read(file.readline(), 1))
    second = records.read(file.readline(), 2)
    if set(second.get("structure", {})) != set(structure.SECTIONS):
        raise PortingError("line 2: the structure is expected here")
    return head, second["structure"]


def read_structure(path: Path) -> Json:
    """Of an export. Raises `PortingError`."""
    with path.open("rb") as file:
        return _opening(file)[1]


def _digest(head: Json, wanted: Json) -> str:
    return hashlib.sha256(records.line(head) + records.line(wanted)).hexdigest()


def _mark_path(path: Path) -> Path:
    return path.with_name(path.name + ".progress")


def _read_mark(path: Path, head: Json, target: Target) -> _Mark | None:
    """None where there is nothing to go on with: no mark, or one of another file or environment."""
    try:
        mark = msgspec.json.decode(_mark_path(path).read_bytes(), type=_Mark)
    except (OSError, msgspec.DecodeError):
        return None
    matches = mark.environment == target.environment and mark.file == _digest(head, read_structure(path))
    return mark if matches else None
