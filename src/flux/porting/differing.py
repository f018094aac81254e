"""What must change to make one structure of another. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flux.porting.structure import SECTIONS, Json

_SINGULAR = {"locales": "locale", "components": "component", "folders": "folder", "apis": "api"}


@dataclass(frozen=True, slots=True)
class Change:
    """`sign` is + (is missing), - (is surplus) or ~ (differs). `places` are the members that differ, spelled out."""

    sign: str
    section: str
    name: str
    places: tuple[str, ...] = ()

    def lines(self) -> Iterator[str]:
        yield f"{self.sign} {_SINGULAR[self.section]} {self.name}"
        for place in self.places:
            yield f"    {place}"


def changes(present: Json, wanted: Json) -> list[Change]:
    """From the present structure to the wanted one, in the order in which it can be done."""
    found = []
    for section in SECTIONS:
        here, there = present[section], wanted.get(section, {})
        for name in sorted(there):
            if name not in here:
                found.append(Change("+", section, name))
            elif places := tuple(_places(here[name], there[name])):
                found.append(Change("~", section, name, places))
        found += [Change("-", section, name) for name in sorted(set(here) - set(there))]
    return found


def _places(here: Json, there: Json) -> Iterator[str]:
    for name in sorted({*here, *there}):
        before, after = here.get(name), there.get(name)
        if before == after:
            continue
        if name == "fields":
            yield from _fields(before or [], after or [])
        elif name == "connections":
            yield from _named(before or {}, after or {}, "connection ")
        else:
            yield f"{name}: {_shown(before)} → {_shown(after)}"


def _fields(before: list[Json], after: list[Json]) -> Iterator[str]:
    here, there = ({one["path"]: one for one in fields} for fields in (before, after))
    yield from _named(here, there, "field ")
    if list(here) != list(there) and set(here) == set(there):
        yield "order of the fields"


def _named(here: dict[str, Any], there: dict[str, Any], word: str) -> Iterator[str]:
    for name in sorted({*here, *there}):
        if name not in here:
            yield f"+ {word}{name}"
        elif name not in there:
            yield f"- {word}{name}"
        else:
            for member in sorted({*here[name], *there[name]}):
                before, after = here[name].get(member), there[name].get(member)
                if before != after:
                    yield f"~ {word}{name}: {member} {_shown(before)} → {_shown(after)}"


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
