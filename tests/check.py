"""`make check`: format, lint, types, import rules and the unit tests that need no server. Under a minute.

python -m tests.check            everything
python -m tests.check --static   format, lint and types
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
SOURCES = ("src", "tests", "bench")


def main(arguments: list[str]) -> int:
    if arguments == ["--static"]:
        return static()
    began = time.monotonic()
    status = static() or run(
        "unit tests", str(BIN / "pytest"), "-m", "unit", "-n", "4", "--dist", "loadfile", "tests"
    )
    print(f"\n{'green' if status == 0 else 'red'} after {time.monotonic() - began:.0f} s", flush=True)
    return status


def static() -> int:
    """Format, lint and types side by side; 0 when all pass."""
    steps = {
        "format": (str(BIN / "ruff"), "format", "--check", "--quiet", *SOURCES),
        "lint": (str(BIN / "ruff"), "check", "--quiet", *SOURCES),
        "types": (str(BIN / "mypy"), "--no-error-summary"),
    }
    running = {
        name: subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        for name, command in steps.items()
    }
    worst = 0
    for name, process in running.items():
        output, _ = process.communicate()
        print(f"{name:<12} {'ok' if process.returncode == 0 else 'FAILED'}", flush=True)
        if process.returncode:
            print(output.decode(), flush=True)
            worst = 1
    return worst


def run(name: str, *command: str) -> int:
    print(f"{name}", flush=True)
    return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
