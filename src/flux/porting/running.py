"""Running the actions of `flux content`: what they print, and their exit status."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from typing import Any

from flux.porting import differing, structure
from flux.porting.applying import apply
from flux.porting.exporting import export
from flux.porting.importing import import_file, read_structure
from flux.porting.target import PortingError, Target, reaching

DIFFERENT = 1
CANNOT = 2
Arguments = argparse.Namespace


def run(action: str, arguments: Arguments) -> int:
    async def work() -> int:
        async with _reaching(arguments, arguments.env) as target:
            return await _ACTIONS[action](arguments, target)

    try:
        return asyncio.run(work())
    except (PortingError, OSError) as problem:
        print(f"flux: {problem}", file=sys.stderr)
    return CANNOT


def _reaching(arguments: Arguments, environment: str | None) -> Any:
    """`FLUX_CONTENT_TOKEN`: what to send as `Authorization`, instead of the operator's own login."""
    token = os.environ.get("FLUX_CONTENT_TOKEN")
    return reaching(arguments.data, arguments.url, environment, token)


def _say(text: str) -> None:
    print(text, flush=True)


async def _export(arguments: Arguments, target: Target) -> int:
    content = not arguments.schema_only
    count = await export(target, arguments.file, sys.stdout.buffer, content=content, quiet=arguments.quiet)
    sys.stdout.buffer.flush()
    if arguments.file is not None:
        _say(f"{count} resources of {target.environment} are in {arguments.file}")
    return 0


async def _import(arguments: Arguments, target: Target) -> int:
    told = await import_file(
        target,
        arguments.file,
        _say,
        shape=not arguments.data_only,
        keep_keys=arguments.keep_keys,
        quiet=arguments.quiet,
    )
    _say(
        f"{told.created} created, {told.changed} changed, {told.unchanged} unchanged in {target.environment}"
    )
    return 0


async def _wanted(arguments: Arguments) -> Any:
    if arguments.file is not None:
        return read_structure(arguments.file)
    async with _reaching(arguments, arguments.source) as source:
        return (await structure.read(source))[0]


async def _diff(arguments: Arguments, target: Target) -> int:
    present, _ = await structure.read(target)
    found = differing.changes(present, await _wanted(arguments))
    for change in found:
        for line in change.lines():
            _say(line)
    return DIFFERENT if found else 0


async def _apply(arguments: Arguments, target: Target) -> int:
    done = await apply(target, await _wanted(arguments), _say, prune=arguments.prune)
    _say(f"{len(done)} changes" if done else "nothing to change")
    return 0


_ACTIONS = {"export": _export, "import": _import, "diff": _diff, "apply": _apply}
