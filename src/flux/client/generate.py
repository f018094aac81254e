"""Writes `errors/community.py`, `errors/content.py` and `errors/paygate.py` out of the declared faults.

    python -m flux.client.generate            write them
    python -m flux.client.generate --check    exit 1 and name the files that are stale

A tool for this repository: it loads the planes' declarations by name. The client itself imports no plane.
"""

from __future__ import annotations

import builtins
import importlib
import re
import sys
import textwrap
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from flux.kernel.faults import Fault, FaultTable, Retry, load_contract

PLANES = ("community", "content", "paygate")
ERRORS = Path(__file__).parent / "errors"

# Where the code alone makes no good name: taken twice, or a name of the language.
NAMES = {
    "community:NOT_IMPLEMENTED@501": "NotImplementedHere",
    "paygate:RATE_LIMIT_EXCEEDED@403": "RateLimitBanned",
}

KINDS = {
    400: "BadRequest",
    401: "Unauthorized",
    402: "PaymentRequired",
    403: "Forbidden",
    404: "NotFound",
    405: "MethodNotAllowed",
    408: "RequestTimeout",
    409: "Conflict",
    410: "Gone",
    413: "TooLarge",
    415: "UnsupportedMediaType",
    422: "Unprocessable",
    423: "Locked",
    429: "TooManyRequests",
    431: "HeadersTooLarge",
}
SERVER_KIND = "ServerError"
WIDTH = 110

_HEAD = '''\
"""Every refusal of the {plane} plane. Written by `python -m flux.client.generate` from the declared faults: do not edit.

`{base}` takes what has no class here; a code that this client does not know comes as the class of its status.
"""

from flux.client.errors.planes import {base}
'''


class Unnameable(Exception):
    """Two rows, or a row and the language, want one name: give one of them another in NAMES."""


def main(arguments: list[str]) -> int:
    check = "--check" in arguments
    stale = []
    for plane in PLANES:
        path, text = ERRORS / f"{plane}.py", module(plane, declared(plane))
        if not path.exists() or path.read_text("utf-8") != text:
            stale.append(path.name)
            if not check:
                path.write_text(text, "utf-8")
    if stale:
        print(f"{'stale' if check else 'written'}: {', '.join(stale)}")
    return 1 if check and stale else 0


def declared(plane: str) -> list[Fault]:
    """The plane's faults in the order of its reference. Raises `ContractBroken` when the two disagree."""
    table: FaultTable = getattr(importlib.import_module(f"flux.{plane}.faults"), plane)
    rows = load_contract(plane)
    table.check(rows)
    place = {row.key: number for number, row in enumerate(rows)}
    return sorted(table, key=lambda fault: place[fault.key])


def module(plane: str, faults: Iterable[Fault]) -> str:
    """The source of one module: a class a status, then a class a row."""
    rows = list(faults)
    names = _names(plane, rows)
    parts = [_HEAD.format(plane=plane, base=_base(plane))]
    parts += _kinds(plane, rows)
    parts += [_row(plane, fault, name) for fault, name in zip(rows, names, strict=True)]
    return "\n\n".join(parts)


def class_name(fault: Fault) -> str:
    """`UNKNOWN_CHANNEL` and `unknown_channel` become `UnknownChannel`."""
    name = NAMES.get(fault.key)
    if name is None:
        name = "".join(word.capitalize() for word in fault.code.lower().split("_"))
        if fault.key in _again(fault.plane):
            name += str(fault.status)
    return name


@cache
def _again(plane: str) -> frozenset[str]:
    """Extensions that repeat a published code under another status: `MissingPaymentTx402` beside `MissingPaymentTx`."""
    rows = load_contract(plane)
    published = {row.code for row in rows if row.published}
    return frozenset(row.key for row in rows if not row.published and row.code in published)


def _names(plane: str, rows: list[Fault]) -> list[str]:
    names = [class_name(fault) for fault in rows]
    taken = [*names, _base(plane), *(_kind(plane, fault.status) for fault in _one_a_kind(rows))]
    for name in names:
        if taken.count(name) > 1 or hasattr(builtins, name) or not name.isidentifier():
            raise Unnameable(f"{plane}: {name}")
    return names


def _base(plane: str) -> str:
    return f"{plane.capitalize()}Error"


def _kind(plane: str, status: int) -> str:
    if status >= 500:
        return plane.capitalize() + SERVER_KIND
    return plane.capitalize() + KINDS[status] if status in KINDS else _base(plane)


def _one_a_kind(rows: list[Fault]) -> Iterator[Fault]:
    """The first row of each class of statuses, by status."""
    seen = set()
    for fault in sorted(rows, key=lambda fault: fault.status):
        kind = _kind(fault.plane, fault.status)
        if kind != _base(fault.plane) and kind not in seen:
            seen.add(kind)
            yield fault


def _kinds(plane: str, rows: list[Fault]) -> Iterator[str]:
    for fault in _one_a_kind(rows):
        server = fault.status >= 500
        takes = "range(500, 600)" if server else f"({fault.status},)"
        retry = ', retry="later"' if server or fault.status in (408, 429) else ""
        which = "5xx" if server else str(fault.status)
        head = f"class {_kind(plane, fault.status)}({_base(plane)}, kind={takes}{retry}):"
        yield f'{head}\n    """Any {which} of the {plane} plane."""\n'


def _row(plane: str, fault: Fault, name: str) -> str:
    arguments = [_kind(plane, fault.status), f'code="{fault.code}"', f"status={fault.status}"]
    if fault.retry is not Retry.NEVER:
        arguments.append(f'retry="{fault.retry.value}"')
    return f"{_head(name, arguments)}\n{_docstring(fault.advice)}\n"


def _head(name: str, arguments: list[str]) -> str:
    """The class line, broken as the house formatter breaks it."""
    joined = ", ".join(arguments)
    if len(line := f"class {name}({joined}):") <= WIDTH:
        return line
    if len(joined) + 4 <= WIDTH:
        return f"class {name}(\n    {joined}\n):"
    return f"class {name}(\n" + "".join(f"    {argument},\n" for argument in arguments) + "):"


def _docstring(advice: str) -> str:
    """The advice as the class's docstring, in lines that fit."""
    words = re.sub(r"\s+", " ", advice).strip().replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    if words.endswith('"'):
        words = f'{words[:-1]}\\"'
    lines = textwrap.wrap(words, WIDTH - 10, break_long_words=False, break_on_hyphens=False)
    if len(lines) == 1:
        return f'    """{lines[0]}"""'
    return '    """' + "\n    ".join([*lines, '"""'])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
