"""Reading the settings: defaults, then a TOML file, then the environment, strictly typed."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field
from msgspec import inspect as types

from flux.settings.blobs import BlobSettings
from flux.settings.bus import BusSettings
from flux.settings.community import CommunitySettings
from flux.settings.content import ContentSettings
from flux.settings.jobs import JobSettings
from flux.settings.paygate import PaygateSettings
from flux.settings.post import PostSettings
from flux.settings.server import ServerSettings
from flux.settings.store import StoreSettings

PREFIX = "FLUX_"


class SettingsError(Exception):
    """A setting that does not exist or does not fit; the message names the variable or key."""


class Settings(Struct, frozen=True, kw_only=True):
    server: ServerSettings = field(default_factory=ServerSettings)
    store: StoreSettings = field(default_factory=StoreSettings)
    bus: BusSettings = field(default_factory=BusSettings)
    blobs: BlobSettings = field(default_factory=BlobSettings)
    jobs: JobSettings = field(default_factory=JobSettings)
    post: PostSettings = field(default_factory=PostSettings)
    community: CommunitySettings = field(default_factory=CommunitySettings)
    content: ContentSettings = field(default_factory=ContentSettings)
    paygate: PaygateSettings = field(default_factory=PaygateSettings)


def load_settings(
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
    overrides: Mapping[str, Any] | None = None,
) -> Settings:
    """`overrides` are dotted keys from the command line, strongest of all."""
    tree: dict[str, Any] = tomllib.loads(file.read_text("utf-8")) if file else {}
    known = types.type_info(Settings)
    kinds = {key: kind for key, kind, _, _ in _walk(known, ())}
    for name, text in (os.environ if environ is None else environ).items():
        if name.startswith(PREFIX) and "__" in name:
            keys = tuple(name[len(PREFIX) :].lower().split("__"))
            found = kinds.get(keys) or _open_table(kinds, keys)
            if found is None:
                raise SettingsError(f"{name}: there is no such setting (flux doctor --settings lists them)")
            _put(tree, keys, _from_text(name, text, found))
    for dotted, value in (overrides or {}).items():
        _put(tree, tuple(dotted.split(".")), value)
    _refuse_unknown(tree, known, "")
    try:
        return msgspec.convert(tree, Settings)
    except msgspec.ValidationError as problem:
        raise SettingsError(f"settings: {problem}") from None


def describe() -> list[dict[str, Any]]:
    """`[{variable, key, type, default, meaning}]`, every setting, in file order."""
    listing = []
    for keys, kind, default, meaning in _walk(types.type_info(Settings), ()):
        listing.append(
            {
                "variable": PREFIX + "__".join(keys).upper(),
                "key": ".".join(keys),
                "type": _type_name(kind),
                "default": default,
                "meaning": meaning,
            }
        )
    return listing


def _walk(info: types.Type, at: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], types.Type, Any, str]]:
    assert isinstance(info, types.StructType)
    for entry in info.fields:
        kind, meaning = entry.type, ""
        if isinstance(kind, types.Metadata):
            meaning = str((kind.extra_json_schema or {}).get("description", ""))
            kind = kind.type
        if isinstance(kind, types.StructType):
            yield from _walk(kind, (*at, entry.name))
            continue
        default = entry.default if entry.default is not msgspec.NODEFAULT else None
        if entry.default_factory is not msgspec.NODEFAULT:
            default = entry.default_factory()
        yield (*at, entry.name), kind, default, meaning


def _open_table(kinds: Mapping[tuple[str, ...], types.Type], keys: tuple[str, ...]) -> types.Type | None:
    """A member of a free-form table such as `content.plan_limits.<entity>`."""
    table = kinds.get(keys[:-1])
    return table.value_type if isinstance(table, types.DictType) else None


def _from_text(name: str, text: str, kind: types.Type) -> Any:
    if isinstance(kind, types.Metadata):
        kind = kind.type
    if isinstance(kind, types.StrType) or (isinstance(kind, types.LiteralType) and text in kind.values):
        return text
    try:
        if isinstance(kind, (types.ListType, types.DictType)):
            if isinstance(kind, types.ListType) and not text.lstrip().startswith("["):
                return [part.strip() for part in text.split(",") if part.strip()]
            return msgspec.json.decode(text)
        if isinstance(kind, types.BoolType):
            return {
                "1": True,
                "true": True,
                "yes": True,
                "on": True,
                "0": False,
                "false": False,
                "no": False,
                "off": False,
            }[text.lower()]
        if isinstance(kind, types.IntType):
            return int(text)
        if isinstance(kind, types.FloatType):
            return float(text)
        if isinstance(kind, types.UnionType) and text in ("", "null", "none"):
            return None
        return msgspec.json.decode(text)
    except (ValueError, KeyError, msgspec.DecodeError):
        raise SettingsError(f"{name}: {text!r} is not a {_type_name(kind)}") from None


def _put(tree: dict[str, Any], keys: tuple[str, ...], value: Any) -> None:
    for key in keys[:-1]:
        tree = tree.setdefault(key, {})
    tree[keys[-1]] = value


def _refuse_unknown(tree: Any, info: types.Type, at: str) -> None:
    if not isinstance(info, types.StructType) or not isinstance(tree, dict):
        return
    known = {entry.name: entry.type for entry in info.fields}
    for key, value in tree.items():
        if key not in known:
            raise SettingsError(f"{at}{key}: there is no such setting (flux doctor --settings lists them)")
        kind = known[key]
        _refuse_unknown(value, kind.type if isinstance(kind, types.Metadata) else kind, f"{at}{key}.")


def _type_name(kind: types.Type) -> str:
    if isinstance(kind, types.Metadata):
        return _type_name(kind.type)
    if isinstance(kind, types.ListType):
        return f"list of {_type_name(kind.item_type)}"
    if isinstance(kind, types.UnionType):
        return " or ".join(_type_name(part) for part in kind.types)
    if isinstance(kind, types.LiteralType):
        return f"one of {', '.join(map(str, kind.values))}"
    return type(kind).__name__.removesuffix("Type").lower()
