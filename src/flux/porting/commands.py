"""The command line of `flux content export · import · diff · apply`; what they do is in running.py."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add(commands: Any) -> None:
    """The command `content` and what it can do."""
    content = commands.add_parser("content", help="move content and its structure between environments")
    actions = content.add_subparsers(metavar="ACTION", required=True)

    out = actions.add_parser("export", help="write structure and resources to a file, or to standard output")
    out.add_argument("file", type=Path, nargs="?", help="NDJSON file; a run that was broken off is continued")
    out.add_argument("--schema-only", action="store_true", help="the structure without the resources")
    _where(out, "export")

    back = actions.add_parser(
        "import", help="read a file into an environment; may be broken off and continued"
    )
    back.add_argument("file", type=Path)
    back.add_argument("--data-only", action="store_true", help="leave the structure as it is")
    back.add_argument(
        "--keep-keys", action="store_true", help="keep the resources' keys, to restore on another instance"
    )
    _where(back, "import")

    diff = actions.add_parser("diff", help="what applying would change; exit status 1 if anything")
    _source(diff)
    _where(diff, "diff")

    change = actions.add_parser("apply", help="bring an environment's structure in line with another's")
    _source(change)
    change.add_argument("--prune", action="store_true", help="delete what is not wanted, content included")
    _where(change, "apply")


def _source(parser: argparse.ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("file", type=Path, nargs="?", help="an export, of the structure at least")
    source.add_argument("--from", dest="source", metavar="ENV", help="another environment on the same server")


def _where(parser: argparse.ArgumentParser, action: str) -> None:
    parser.add_argument("--env", help="environment key (default: the first one, of operator.json)")
    parser.add_argument("--url", help="management URL of the server (default: of operator.json)")
    parser.add_argument(
        "--data",
        type=Path,
        default=Path("flux-data"),
        help="data directory whose operator.json says the rest",
    )
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.set_defaults(run=lambda arguments: _run(action, arguments))


def _run(action: str, arguments: argparse.Namespace) -> int:
    # Not above: other commands need none of it.
    from flux.porting import running

    return running.run(action, arguments)
