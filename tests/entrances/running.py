"""Commands and processes, from the outside."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def environment(**settings: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FLUX_")}
    return {**kept, "PYTHONPATH": str(ROOT / "src"), **settings}


def flux(*arguments: str | Path, seconds: float = 60, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run `flux` to its end."""
    command = [sys.executable, "-m", "flux.cli", *map(str, arguments)]
    return subprocess.run(
        command, env=environment(**settings), capture_output=True, text=True, timeout=seconds, check=False
    )


def refusal(done: subprocess.CompletedProcess[str]) -> str:
    """The one line of a command that could not begin."""
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    lines = done.stderr.strip().splitlines()
    assert lines, "it ended without a word"
    assert lines[-1].startswith("flux: "), done.stderr
    return lines[-1]


def children(pid: int) -> dict[int, str]:
    """Every descendant that lives, with its command line."""
    found: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != pid:
            try:
                status = (entry / "stat").read_text().rpartition(")")[2].split()
                command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
            except OSError:
                continue
            if status[0] != "Z":
                found[int(entry.name)] = f"{status[1]} {command}"
    known, tree = {pid}, {}
    grown = True
    while grown:
        grown = False
        for one, text in found.items():
            parent, _, command = text.partition(" ")
            if one not in known and int(parent) in known:
                known.add(one)
                tree[one] = command
                grown = True
    return tree


def alive(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


async def until(true: Callable[[], bool], seconds: float = 15.0) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not true():
        assert asyncio.get_running_loop().time() < deadline, "it did not happen in time"
        await asyncio.sleep(0.05)
