"""Writing an environment to a file: structure, then every resource page by page.

A file that is not finished is called `….part`; a second run goes on behind its last complete line, provided that the
structure is still the same.
"""

from __future__ import annotations

from pathlib import Path
from typing import IO

from flux.porting import records, structure
from flux.porting.progress import Bar
from flux.porting.structure import Json, Names
from flux.porting.target import PAGE, Target


async def export(target: Target, path: Path | None, out: IO[bytes], *, content: bool, quiet: bool) -> int:
    """To `path`, or to `out` without one. How many resources were written."""
    shape, names = await structure.read(target)
    opening = records.line(records.head(target.environment)) + records.line({"structure": shape})
    if path is None:
        out.write(opening)
        return await _resources(target, shape, names, out, None, 0, content=content, quiet=True)
    part = path.with_name(path.name + ".part")
    after, kept, count = _standing(part, opening)
    with part.open("r+b" if kept else "wb") as file:
        file.truncate(kept)
        file.seek(kept)
        if not kept:
            file.write(opening)
        count = await _resources(target, shape, names, file, after, count, content=content, quiet=quiet)
    part.replace(path)
    return count


def _standing(part: Path, opening: bytes) -> tuple[tuple[str, str] | None, int, int]:
    """Of a file that was broken off: folder and key of its last resource, bytes worth keeping, resources in them."""
    try:
        file = part.open("rb")
    except FileNotFoundError:
        return None, 0, 0
    with file:
        if file.read(len(opening)) != opening:
            return None, 0, 0
        after, kept, count = None, len(opening), 0
        for number, raw in enumerate(file, 3):
            if not raw.endswith(b"\n"):
                break
            value = records.read(raw, number)
            if "resource" not in value:
                break
            after, kept, count = (value["folder"], value["resource"]["key"]), kept + len(raw), count + 1
        return after, kept, count


async def _resources(
    target: Target,
    shape: Json,
    names: Names,
    file: IO[bytes],
    after: tuple[str, str] | None,
    count: int,
    *,
    content: bool,
    quiet: bool,
) -> int:
    keys = names.folder_keys
    paths = list(shape["folders"]) if content else []
    total = sum([(await target.get(f"/folders/{keys[one]}/resources/", limit=1))["count"] for one in paths])
    bar = Bar("export", total, quiet=quiet)
    for path in paths:
        if after is not None and path < after[0]:
            continue
        cursor: str | None = after[1] if after is not None and path == after[0] else ""
        while cursor is not None:
            page = await target.get(f"/folders/{keys[path]}/resources/export/", after=cursor, limit=PAGE)
            for one in page["items"]:
                one["component"] = names.components.get(one["component"], one["component"])
                file.write(records.line({"folder": path, "resource": one}))
            count += len(page["items"])
            cursor = page["next"]
            bar.show(count, count)
    file.write(records.line({"end": {"resources": count}}))
    bar.close()
    return count
