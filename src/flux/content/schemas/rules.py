"""From rows to a field tree, and what a field may be. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from flux.content.problems import problem
from flux.content.schemas.rows import FieldRow
from flux.content.shape.fields import CONTAINERS, Field, Shape
from flux.content.shape.types import TYPES, NotThisType

RESERVED_KEYS = frozenset({"_sys"})
LONGEST_PATH = 500
DEEPEST_PATH = 10
FLAGS = ("required", "nullable", "multiple", "localizable", "searchable", "private", "vectorizable")
_NOT_SEARCHABLE = frozenset({"vector", "json"})
_SINGLE = frozenset({"relation", "vector", "json"})


def meta_of(row: FieldRow) -> dict[str, Any]:
    value: dict[str, Any] = msgspec.json.decode(row.meta)
    return value


def field_of(row: FieldRow, children: tuple[Field, ...] = ()) -> Field:
    """Of its meta only what its type knows: the rest is kept for its author and means nothing."""
    return Field(
        key=row.key,
        path=row.path,
        type=row.type,
        meta={
            name: value
            for name, value in meta_of(row).items()
            if name in TYPES[row.type].meta and value is not None
        },
        children=children,
        **{name: bool(getattr(row, name)) for name in FLAGS},
    )


def tree(rows: Sequence[FieldRow], components: Mapping[str, Shape]) -> Shape:
    """`components` gives the shape that stands at the path of each nested field; one that is missing is empty."""
    below: dict[str | None, list[FieldRow]] = {}
    for row in sorted(rows, key=lambda one: one.position):
        below.setdefault(row.parent, []).append(row)

    def build(parent: str | None) -> tuple[Field, ...]:
        fields = []
        for row in below.get(parent, ()):
            shape = components.get(row.path)
            children = build(row.path) if shape is None else moved(shape.fields, row.path)
            fields.append(field_of(row, children))
        return tuple(fields)

    return Shape(build(None))


def moved(fields: tuple[Field, ...], under: str) -> tuple[Field, ...]:
    """A component's fields with the paths they have inside the field that embeds it."""
    return tuple(
        msgspec.structs.replace(
            one, path=f"{under}.{one.key}", children=moved(one.children, f"{under}.{one.key}")
        )
        for one in fields
    )


def key_problems(key: str) -> list[dict[str, str]]:
    if "__" in key:
        return [problem("format", "key", "A key cannot contain two underscores in a row")]
    return [problem("format", "key", "This key is reserved")] if key in RESERVED_KEYS else []


def field_problems(row: FieldRow) -> list[dict[str, str]]:
    """What is wrong with a field in itself, in the order of its members."""
    kind = TYPES.get(row.type)
    if kind is None:
        return [problem("choice", "type", f"Unknown type {row.type!r}")]
    found = meta_problems(row.type, meta_of(row))
    if row.multiple and row.type in _SINGLE:
        found.append(problem("flag", "multiple", f"A {row.type} field cannot be multiple"))
    if row.searchable and row.type in _NOT_SEARCHABLE:
        found.append(problem("flag", "searchable", f"A {row.type} field cannot be searchable"))
    if row.vectorizable and row.type not in ("string", "text"):
        found.append(problem("flag", "vectorizable", "Only string and text fields can be vectorizable"))
    return found


def meta_problems(kind: str, meta: dict[str, Any]) -> list[dict[str, str]]:
    """Known members must fit their type; others are kept as they are."""
    found = []
    checks = TYPES[kind].meta
    for name, value in meta.items():
        check = checks.get(name)
        if check is None or value is None:
            continue
        try:
            check(value)
        except NotThisType as wrong:
            found.append(problem("type", f"meta.{name}", f"Expected {wrong.expected}"))
    required = {"nested": ("component", "component_version"), "vector": ("dimensions",)}.get(kind, ())
    for name in required:
        if meta.get(name) is None:
            found.append(problem("missing", f"meta.{name}", "This field is required", "Missing value"))
    return found


def place_problems(
    path: str, parent: FieldRow | None, parent_path: str | None, localizable: bool
) -> list[dict[str, str]]:
    """Whether a field may stand where it is."""
    if len(path) > LONGEST_PATH or path.count(".") >= DEEPEST_PATH:
        return [problem("too_long", "parent", "The path would be too long or too deep")]
    if parent_path is None:
        return []
    if parent is None:
        return [problem("choice", "parent", "No such field")]
    if parent.type != "object":
        return [problem("choice", "parent", "Only an object field has fields below it")]
    if parent.localizable and localizable:
        return [
            problem("flag", "localizable", "A field inside a localizable one cannot be localizable itself")
        ]
    return []


def shape_problems(shape: Shape, deepest: int) -> list[dict[str, str]]:
    """What only the whole tree shows: translations inside translations, components too deep."""
    found = []
    for path, chain in shape.chains.items():
        if sum(one.localizable for one in chain) > 1:
            found.append(
                problem("flag", path, "A field inside a localizable one cannot be localizable itself")
            )
        if sum(one.type == "nested" for one in chain) > deepest:
            found.append(problem("too_deep", path, f"Components are embedded more than {deepest} deep"))
    return found


def components_in(shape: Shape) -> set[str]:
    """Every component that stands anywhere in the tree."""
    return {str(one.meta.get("component")) for one in shape.walk() if one.type == "nested"}


def blocking(old: Shape, new: Shape) -> list[tuple[str, str]]:
    """Why content written under `old` might not fit `new`: paths and reasons."""
    found: list[tuple[str, str]] = []
    for path, before in old.by_path.items():
        after = new.by_path.get(path)
        if after is None:
            found.append((path, "field_removed"))
        elif _is_narrower(before, after):
            found.append((path, "type_narrowed"))
    for path, after in new.by_path.items():
        if path not in old.by_path and after.required:
            found.append((path, "required_field_added_no_default"))
    return found


def _is_narrower(before: Field, after: Field) -> bool:
    if (before.type, before.multiple, before.localizable) != (after.type, after.multiple, after.localizable):
        return True
    if (before.nullable and not after.nullable) or (after.required and not before.required):
        return True
    return any(
        after.meta.get(name) != before.meta.get(name) and _tightens(name, before, after)
        for name in after.meta
    )


def _tightens(name: str, before: Field, after: Field) -> bool:
    old, new = before.meta.get(name), after.meta.get(name)
    if new is None:
        return False
    if name in ("minimum", "min_length", "min_items"):
        return old is None or new > old
    if name in ("maximum", "max_length", "max_items"):
        return old is None or new < old
    if name == "enum":
        return old is None or not set(map(str, old)) <= set(map(str, new))
    return name in ("pattern", "dimensions")


def related(rows: Sequence[FieldRow], row: FieldRow, mode: str) -> list[FieldRow]:
    """`ancestors` and `descendants` leave the field itself out."""
    ordered = in_tree_order(rows)
    if mode == "children":
        return [one for one in ordered if one.parent == row.path]
    if mode == "siblings":
        return [one for one in ordered if one.parent == row.parent]
    if mode == "ancestors":
        return [one for one in ordered if row.path.startswith(one.path + ".")]
    return [one for one in ordered if one.path.startswith(row.path + ".")]


def in_tree_order(rows: Sequence[FieldRow]) -> list[FieldRow]:
    positions = {row.path: row.position for row in rows}

    def place(row: FieldRow) -> list[int]:
        parts = row.path.split(".")
        return [positions.get(".".join(parts[: end + 1]), 0) for end in range(len(parts))]

    return sorted(rows, key=place)


def is_container(kind: str) -> bool:
    return kind in CONTAINERS
