"""The lines of an export, and references under other keys. Pure.

One JSON object a line, members in alphabetical order: `{"flux": "content", …}` first, one `structure` line, then
`{"folder": path, "resource": {…}}` lines, folders in tree order and resources in the order of their keys, `{"end": …}`
last. The same content gives the same bytes.
"""

from __future__ import annotations

import hashlib
import re
import string
from collections.abc import Callable
from typing import Any

import msgspec

from flux.porting.structure import Json
from flux.porting.target import PortingError

FORMAT = 1
_DIGITS = string.digits + string.ascii_letters
_KEY_LENGTH = 12
_KEPT = 3
_ALIKE = re.compile(f"[A-Za-z0-9]{{{_KEY_LENGTH}}}\\Z")
"""Keys as they are made here; references may hold anything."""
_encode = msgspec.json.Encoder(order="deterministic").encode


def line(value: Json) -> bytes:
    return _encode(value) + b"\n"


def head(environment: str) -> Json:
    return {"flux": "content", "format": FORMAT, "environment": environment}


def read(raw: bytes, number: int) -> Json:
    """Raises `PortingError`."""
    try:
        value = msgspec.json.decode(raw)
    except msgspec.DecodeError as problem:
        raise PortingError(f"line {number}: not JSON ({problem})") from None
    if not isinstance(value, dict):
        raise PortingError(f"line {number}: not an object")
    return value


def checked_head(value: Json) -> Json:
    """Raises `PortingError`."""
    if value.get("flux") != "content":
        raise PortingError("line 1: this is not an export of `flux content`")
    if value.get("format") != FORMAT:
        raise PortingError(f"line 1: format {value.get('format')!r} is not known to this version")
    return value


def under(environment: str, key: str) -> str:
    """The key that a resource of another environment has here: the same whenever it is imported again. Its first characters
    stay, so that what comes in the order of the keys there is written in the order of the keys here, one beside the other."""
    head = key[:_KEPT] if _ALIKE.match(key) else ""
    number = int.from_bytes(hashlib.blake2b(f"{environment}:{key}".encode(), digest_size=16).digest(), "big")
    digits = []
    for _ in range(_KEY_LENGTH - len(head)):
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return head + "".join(digits)


class Rewriting:
    """Resources of one environment as those of another: their keys, and the references in their data."""

    def __init__(self, structure: Json, rename: Callable[[str], str]) -> None:
        self._rename = rename
        self._owners = {
            **{f"folder {path}": _tree(one.get("fields", [])) for path, one in structure["folders"].items()},
            **{f"component {name}": _tree(one["fields"]) for name, one in structure["components"].items()},
            **{
                f"component {name}\0{place}": _tree(fields)
                for name, one in structure["components"].items()
                for place, fields in enumerate(one.get("earlier", []))
            },
        }

    def resource(self, folder: str, resource: Json) -> Json:
        """`component` is a name."""
        component = resource.get("component")
        fields = self._owners.get(f"component {component}" if component else f"folder {folder}", {})
        owner = resource.get("resource_owner")
        return {
            **resource,
            "key": self._rename(resource["key"]),
            "resource_owner": self._rename(owner) if owner else owner,
            "published": self._document(fields, resource.get("published")),
            "draft": self._document(fields, resource.get("draft")),
        }

    def _document(self, fields: dict[str, Json], data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        return {
            key: self._value(fields[key], value) if key in fields else value for key, value in data.items()
        }

    def _value(self, field: Json, value: Any) -> Any:
        if field["localizable"] and isinstance(value, dict):
            return {locale: self._bare(field, one) for locale, one in value.items()}
        return self._bare(field, value)

    def _bare(self, field: Json, value: Any) -> Any:
        if isinstance(value, list):
            return [self._bare(field, one) for one in value]
        kind = field["type"]
        if kind in ("reference", "relation"):
            return self._rename(value) if isinstance(value, str) else value
        if kind == "object":
            return self._document(field["children"], value)
        if kind == "nested":
            return self._document(self._owners.get(_embedded(field["meta"]), {}), value)
        return value


def _embedded(meta: Json) -> str:
    """The component, in its newest version or in the older one that is pinned."""
    is_older = "component_version" in meta and not meta.get("auto_update")
    older = f"\0{meta['component_version']}" if is_older else ""
    return f"component {meta.get('component')}{older}"


def _tree(fields: list[Json]) -> dict[str, Json]:
    """By key, with `children`. Parents stand before their children."""
    roots: dict[str, Json] = {}
    by_path: dict[str, Json] = {}
    for one in fields:
        node = {**one, "children": {}}
        by_path[one["path"]] = node
        parent, _, key = one["path"].rpartition(".")
        (by_path[parent]["children"] if parent else roots)[key] = node
    return roots
