"""The tools of `_mcp` and the requests they stand for. Pure."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

_PATH = {"type": "string", "description": "Folder path within the API, as discover tells it: blog/articles."}
_KEY = {"type": "string", "description": "Key of the resource, from _sys.key of a list or search."}
_PARAMS = {
    "type": "object",
    "description": "Query parameters by name, as in the REST API: limit, next, sort, where__{field}__{operator}, …",
}
_BODY = {
    "type": "object",
    "description": "Search body, as in the REST API: where, find_text, sort, join, vector_search, …",
}


def _tool(name: str, description: str, required: dict[str, Any], optional: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "description": description,
        "inputSchema": {
            "type": "object",
            "properties": {**required, **optional},
            "required": list(required),
            "additionalProperties": False,
        },
        "annotations": {"readOnlyHint": True, "openWorldHint": False},
    }


TOOLS = [
    _tool("discover", "List the API's routes: paths, actions, parameters.", {}, {}),
    _tool("get_schema", "Describe the fields of a folder's documents.", {"path": _PATH}, {}),
    _tool("get_one", "Get one published document.", {"path": _PATH, "key": _KEY}, {"params": _PARAMS}),
    _tool(
        "list",
        "List published documents of a folder, a page at a time.",
        {"path": _PATH},
        {"params": _PARAMS},
    ),
    _tool(
        "search",
        "Search published documents of a folder: filters, text, vectors, joins.",
        {"path": _PATH},
        {"body": _BODY, "params": _PARAMS},
    ),
]
_SCHEMAS = {tool["name"]: tool["inputSchema"] for tool in TOOLS}
_KINDS: dict[str, type] = {"string": str, "object": dict}


class Unfit(Exception):
    """Arguments that no request can be made of; the text is for the caller."""


class Asked(Struct, frozen=True):
    """A REST request: segments after the prefix, query parameters, and a body for a search."""

    segments: tuple[str, ...]
    params: list[tuple[str, str]]
    body: dict[str, Any] | None = None


def asked(name: Any, arguments: Any) -> Asked:
    """Raises `Unfit`."""
    schema = _SCHEMAS.get(name) if isinstance(name, str) else None
    if schema is None:
        raise Unfit(f"Unknown tool: {str(name)[:100]}")
    given = {} if arguments is None else arguments
    _check(schema, given)
    path = tuple(part for part in str(given.get("path", "")).replace(".", "/").split("/") if part)
    if name == "discover":
        return Asked(("_router",), [])
    if not path or any(part.startswith("_") for part in path):
        raise Unfit("path: a folder path is expected")
    params = _pairs(given.get("params", {}))
    if name == "get_schema":
        return Asked((*path, "_schema"), params)
    if name == "get_one":
        if not given["key"] or given["key"].startswith("_"):
            raise Unfit("key: a resource key is expected")
        return Asked((*path, given["key"]), params)
    if name == "search":
        return Asked((*path, "_search"), params, given.get("body", {}))
    return Asked(path, params)


def _check(schema: dict[str, Any], given: Any) -> None:
    if not isinstance(given, dict):
        raise Unfit("arguments: an object is expected")
    for name in schema["required"]:
        if name not in given:
            raise Unfit(f"{name}: is required")
    for name, value in given.items():
        kind = schema["properties"].get(name)
        if kind is None:
            raise Unfit(f"{str(name)[:100]}: is not an argument of this tool")
        if not isinstance(value, _KINDS[kind["type"]]):
            raise Unfit(f"{name}: {kind['type']} is expected")


def _pairs(params: dict[str, Any]) -> list[tuple[str, str]]:
    """Lists as comma lists, as in a URL."""
    return [(str(name), _text(value)) for name, value in params.items() if value is not None]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ",".join(_text(one).replace(",", "\\,") for one in value)
    if isinstance(value, str | int | float):
        return str(value)
    raise Unfit("params: values are texts, numbers, booleans or lists of them")
