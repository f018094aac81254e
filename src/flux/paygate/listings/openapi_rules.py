"""Is this an OpenAPI document we can serve? Pure; every problem with its place, at most 20."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from flux.paygate.listings.templates import BadTemplate, normalised

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
CALLABLE = ("get", "put", "post", "delete", "head", "patch")
_SIBLINGS = ("$ref", "summary", "description", "servers", "parameters")
_VERSION = re.compile(r"3\.[01]\.\d+\Z")
_PLACE = re.compile(r"\{([^{}]+)\}")
MAX_ERRORS = 20
MAX_DEPTH = 64
MAX_OPERATIONS = 500


class Declared(msgspec.Struct, frozen=True):
    """One operation of a document: what the gateway and discovery need of it."""

    method: str
    path: str
    operation_id: str | None = None
    summary: str | None = None


@dataclass(slots=True)
class _Findings:
    errors: list[dict[str, str]] = field(default_factory=list)

    def add(self, path: str, message: str) -> None:
        if len(self.errors) < MAX_ERRORS:
            self.errors.append({"path": path, "message": message})


def check_document(document: Any, max_bytes: int) -> list[dict[str, str]]:
    """`[{path, message}]`; empty when the document is fine. `path` is a JSON pointer."""
    found = _Findings()
    if not isinstance(document, dict):
        found.add("", "must be an object")
        return found.errors
    if _depth(document) > MAX_DEPTH:
        found.add("", f"must not be nested deeper than {MAX_DEPTH}")
        return found.errors
    if len(msgspec.json.encode(document)) > max_bytes:
        found.add("", f"must not be larger than {max_bytes} bytes")
        return found.errors
    _check_head(document, found)
    _check_paths(document, found)
    _check_references(document, found)
    return found.errors


def declared_operations(document: dict[str, Any] | None) -> list[Declared]:
    """The operations of a valid document that can be called, in its order."""
    if document is None:
        return []
    listing: list[Declared] = []
    for path, item in document["paths"].items():
        if path.startswith("x-"):
            continue
        for method, operation in path_item(document, item).items():
            if method in CALLABLE and isinstance(operation, dict):
                name, summary = operation.get("operationId"), operation.get("summary")
                listing.append(
                    Declared(
                        method.upper(),
                        normalised(path),
                        name if isinstance(name, str) else None,
                        summary if isinstance(summary, str) else None,
                    )
                )
    return listing


def _check_head(document: dict[str, Any], found: _Findings) -> None:
    version = document.get("openapi")
    if "swagger" in document:
        found.add("/swagger", "Swagger 2.0 is not accepted; convert the document to OpenAPI 3")
    elif not isinstance(version, str) or not _VERSION.match(version):
        found.add("/openapi", "must be a version 3.0.x or 3.1.x")
    info = document.get("info")
    if not isinstance(info, dict):
        found.add("/info", "must be an object")
        return
    for name in ("title", "version"):
        if not isinstance(info.get(name), str) or not info[name].strip():
            found.add(f"/info/{name}", "must be a non-empty string")


def _check_paths(document: dict[str, Any], found: _Findings) -> None:
    paths = document.get("paths")
    if not isinstance(paths, dict):
        found.add("/paths", "must be an object")
        return
    names: set[str] = set()
    count = 0
    for path, item in paths.items():
        if path.startswith("x-"):
            continue
        at = f"/paths/{_escaped(path)}"
        try:
            normalised(path)
        except BadTemplate:
            found.add(at, "must be a path that starts with / and has well-formed parameters")
        if not isinstance(item, dict):
            found.add(at, "must be an object")
            continue
        for method, operation in path_item(document, item).items():
            if method in METHODS:
                count += 1
                _check_operation(document, path, item, operation, f"{at}/{method}", names, found)
            elif method not in _SIBLINGS and not method.startswith("x-"):
                found.add(f"{at}/{_escaped(method)}", "is not an HTTP method")
    if count > MAX_OPERATIONS:
        found.add("/paths", f"must not have more than {MAX_OPERATIONS} operations")


def _check_operation(
    document: dict[str, Any],
    path: str,
    item: dict[str, Any],
    operation: Any,
    at: str,
    names: set[str],
    found: _Findings,
) -> None:
    if not isinstance(operation, dict):
        found.add(at, "must be an object")
        return
    responses = operation.get("responses")
    if not isinstance(responses, dict) or not responses:
        found.add(f"{at}/responses", "must be a non-empty object")
    name = operation.get("operationId")
    if name is not None:
        if not isinstance(name, str) or name in names:
            found.add(f"{at}/operationId", "must be a unique string")
        else:
            names.add(name)
    declared = {*_path_parameters(document, item), *_path_parameters(document, operation)}
    for place in _PLACE.findall(path):
        if place not in declared:
            found.add(f"{at}/parameters", f"the path parameter {place} is not declared")


def _path_parameters(document: dict[str, Any], holder: dict[str, Any]) -> Iterator[str]:
    parameters = holder.get("parameters")
    for parameter in parameters if isinstance(parameters, list) else []:
        resolved = parameter
        if isinstance(parameter, dict) and isinstance(parameter.get("$ref"), str):
            resolved = resolve(document, parameter["$ref"])
        if (
            isinstance(resolved, dict)
            and resolved.get("in") == "path"
            and isinstance(resolved.get("name"), str)
        ):
            yield resolved["name"]


def path_item(document: dict[str, Any], item: Any) -> dict[str, Any]:
    """A path item, through one local reference."""
    if isinstance(item, dict) and isinstance(item.get("$ref"), str):
        resolved = resolve(document, item["$ref"])
        if isinstance(resolved, dict):
            return {**resolved, **{key: value for key, value in item.items() if key != "$ref"}}
    return item if isinstance(item, dict) else {}


def _check_references(document: dict[str, Any], found: _Findings) -> None:
    for at, reference in _references(document, "", in_example=False):
        if not isinstance(reference, str) or not (reference == "#" or reference.startswith("#/")):
            found.add(at, "only references inside the document (#/…) are followed")
        elif resolve(document, reference) is MISSING:
            found.add(at, f"{reference[:100]} does not resolve")


def _references(value: Any, at: str, *, in_example: bool) -> Iterator[tuple[str, Any]]:
    """Every `$ref` that is one: examples, and a schema property of that name, are data."""
    if isinstance(value, dict):
        for key, part in value.items():
            if key == "$ref" and not in_example and not isinstance(part, dict):
                yield f"{at}/$ref", part
            elif not in_example:
                yield from _references(
                    part, f"{at}/{_escaped(key)}", in_example=key in ("example", "default", "const", "enum")
                )
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _references(part, f"{at}/{index}", in_example=in_example)


class _Missing:
    pass


MISSING = _Missing()


def resolve(document: dict[str, Any], reference: str) -> Any:
    if reference == "#":
        return document
    if not reference.startswith("#/"):
        return MISSING
    value: Any = document
    for step in reference[2:].split("/"):
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and name in value:
            value = value[name]
        elif isinstance(value, list) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        else:
            return MISSING
    return value


def _depth(document: Any) -> int:
    """Counted without recursion."""
    deepest = 0
    waiting = [(document, 1)]
    while waiting:
        value, depth = waiting.pop()
        deepest = max(deepest, depth)
        if depth > MAX_DEPTH:
            return depth
        if isinstance(value, dict):
            waiting.extend((part, depth + 1) for part in value.values() if isinstance(part, (dict, list)))
        elif isinstance(value, list):
            waiting.extend((part, depth + 1) for part in value if isinstance(part, (dict, list)))
    return deepest


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")[:200]
