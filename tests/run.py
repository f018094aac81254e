"""`make test`: checks, then the whole suite in parallel, then the contract gates over what the suite saw.

python -m tests.run                    everything
python -m tests.run tests/kernel -k x  part of the suite, without checks and gates
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tests import check

ROOT = Path(__file__).resolve().parents[1]
RECORDS = ROOT / "build" / "records"
WORKERS = os.environ.get("FLUX_TEST_WORKERS", "4")
"""Two for each core of a small machine: much of the suite waits for processes and disks."""


def main(arguments: list[str]) -> int:
    began = time.monotonic()
    if arguments:
        return pytest(*arguments)
    shutil.rmtree(RECORDS, ignore_errors=True)
    environment = {"FLUX_RECORD": str(RECORDS)}
    for step, run in (
        ("checks", lambda: check.static()),
        (
            "suite",
            lambda: pytest(
                "-n", WORKERS, "--dist", "loadfile", "--ignore", "tests/gates", "tests", **environment
            ),
        ),
        ("contract gates", lambda: pytest("tests/gates", **environment)),
    ):
        print(f"\n== {step}", flush=True)
        if status := run():
            print(f"\n{step} failed after {time.monotonic() - began:.0f} s", flush=True)
            return status
    print(f"\nall green in {time.monotonic() - began:.0f} s", flush=True)
    return 0


def pytest(*arguments: str, **environment: str) -> int:
    command = [sys.executable, "-m", "pytest", *arguments]
    return subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
