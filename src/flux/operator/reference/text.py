"""The reference in a terminal: `flux errors` and `flux errors explain CODE`."""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Sequence
from typing import TextIO

import msgspec

from flux.operator.reference.entries import Entry
from flux.operator.reference.words import EVERYWHERE, NOWHERE, RETRY, phrase, proven

WIDTH = 88
INDENT = "  "


def print_matrix(entries: Sequence[Entry], out: TextIO, plane: str | None = None) -> None:
    """One aligned line a failure: plane, code, status, routes that can answer it, last proof; `*` marks extensions."""
    shown = [entry for entry in entries if plane in (None, entry.row.plane)]
    table = [("PLANE", "CODE", "STATUS", "ROUTES", "LAST PROOF")]
    for entry in shown:
        row = entry.row
        mark = "" if row.published else " *"
        table.append(
            (row.plane, row.code + mark, str(row.status), str(len(row.routes)), proven(entry) or "-")
        )
    widths = [max(len(line[column]) for line in table) for column in range(4)]
    for name, code, status, routes, proof in table:
        line = (
            f"{name:<{widths[0]}}  {code:<{widths[1]}}  {status:>{widths[2]}}  {routes:>{widths[3]}}  {proof}"
        )
        out.write(line.rstrip() + "\n")
    known = sum(1 for entry in shown if entry.proof is not None)
    extensions = sum(1 for entry in shown if not entry.row.published)
    out.write(
        f"\n{len(shown)} codes, {len(shown) - extensions} published, {extensions} extensions (*), {known} with a proof"
        "\nflux errors explain CODE tells more about one.\n"
    )


def print_json(entries: Sequence[Entry], out: TextIO, plane: str | None = None) -> None:
    """The array of `/errors.json`, one row a line."""
    rows = [msgspec.json.encode(entry.row).decode() for entry in entries if plane in (None, entry.row.plane)]
    out.write("[\n" + ",\n".join(rows) + "\n]\n")


def explain(entries: Sequence[Entry], code: str, out: TextIO) -> bool:
    """A page for each failure that `code` names (`CODE`, `CODE@status`, `plane:CODE`, in any case); False and
    the nearest codes when there is none."""
    found = [entry for entry in entries if _is_meant(entry, code)]
    for number, entry in enumerate(found):
        out.write("\n" if number else "")
        _page(entry, out)
    if not found:
        out.write(f"There is no code {code}.\n")
        known = {entry.row.code.lower(): entry.row.code for entry in entries}
        near = difflib.get_close_matches(code.lower(), list(known), n=3, cutoff=0.5)
        if near:
            out.write(f"Did you mean {', '.join(known[name] for name in near)}?\n")
    return bool(found)


def _is_meant(entry: Entry, wanted: str) -> bool:
    plane, colon, rest = wanted.lower().rpartition(":")
    code, _, status = rest.partition("@")
    row = entry.row
    return code == row.code.lower() and status in ("", str(row.status)) and (not colon or plane == row.plane)


def _page(entry: Entry, out: TextIO) -> None:
    row = entry.row
    kind = "published" if row.published else "extension"
    out.write(f"{row.code}  ({row.plane}, {row.status} {phrase(row.status)}, {kind})\n")
    _section(out, "Message", row.message)
    _section(out, "Cause", row.cause)
    _section(out, "What to do", row.advice)
    _section(out, "Retry", RETRY[row.retry])
    if entry.reason:
        _section(out, "Why beyond the published reference", entry.reason)
    if entry.everywhere:
        _section(out, "Routes", EVERYWHERE)
    elif not row.routes:
        _section(out, "Routes", NOWHERE)
    else:
        out.write("\nRoutes\n" + "".join(f"{INDENT}{route}\n" for route in row.routes))
    _section(out, "Last proof", proven(entry) or "none recorded here")
    if entry.proof is not None and entry.proof.curl:
        out.write("\nReplay\n" + textwrap.indent(entry.proof.curl, INDENT) + "\n")
    _section(out, "In the sandbox", f"any request with the header  X-Flux-Simulate: {entry.name}")


def _section(out: TextIO, title: str, text: str) -> None:
    out.write(f"\n{title}\n{textwrap.fill(text, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT)}\n")
