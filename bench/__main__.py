"""Every benchmark in one go: `make bench`. The content plane's fills a small folder here; `python -m bench.content`
fills 100,000 articles first, which takes its time."""

from __future__ import annotations

import subprocess
import sys

RUNS = (
    ("bench.store",),
    ("bench.wire",),
    ("bench.fanout",),
    ("bench.startup",),
    ("bench.content", "2000"),
    ("bench.paygate",),
    ("bench.relaying",),
    ("bench.community",),
    ("bench.lending",),
)


def main() -> int:
    worst = 0
    for run in RUNS:
        worst = max(worst, subprocess.run([sys.executable, "-m", *run], check=False).returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main())
