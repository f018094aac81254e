"""Every benchmark in one go: `make bench`."""

from __future__ import annotations

import subprocess
import sys

MODULES = ("bench.store", "bench.wire", "bench.fanout", "bench.community", "bench.startup", "bench.paygate", "bench.content")


def main() -> int:
    worst = 0
    for module in MODULES:
        worst = max(worst, subprocess.run([sys.executable, "-m", module], check=False).returncode)
    return worst


if __name__ == "__main__":
    sys.exit(main())
