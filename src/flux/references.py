"""`flux errors`: the reference of every plane, built from the real planes on a house in a temporary directory."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path
from typing import TextIO

from flux.app import compose, open_house
from flux.kernel.wire import Plane
from flux.operator.reference import Proofs, reference
from flux.operator.reference.text import explain, print_json, print_matrix
from flux.operatorfile import OperatorFile
from flux.settings import load_settings


async def composed_planes() -> list[Plane]:
    """Every plane as it would be served, sandbox routes included; nothing listens and nothing stays behind."""
    settings = load_settings(environ={}, overrides={"server.sandbox": True})
    with tempfile.TemporaryDirectory(prefix="flux-reference-") as directory:
        data_dir = Path(directory)
        opened = await open_house(settings, data_dir, "http://127.0.0.1:8080", OperatorFile.open(data_dir))
        try:
            return compose(opened).planes
        finally:
            await opened.close()


def show(plane: str | None, code: str | None, *, as_json: bool = False, out: TextIO = sys.stdout) -> int:
    """The matrix, or one code in full. 1 for a code that nobody declared."""
    entries = reference(asyncio.run(composed_planes()), Proofs.read())
    if code is not None:
        return 0 if explain(entries, code, out) else 1
    (print_json if as_json else print_matrix)(entries, out, plane)
    return 0
