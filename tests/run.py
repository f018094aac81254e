"""`make test`: checks, then the whole suite in parallel, then the contract gates over what the suite saw.

python -m tests.run                    everything
python -m tests.run tests/kernel -k x  part of the suite, without checks and gates

A few tests that fail in the crowd are tried once more, alone: whoever passes then is named as unsteady and has to be
mended, but does not hold up everybody else (docs/decisions/0014-unsteady-tests.md).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tests import check

ROOT = Path(__file__).resolve().parents[1]
RECORDS = ROOT / "build" / "records"
CACHE = ROOT / "build" / "pytest"
FAILED = 1
"""pytest's status when tests ran and some failed; any other is trouble of another kind."""
MOST_UNSTEADY = 3
"""More failures than these are no accident of timing."""
WORKERS = os.environ.get("FLUX_TEST_WORKERS", "4")
"""Two for each core of a small machine: much of the suite waits for processes and disks."""


def main(arguments: list[str]) -> int:
    began = time.monotonic()
    if arguments:
        return pytest(*arguments)
    shutil.rmtree(RECORDS, ignore_errors=True)
    environment = {"FLUX_RECORD": str(RECORDS)}
    steps: tuple[tuple[str, Callable[[], int]], ...] = (
        ("checks", check.static),
        ("suite", lambda: suite(environment)),
        ("contract gates", lambda: pytest("tests/gates", **environment)),
    )
    for step, run in steps:
        print(f"\n== {step}", flush=True)
        if status := run():
            print(f"\n{step} failed after {time.monotonic() - began:.0f} s", flush=True)
            return status
    print(f"\nall green in {time.monotonic() - began:.0f} s", flush=True)
    return 0


def suite(environment: dict[str, str]) -> int:
    """Everything in parallel; then what failed, alone, where it is little."""
    shutil.rmtree(CACHE, ignore_errors=True)
    cached = ("-o", f"cache_dir={CACHE}")
    tests = ("--ignore", "tests/gates", "tests")
    slowest = ("--durations", "15", "--durations-min", "10")
    status = pytest(
        *cached,
        *slowest,
        "-n",
        WORKERS,
        "--dist",
        "loadfile",
        "--no-loadscope-reorder",
        *tests,
        **environment,
    )
    failures = CACHE / "v" / "cache" / "lastfailed"
    if status != FAILED or not failures.exists():
        return status
    failed = sorted(json.loads(failures.read_text()))
    if len(failed) > MOST_UNSTEADY:
        return status
    print("\n== once more, alone", flush=True)
    if status := pytest(*failed, **environment):
        return status
    print("".join(f"\nUNSTEADY, to be mended: {name}" for name in failed), flush=True)
    return 0


def pytest(*arguments: str, **environment: str) -> int:
    command = [sys.executable, "-m", "pytest", *arguments]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
