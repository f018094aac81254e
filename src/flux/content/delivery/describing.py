"""`_openapi`: the OpenAPI document of one API, with the paths and fields that it really serves. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from flux.content.delivery import introspection
from flux.content.delivery.served import READS, ApiServed, Served
from flux.content.shape.fields import Field
from flux.content.shape.schemas import field_schema

Json = dict[str, Any]
Failures = dict[str, Any]
_PLACE = re.compile(r"\{([^}]+)\}")
_KINDS = {"string", "integer", "boolean", "object", "array"}
_SYS: Json = {
    "type": "object",
    "required": ["key", "created_at", "updated_at", "folder"],
    "properties": {
        "key": {"type": "string"},
        "created_at": {"type": "string", "format": "date-time"},
        "updated_at": {"type": "string", "format": "date-time"},
        "folder": {"type": "string", "description": "Key of the folder."},
        "truncated": {"type": "array", "items": {"type": "object"}, "description": "What truncate_text cut."},
    },
}
_WRITTEN: Json = {
    "type": "object",
    "required": ["resource_key", "revision_key", "write_units", "published"],
    "properties": {
        "resource_key": {"type": "string"},
        "revision_key": {"type": "string"},
        "write_units": {"type": "integer"},
        "published": {"type": "boolean"},
    },
}
_ANYTHING: Json = {"type": "object", "additionalProperties": True}


class Describing:
    """`reading`, `searching` and `writing` are the answers with which those operations fail, by status."""

    def __init__(self, server: str, reading: Failures, searching: Failures, writing: Failures) -> None:
        self._server = server
        self._reading = reading
        self._searching = searching
        self._writing = writing

    def document(self, api: ApiServed) -> Json:
        paths: dict[str, Json] = {}
        schemas: Json = {"Sys": _SYS, "Written": _WRITTEN}
        for served in api.folders:
            schemas[_name(served)] = _document(served)
            schemas[f"{_name(served)}Page"] = _page(_name(served))
            for path, operation in self._operations(api.api.prefix, served):
                paths.setdefault(path, {}).update(operation)
        if not api.api.is_auth_required:
            # Writing needs a key all the same.
            security: list[Json] = [{}, {"key": []}]
        else:
            security = [{"key": []}]
        return {
            "openapi": "3.1.0",
            "info": {
                "title": api.api.name,
                "version": api.api.version or "1",
                "description": api.api.description or "",
            },
            "servers": [{"url": self._server}],
            "security": security,
            "paths": paths,
            "components": {
                "schemas": schemas,
                "securitySchemes": {
                    "key": {
                        "type": "apiKey",
                        "in": "header",
                        "name": "Authorization",
                        "description": "Simple <public key>:<secret key>, a Secure signature, or Bearer fxk_…",
                    }
                },
            },
        }

    def _operations(self, prefix: str, served: Served) -> list[tuple[str, Json]]:
        at, name = f"/{prefix}/{served.template}", _name(served)
        item, found = f"{at}/{{{served.folder.alias}_key}}", []
        page, one = _ref(f"{name}Page"), _ref(name)
        if "get_many" in served.allowed:
            said = served.connection.description_get_many or f"List published {served.folder.name}"
            listing = _operation(f"list_{name}", said, at, introspection.LIST, page, self._reading)
            found.append((at, {"get": listing}))
            said = served.connection.description_search or f"Search published {served.folder.name}"
            searching = _operation(
                f"search_{name}", said, at, introspection.PAGE_AND_VIEW, page, self._searching
            )
            body = {
                "type": "object",
                "properties": dict(map(_property, introspection.BODY)),
            }
            searching["requestBody"] = _content(body, required=False)
            found.append((f"{at}/_search", {"post": searching}))
        if "get_one" in served.allowed:
            said = (
                served.connection.description_get_one or f"Get one published resource of {served.folder.name}"
            )
            getting = _operation(f"get_{name}", said, item, introspection.VIEW, one, self._reading)
            found.append((item, {"get": getting}))
        if served.allowed.intersection(READS):
            said = served.connection.description_schema or f"Describe the fields of {served.folder.name}"
            described = _operation(f"describe_{name}", said, at, [], _ANYTHING, self._reading)
            found.append((f"{at}/_schema", {"get": described}))
        return [*found, *self._writes(at, item, served, name)]

    def _writes(self, at: str, item: str, served: Served, name: str) -> list[tuple[str, Json]]:
        found = []
        for action, path, method, status in (("create", at, "post", "201"), ("update", item, "put", "200")):
            if action not in served.allowed:
                continue
            said = f"{action.capitalize()} a resource of {served.folder.name} and publish it"
            operation = _operation(f"{action}_{name}", said, path, [], _ref("Written"), self._writing, status)
            members: Json = {"data": _ANYTHING}
            if action == "create":
                members["key"] = {
                    "type": "string",
                    "description": "External id: a second create with it is refused.",
                }
            body = {"type": "object", "required": ["data"], "properties": members}
            operation["requestBody"] = _content(body, required=True)
            operation["security"] = [{"key": []}]
            found.append((path, {method: operation}))
        return found


def _name(served: Served) -> str:
    """Of the folder's schema: its path, as an identifier."""
    return re.sub(r"[^A-Za-z0-9_]", "_", served.path.replace("/", "__"))


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _content(schema: Json, *, required: bool) -> Json:
    return {"required": required, "content": {"application/json": {"schema": schema}}}


def _operation(
    name: str,
    said: str,
    path: str,
    parameters: Sequence[Json],
    answer: Json,
    failures: Failures,
    status: str = "200",
) -> Json:
    places = [
        {"name": place, "in": "path", "required": True, "schema": {"type": "string"}}
        for place in _PLACE.findall(path)
    ]
    return {
        "operationId": name,
        "summary": said.split("\n", 1)[0],
        "parameters": [*places, *(_parameter(one) for one in parameters if "{" not in one["name"])],
        "responses": {
            status: {"description": "Success", "content": {"application/json": {"schema": answer}}},
            **failures,
        },
    }


def _parameter(one: Json) -> Json:
    name, schema = _property(one)
    description = schema.pop("description")
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


def _property(one: Json) -> tuple[str, Json]:
    kind = {"type": one["type"]} if one["type"] in _KINDS else {}
    return one["name"], {**kind, "description": one["description"]}


def _page(name: str) -> Json:
    cursor = {"type": ["string", "null"], "description": "URL of the neighbouring page."}
    return {
        "type": "object",
        "required": ["limit", "next", "previous", "results"],
        "properties": {
            "limit": {"type": "integer"},
            "next": cursor,
            "previous": cursor,
            "results": {"type": "array", "items": _ref(name)},
            "metadata": _ANYTHING,
            "total": {"type": "integer", "description": "Of all pages, when asked for."},
            "facets": {
                "type": "object",
                "description": "By path, when asked for: values and how many documents have them.",
                "additionalProperties": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["value", "count"],
                        "properties": {"value": {}, "count": {"type": "integer"}},
                    },
                },
            },
        },
    }


def _document(served: Served) -> Json:
    """What is delivered: nothing is required, since `fields` may leave anything out."""
    fields = served.schema.shape.fields if served.schema else ()
    shown = {one.key: _delivered(one) for one in fields if not one.private}
    data: Json = {"type": "object", "properties": shown} if shown else dict(_ANYTHING)
    return {"type": "object", "required": ["_sys", "data"], "properties": {"_sys": _ref("Sys"), "data": data}}


def _delivered(one: Field) -> Json:
    """A reference may have been replaced by its document, a value by locale may be bare or missing."""
    schema = field_schema(one, private=False)
    if one.is_container:
        members = {child.key: _delivered(child) for child in one.children if not child.private}
        inner: Json = {"type": "object", "properties": members}
        schema = {"type": "array", "items": inner} if one.multiple else inner
    if one.type in ("reference", "relation"):
        schema = {}
    if one.localizable:
        bare = schema.get("additionalProperties", {})
        schema = {"anyOf": [schema, bare]} if bare else {}
    return schema
