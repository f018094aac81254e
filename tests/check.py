"""`make check`: format, lint, types, import rules and the unit tests that need no server. Under a minute.

python -m tests.check            everything
python -m tests.check --static   format, lint and types
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
SOURCES = ("src", "tests", "bench")
AT_ONCE = 4
"""Steps side by side: on two cores, as some of them partly wait."""
NOTHING_TO_DO = 5
"""pytest's status when a folder holds none of the tests that are asked for."""
HEAVY_FOLDERS = {"reach", "clients", "gates", "durability", "hostile", "entrances"}
"""Folders of `tests` in which everything starts processes: none of it is a unit test."""

Step = tuple[str, tuple[str, ...]]
STATIC: tuple[Step, ...] = (
    ("types", (str(BIN / "mypy"), "--no-error-summary")),
    ("format", (str(BIN / "ruff"), "format", "--check", "--quiet", *SOURCES)),
    ("lint", (str(BIN / "ruff"), "check", "--quiet", *SOURCES)),
)


def main(arguments: list[str]) -> int:
    if arguments == ["--static"]:
        return static()
    began = time.monotonic()
    status = all_of((*STATIC, *unit_tests()))
    print(f"\n{'green' if status == 0 else 'red'} after {time.monotonic() - began:.0f} s", flush=True)
    return status


def static() -> int:
    """Format, lint and types side by side; 0 when all pass."""
    return all_of(STATIC)


def unit_tests() -> Iterator[Step]:
    """One run a folder, what waits longest first. (Workers that share all folders each import everything that any test
    wants: a quarter of all the work.)"""
    pytest = (str(BIN / "pytest"), "-m", "unit", "-p", "no:xdist", "-p", "no:cacheprovider")
    wire = "tests/kernel/wire"
    yield wire, (*pytest, wire)
    folders = sorted(path.parent.relative_to(ROOT).parts[1] for path in ROOT.glob("tests/*/**/test_*.py"))
    for folder in sorted({*folders} - HEAVY_FOLDERS, key=folders.count, reverse=True):
        yield f"tests/{folder}", (*pytest, "--ignore", wire, f"tests/{folder}")


def all_of(steps: tuple[Step, ...]) -> int:
    """0 when every one passes."""
    with ThreadPoolExecutor(AT_ONCE) as side_by_side:
        return max(list(side_by_side.map(lambda step: run(*step), steps)))


def run(name: str, command: tuple[str, ...]) -> int:
    """How it went, in a line; what it said where it failed."""
    ended = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    output = ended.stdout.decode(errors="replace").strip()
    failed = ended.returncode not in (0, NOTHING_TO_DO)
    said = output if failed else output.rpartition("\n")[2]
    print(f"{name:<18} {'FAILED' if failed else 'ok'}   " + ("\n" if failed else "") + said, flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
