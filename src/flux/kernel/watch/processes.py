"""What a process uses: from `/proc` where there is one, from `getrusage` for this process elsewhere."""

from __future__ import annotations

import os
import resource
import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Usage:
    rss_bytes: int
    """Resident memory."""
    cpu_seconds: float
    """Processor time since the process began, user and system."""
    open_files: int | None
    """Open descriptors; None where the system does not tell."""
    threads: int | None


def usage(pid: int | None = None) -> Usage:
    """Of this process, or of another on Linux. Raises `ProcessLookupError` when there is no such process."""
    at = Path(f"/proc/{pid or os.getpid()}")
    if at.is_dir():
        return _from_proc(at)
    if pid not in (None, os.getpid()):
        raise ProcessLookupError(pid)
    spent = resource.getrusage(resource.RUSAGE_SELF)
    unit = 1 if sys.platform == "darwin" else 1024
    return Usage(spent.ru_maxrss * unit, spent.ru_utime + spent.ru_stime, None, None)


def _from_proc(at: Path) -> Usage:
    try:
        # The command name stands in parentheses and may hold spaces; the fields count from behind it.
        fields = (at / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        raise ProcessLookupError(at.name) from None
    ticks, page = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
    cpu = (int(fields[11]) + int(fields[12])) / ticks
    return Usage(int(fields[21]) * page, cpu, _open_files(at), int(fields[17]))


def _open_files(at: Path) -> int | None:
    try:
        return sum(1 for _ in (at / "fd").iterdir())
    except OSError:
        return None
