"""`flux doctor`: what is wrong with an installation, and what to do about it.

    findings = await examine(settings, data_dir, migrations=migration_sets())
    print_findings(findings, sys.stdout)

Nothing is changed: a database that does not exist yet is not made, and one that a running server owns is left alone.
"""

from __future__ import annotations

import asyncio
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

import msgspec

from flux.kernel.store import Clock, SystemClock
from flux.kernel.store.migrations import MigrationSet
from flux.kernel.watch.databases import check_database
from flux.kernel.watch.findings import Finding
from flux.kernel.watch.installation import check_files, check_limits, check_port, check_settings
from flux.kernel.watch.outside import check_service, services
from flux.settings import Settings, describe


async def examine(
    settings: Settings,
    data_dir: Path,
    *,
    migrations: Sequence[MigrationSet] = (),
    clock: Clock | None = None,
) -> list[Finding]:
    """Every check, in the order in which one would look."""
    clock = clock or SystemClock()
    findings = [*check_settings(settings), *check_files(data_dir), *check_limits()]
    findings += await check_database(settings, data_dir, migrations, clock)
    findings.append(await asyncio.to_thread(check_port, settings.server.host, settings.server.port))
    findings += await asyncio.gather(*(check_service(service) for service in services(settings)))
    return findings


def print_findings(findings: Sequence[Finding], out: TextIO) -> None:
    """One line a finding; what to do stands below it."""
    for finding in findings:
        out.write(f"{finding.level:<4}  {finding.subject:<10}  {finding.message}\n")
        if finding.advice:
            out.write(
                textwrap.fill(finding.advice, 88, initial_indent=" " * 18, subsequent_indent=" " * 18) + "\n"
            )
    bad = sum(1 for finding in findings if finding.level == "fail")
    unsure = sum(1 for finding in findings if finding.level == "warn")
    out.write(f"\n{len(findings) - bad - unsure} fine, {unsure} to look at, {bad} to fix\n")


def print_settings(out: TextIO) -> None:
    """Every setting: variable, type and default, then what it means."""
    section = ""
    for entry in describe():
        head = str(entry["key"]).partition(".")[0]
        if head != section:
            out.write(f"{chr(10) if section else ''}[{head}]\n")
            section = head
        shown = msgspec.json.encode(entry["default"]).decode()
        out.write(f"{entry['variable']}  ({entry['type']}, default {shown})\n")
        if entry["meaning"]:
            out.write(
                textwrap.fill(entry["meaning"], 96, initial_indent="    ", subsequent_indent="    ") + "\n"
            )


__all__ = ["Finding", "examine", "print_findings", "print_settings"]
