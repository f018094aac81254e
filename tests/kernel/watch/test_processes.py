from __future__ import annotations

import os
import subprocess
import sys

import pytest

from flux.kernel.watch import usage


def test_own_usage_grows_with_use() -> None:
    before = usage()
    held = bytearray(os.urandom(1)) * 60_000_000
    for _ in range(10):
        sum(held[:3_000_000])
    after = usage()
    assert after.rss_bytes - before.rss_bytes > 40_000_000
    assert after.cpu_seconds > before.cpu_seconds
    assert after.threads is None or after.threads >= 1


def test_open_files_are_counted() -> None:
    before = usage().open_files
    if before is None:
        return
    with open(os.devnull), open(os.devnull):
        assert usage().open_files == before + 2


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="other processes are seen through /proc")
def test_another_process_and_one_that_is_gone() -> None:
    program = "print('up', flush=True); input()"
    child = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == b"up\n"
        assert usage(child.pid).rss_bytes > 0
    finally:
        child.communicate(b"\n")
    with pytest.raises(ProcessLookupError):
        usage(child.pid)
