"""OpenAPI 3.1 from the routes: parameters, bodies, answers, and every fault each route can answer with."""

from __future__ import annotations

import typing
from collections.abc import Sequence
from types import UnionType
from typing import Any

import msgspec

from flux.kernel.faults import Fault
from flux.kernel.wire.compiling import Compiled
from flux.kernel.wire.planes import Plane
from flux.kernel.wire.replies import Raw, Reply, Stream
from flux.kernel.wire.values import Snowflake, encoder

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_UNDESCRIBED = (None, type(None), Any, Raw, Reply, Stream, object)


def document(plane: Plane, compiled: Sequence[Compiled], origin: str) -> dict[str, Any]:
    """The plane's OpenAPI document; `origin` is where clients reach the instance."""
    shown = [one for one in compiled if not one.route.hidden and one.route.method != "WEBSOCKET"]
    schemas = _Schemas(shown)
    paths: dict[str, dict[str, Any]] = {}
    for one in shown:
        for method in METHODS if one.route.method == "*" else (one.route.method,):
            path = paths.setdefault(one.route.path.replace(":path}", "}"), {})
            path[method.lower()] = _operation(plane, one, method, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": plane.title or f"Flux {plane.name}", "version": "1"},
        "servers": [{"url": origin + plane.mount}],
        "paths": paths,
        "components": {"schemas": schemas.components},
        **plane.openapi_extra,
    }


def encoded(plane: Plane, compiled: Sequence[Compiled], origin: str) -> bytes:
    return encoder.encode(document(plane, compiled, origin))


def _described(kind: Any) -> bool:
    """Whether a type says what the JSON looks like. A reply that carries its own bytes or status does not."""
    members = typing.get_args(kind) if isinstance(kind, UnionType) else (kind,)
    return (
        kind is not str
        and not any(member in _UNDESCRIBED[2:] for member in members)
        and kind not in _UNDESCRIBED
    )


def _alternatives(kind: Any) -> list[Any]:
    """The members of a union of several structs, which an answer may be; otherwise the type itself."""
    members = typing.get_args(kind) if isinstance(kind, UnionType) else ()
    structs = [each for each in members if isinstance(each, type) and issubclass(each, msgspec.Struct)]
    return list(members) if len(structs) > 1 else [kind]


class _Schemas:
    """Each type's schema, by reference where it has a name."""

    def __init__(self, compiled: Sequence[Compiled]) -> None:
        kinds: list[Any] = []
        for one in compiled:
            for kind in (one.body, one.query, one.returns, *(one.path_types or {}).values()):
                if _described(kind):
                    kinds.extend(_alternatives(kind))
        found, self.components = msgspec.json.schema_components(
            kinds, schema_hook=_custom_schema, ref_template="#/components/schemas/{name}"
        )
        self._found = list(zip(kinds, found, strict=True))

    def of(self, kind: Any) -> dict[str, Any]:
        if len(either := _alternatives(kind)) > 1:
            return {"anyOf": [self.of(each) for each in either]}
        return next((schema for known, schema in self._found if known is kind or known == kind), {})

    def properties(self, kind: Any) -> dict[str, Any]:
        schema = self.of(kind)
        if "$ref" in schema:
            schema = self.components[schema["$ref"].rpartition("/")[2]]
        found: dict[str, Any] = schema.get("properties", {})
        return found


def _custom_schema(kind: type) -> dict[str, Any]:
    describe = getattr(kind, "json_schema", None)
    return describe() if describe is not None else {}


def _operation(plane: Plane, one: Compiled, method: str, schemas: _Schemas) -> dict[str, Any]:
    route = one.route
    operation: dict[str, Any] = {
        "operationId": _operation_id(one, method),
        "summary": route.summary,
        "parameters": [*_path_parameters(one, schemas), *_query_parameters(one, schemas)],
        "responses": {
            str(route.status): _success(one, schemas),
            **failures(plane, plane.can_fail_with(route)),
        },
    }
    if route.tag:
        operation["tags"] = [route.tag]
    if one.body is not None:
        content = {"application/json": {"schema": schemas.of(one.body)}}
        if route.options.get("form"):
            content["multipart/form-data"] = {"schema": _form(schemas.of(one.body))}
        operation["requestBody"] = {"required": not one.body_optional, "content": content}
    return operation


def _form(payload: dict[str, Any]) -> dict[str, Any]:
    """A form with files: the JSON body as `payload_json`, and `files[0]` to `files[9]`."""
    file = {"type": "string", "format": "binary"}
    files = {f"files[{number}]": file for number in range(10)}
    return {
        "type": "object",
        "properties": {"payload_json": payload, **files},
        "required": ["payload_json"],
    }


def _operation_id(one: Compiled, method: str) -> str:
    name = one.route.handler.__name__
    stem = one.route.path.strip("/").replace("{", "").replace("}", "").replace("/", ".").replace(":path", "")
    return f"{method.lower()}.{stem}.{name}" if stem else f"{method.lower()}.{name}"


def _path_parameters(one: Compiled, schemas: _Schemas) -> list[dict[str, Any]]:
    kinds = one.path_types or {}
    listing = []
    for name in one.places:
        kind = kinds.get(name, str)
        schema = Snowflake.json_schema() if kind is Snowflake else schemas.of(kind) or {"type": "string"}
        listing.append({"name": name, "in": "path", "required": True, "schema": schema})
    return listing


def _query_parameters(one: Compiled, schemas: _Schemas) -> list[dict[str, Any]]:
    if one.query is None:
        return []
    shown = schemas.properties(one.query)
    return [
        {
            "name": entry.encode_name,
            "in": "query",
            "required": entry.required,
            "schema": shown.get(entry.encode_name, {}),
        }
        for entry in msgspec.structs.fields(one.query)
    ]


def _success(one: Compiled, schemas: _Schemas) -> dict[str, Any]:
    kind = one.returns
    answer: dict[str, Any] = {"description": "Success"}
    if not _described(kind):
        return answer
    answer["content"] = {"application/json": {"schema": schemas.of(kind)}}
    return answer


def failures(plane: Plane, faults: Sequence[Fault]) -> dict[str, Any]:
    """One response a status; its codes are listed, and its schema allows any of theirs."""
    by_status: dict[int, list[Fault]] = {}
    for fault in faults:
        by_status.setdefault(fault.status, []).append(fault)
    answers = {}
    for status, group in sorted(by_status.items()):
        options = [plane.envelope.schema(fault) for fault in group]
        answers[str(status)] = {
            "description": ", ".join(f"`{fault.code}`" for fault in group),
            "content": {
                "application/json": {"schema": options[0] if len(options) == 1 else {"anyOf": options}}
            },
            "x-flux-codes": [fault.code for fault in group],
        }
    return answers
