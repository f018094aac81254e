"""The JSON schema (draft 7) of a shape, as management and delivery show it."""

from __future__ import annotations

from typing import Any

from flux.content.shape.fields import Field, Shape
from flux.content.shape.types import DATETIME_PATTERN, LONGEST_STRING

_BASE: dict[str, dict[str, Any]] = {
    "string": {"type": "string", "maxLength": LONGEST_STRING},
    "text": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "time": {"type": "string", "pattern": r"^\d{2}:\d{2}:\d{2}(\.\d{1,6})?Z$"},
    "datetime": {"type": "string", "format": "date-time", "pattern": DATETIME_PATTERN},
    "reference": {"type": "string"},
    "relation": {"type": "array", "items": {"type": "string"}},
    "nested": {"type": "object"},
    "object": {"type": "object"},
    "vector": {"type": "array", "items": {"type": "number"}},
    "json": {},
}
_KEYWORDS = {
    "min_length": "minLength",
    "max_length": "maxLength",
    "pattern": "pattern",
    "enum": "enum",
    "minimum": "minimum",
    "maximum": "maximum",
    "min_items": "minItems",
    "max_items": "maxItems",
}


def document_schema(shape: Shape, *, private: bool) -> dict[str, Any]:
    """`private` fields are shown to management only."""
    return {"$schema": "http://json-schema.org/draft-07/schema#", **_object(shape.fields, private=private)}


def field_schema(one: Field, *, private: bool = True) -> dict[str, Any]:
    """What one value of the field looks like, per locale when it is localizable."""
    schema = dict(_BASE[one.type])
    if one.is_container:
        schema = _object(one.children, private=private)
    for name, value in one.meta.items():
        if name in _KEYWORDS:
            schema[_KEYWORDS[name]] = value
    if one.type == "vector" and "dimensions" in one.meta:
        schema["minItems"] = schema["maxItems"] = one.meta["dimensions"]
    if one.multiple:
        schema = {"type": "array", "items": schema}
    if one.nullable and "type" in schema:
        schema["type"] = [schema["type"], "null"]
    if one.localizable:
        schema = {"type": "object", "additionalProperties": {"anyOf": [schema, {"type": "null"}]}}
    return schema


def _object(fields: tuple[Field, ...], *, private: bool) -> dict[str, Any]:
    shown = [one for one in fields if private or not one.private]
    return {
        "type": "object",
        "required": [one.key for one in shown if one.required],
        "properties": {one.key: field_schema(one, private=private) for one in shown},
        "additionalProperties": False,
    }
