"""The error reference as one HTML page. Filters are links and a form, so they work without JavaScript; the script
only makes the search box narrow the list while typing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from pathlib import Path
from urllib.parse import urlencode

from flux.kernel.wire import Raw
from flux.operator.pages.frame import page
from flux.operator.reference.entries import Entry
from flux.operator.reference.words import EVERYWHERE, NOWHERE, RETRY, phrase, proven

_SCRIPT = (Path(__file__).parent / "search.js").read_text("utf-8")
_PLACE = re.compile(r"\{\w+\}")
_CODE = re.compile(r"`([^`]+)`")
OPEN_ROUTES = 4
"""As many routes are shown at once; more are folded away."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What the reader asked for; empty is everything. `q` are words that must all occur."""

    plane: str = ""
    status: str = ""
    q: str = ""

    def link(self, **other: str) -> str:
        """`/errors` with these filters, some of them changed."""
        wanted = {"plane": self.plane, "status": self.status, "q": self.q} | other
        query = urlencode({name: value for name, value in wanted.items() if value})
        return escape(f"/errors?{query}" if query else "/errors")


@dataclass(frozen=True, slots=True)
class _Shown:
    """An entry with its HTML made and its words ready to search."""

    plane: str
    status: str
    text: str
    html: str

    def fits(self, choice: Choice, words: Sequence[str]) -> bool:
        return (
            choice.plane in ("", self.plane)
            and choice.status in ("", self.status)
            and all(word in self.text for word in words)
        )


class ErrorPage:
    """The whole reference; `show` answers with the part that was asked for."""

    def __init__(self, entries: Sequence[Entry], mounts: Mapping[str, str]) -> None:
        self.entries = list(entries)
        self._mounts = mounts
        met: set[tuple[str, str]] = set()
        self._shown = [_prepared(entry, met) for entry in self.entries]

    def show(self, choice: Choice) -> Raw:
        words = choice.q.lower().split()
        found = [shown for shown in self._shown if shown.fits(choice, words)]
        parts = [self._head(), self._bar(choice), "<main>"]
        for plane, group in groupby(found, key=lambda shown: shown.plane):
            parts.append(self._section(plane, list(group)))
        parts.append(f'<p class="none"{" hidden" if found else ""}>No code fits that.</p>')
        parts.append(f"{_FOOT}</main>")
        return page("Error reference · Flux", "\n".join(parts), script=_SCRIPT)

    def _head(self) -> str:
        planes = len({entry.row.plane for entry in self.entries if entry.row.published})
        published = sum(1 for entry in self.entries if entry.row.published)
        proofs = sum(1 for entry in self.entries if entry.proof is not None)
        beyond = len(self.entries) - published
        proven = (
            f" {proofs} of them with a proof: the answer was seen leaving a real socket." if proofs else ""
        )
        return (
            '<div class="top"><h1>Error reference</h1>'
            f'<p class="lead">{published} published codes of {planes} planes, and {beyond} extensions the wire needs.{proven}'
            ' <a href="/errors.json">As JSON</a> · <a href="/">Flux</a></p></div>'
        )

    def _bar(self, choice: Choice) -> str:
        hidden = "".join(
            f'<input type="hidden" name="{name}" value="{escape(value)}">'
            for name, value in (("plane", choice.plane), ("status", choice.status))
            if value
        )
        planes = dict.fromkeys(shown.plane for shown in self._shown)
        statuses = sorted({shown.status for shown in self._shown if choice.plane in ("", shown.plane)})
        return (
            '<div class="bar"><div>'
            f'<form action="/errors" role="search"{" data-asked" if choice.q else ""}>{hidden}'
            f'<input type="search" name="q" value="{escape(choice.q)}" placeholder="Code, message, route …"'
            ' aria-label="Search the reference" autocomplete="off" spellcheck="false"><button>Search</button></form>'
            f'<nav class="chips" aria-label="Plane">{_chips("plane", "All planes", planes, choice)}</nav>'
            f'<nav class="chips" aria-label="Status">{_chips("status", "Any status", statuses, choice)}</nav>'
            "</div></div>"
        )

    def _section(self, plane: str, group: Sequence[_Shown]) -> str:
        mount = self._mounts.get(plane, "")
        below = f" below <code>{escape(mount)}</code>" if mount else ""
        count = "1 code" if len(group) == 1 else f"{len(group)} codes"
        return (
            f'<section id="{escape(plane)}"><h2>{escape(plane)}<span hidden>, </span><small>{count}</small>'
            f"<small>{below}</small></h2>{''.join(shown.html for shown in group)}</section>"
        )


def _chips(name: str, everything: str, values: Iterable[str], choice: Choice) -> str:
    current = getattr(choice, name)
    links = []
    for value, label in [("", everything), *((value, value) for value in values)]:
        mark = ' aria-current="true"' if value == current else ""
        links.append(f'<a href="{choice.link(**{name: value})}"{mark}>{escape(label)}</a>')
    return "".join(links)


def _prepared(entry: Entry, met: set[tuple[str, str]]) -> _Shown:
    """`met` are the codes shown so far: the first of a code under several statuses carries its plain anchor."""
    row = entry.row
    plain = f"{row.plane}-{row.code}"
    anchor = f"{plain}-{row.status}" if entry.ambiguous else plain
    first = (row.plane, row.code) not in met
    met.add((row.plane, row.code))
    alias = f'<span id="{escape(plain)}"></span>' if entry.ambiguous and first else ""
    text = " ".join(
        [row.plane, row.code, str(row.status), phrase(row.status), row.message, row.cause, row.advice]
        + ([] if entry.everywhere else row.routes)
    )
    return _Shown(row.plane, str(row.status), text.lower(), _article(entry, anchor, alias))


def _article(entry: Entry, anchor: str, alias: str) -> str:
    row = entry.row
    kind = "server" if row.status >= 500 else "client"
    extension = "" if row.published else '<span class="badge extension">extension</span>'
    message = _PLACE.sub(lambda place: f"<var>{place.group()}</var>", escape(row.message))
    facts = [
        ("Cause", _prose(row.cause)),
        ("What to do", _prose(row.advice)),
        ("Retry", escape(RETRY[row.retry])),
        ("Routes", _routes(entry)),
    ]
    if entry.reason:
        facts.append(("Extension", _prose(entry.reason)))
    if entry.proof is not None:
        facts.append(("Last proof", escape(proven(entry))))
    if entry.proof is not None and entry.proof.curl:
        facts.append(("Replay", f"<pre>{escape(entry.proof.curl)}</pre>"))
    listing = "".join(f"<dt>{name}</dt><dd>{value}</dd>" for name, value in facts)
    return (
        f'<article class="entry" id="{escape(anchor)}">{alias}<h3><a href="#{escape(anchor)}"><code>{escape(row.code)}</code></a>'
        f'<span class="badge {kind}">{row.status} {escape(phrase(row.status))}</span>{extension}</h3>'
        f'<p class="message">{message}</p><dl>{listing}</dl></article>\n'
    )


def _prose(text: str) -> str:
    """Text with `code` in backquotes."""
    return _CODE.sub(r"<code>\1</code>", escape(text))


def _routes(entry: Entry) -> str:
    routes = entry.row.routes
    if entry.everywhere:
        return escape(EVERYWHERE)
    if not routes:
        return escape(NOWHERE)
    lines = []
    for route in routes:
        method, _, path = route.partition(" ")
        lines.append(f"<li><b>{escape(method)}</b> {escape(path)}</li>")
    listing = f'<ul class="routes">{"".join(lines)}</ul>'
    if len(routes) <= OPEN_ROUTES:
        return listing
    return f"<details><summary>{len(routes)} routes</summary>{listing}</details>"


_FOOT = (
    "<footer>Each answer carries an <code>X-Request-Id</code>: quote it when you report a failure. On a sandbox instance"
    " <code>X-Flux-Simulate: CODE</code> (or <code>CODE@STATUS</code>) gets you exactly that answer.</footer>"
)
