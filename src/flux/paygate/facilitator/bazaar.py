"""What an operation takes and gives, from its OpenAPI document, as x402 clients and catalogues read it: the extension
`bazaar`, whose `info` always fits its `schema`. Pure, and never larger than a header bears."""

from __future__ import annotations

from typing import Any

import msgspec

from flux.paygate.listings.openapi_rules import MISSING, path_item, resolve
from flux.paygate.listings.templates import BadTemplate, normalised

MAX_BYTES = 2_500
MAX_DEPTH = 5
MAX_NODES = 200
WITH_BODY = ("POST", "PUT", "PATCH")
DIALECT = "https://json-schema.org/draft/2020-12/schema"
_KEPT = ("type", "enum", "format", "minimum", "maximum", "minLength", "maxLength", "required", "const")
_KEY = "application/json"
Json = dict[str, Any]


class _TooMuch(Exception):
    """References can make a small document endless."""


def described(document: Json | None, method: str, template: str) -> Json:
    """`{info, schema}`; only the method where the document does not know the operation, or says too much."""
    operation = _operation(document, method, template) if document is not None else None
    try:
        full = _extension(document or {}, operation or {}, method)
    except _TooMuch:
        full = None
    if full is None or len(msgspec.json.encode(full)) > MAX_BYTES:
        return _extension({}, {}, method)
    return full


def _extension(document: Json, operation: Json, method: str) -> Json:
    given: Json = {"type": "http", "method": method}
    properties: Json = {
        "type": {"type": "string", "const": "http"},
        "method": {"type": "string", "enum": [method]},
    }
    required = ["type", "method"]
    if method in WITH_BODY:
        body, schema = _body(document, operation)
        given |= {"bodyType": "json", "body": body}
        properties |= {"bodyType": {"type": "string", "enum": ["json"]}, "body": schema}
        required += ["bodyType", "body"]
    for place, name in (("query", "queryParams"), ("path", "pathParams")):
        examples, schema = _parameters(document, operation, place)
        if schema:
            properties[name] = schema
        if examples:
            given[name] = examples
    info: Json = {"input": given}
    kinds: Json = {
        "input": {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": False,
        }
    }
    example = _answer(document, operation)
    if example is not None:
        info["output"] = {"type": "json", "example": example}
        kinds["output"] = {"type": "object", "properties": {"type": {"type": "string"}, "example": {}}}
    schema = {"$schema": DIALECT, "type": "object", "properties": kinds, "required": ["input"]}
    return {"info": info, "schema": schema}


def _operation(document: Json, method: str, template: str) -> Json | None:
    """The operation, with the parameters of its path."""
    for path, raw in document.get("paths", {}).items():
        try:
            known = normalised(path) == template
        except BadTemplate:
            continue
        item = path_item(document, raw) if known else {}
        found = item.get(method.lower())
        if isinstance(found, dict):
            shared = item.get("parameters")
            own = found.get("parameters")
            both = [*(shared if isinstance(shared, list) else []), *(own if isinstance(own, list) else [])]
            return {**found, "parameters": both}
    return None


def _parameters(document: Json, operation: Json, place: str) -> tuple[Json, Json]:
    """(examples, schema) of the parameters of a place; no examples unless there is one for each that must be given."""
    examples: Json = {}
    properties: Json = {}
    required: list[str] = []
    for raw in operation.get("parameters", []):
        one = _followed(document, raw)
        name = one.get("name")
        if one.get("in") != place or not isinstance(name, str):
            continue
        properties[name] = _slim(document, one.get("schema"))
        if one.get("required") is True or place == "path":
            required.append(name)
        example = _example(document, one)
        if example is not None:
            examples[name] = example
    if not properties:
        return {}, {}
    schema: Json = {"type": "object", "properties": properties}
    if required:
        schema["required"] = required
    # An example may break its own schema, and then nobody could use either: types are dropped where one is given.
    for name in examples:
        properties[name] = {}
    return (examples if set(required) <= set(examples) else {}), schema


def _body(document: Json, operation: Json) -> tuple[Any, Json]:
    """(example, schema) of a JSON body; `{}` and a schema that lets it pass without an example."""
    media = _media(document, operation.get("requestBody"))
    example = _example(document, media)
    if example is not None:
        return example, {}
    schema = _slim(document, media.get("schema"))
    if schema.get("type") not in (None, "object"):
        return {}, {}
    schema.pop("required", None)
    return {}, schema


def _answer(document: Json, operation: Json) -> Any:
    responses = operation.get("responses")
    for status, response in responses.items() if isinstance(responses, dict) else ():
        if str(status).startswith("2"):
            return _example(document, _media(document, response))
    return None


def _media(document: Json, holder: Any) -> Json:
    content = _followed(document, holder).get("content")
    media = content.get(_KEY) if isinstance(content, dict) else None
    return media if isinstance(media, dict) else {}


def _example(document: Json, holder: Json) -> Any:
    """An example of a parameter or of a medium, or of its schema."""
    if "example" in holder:
        return holder["example"]
    several = holder.get("examples")
    if isinstance(several, dict) and several:
        first = _followed(document, next(iter(several.values())))
        return first.get("value")
    schema = _followed(document, holder.get("schema"))
    return schema.get("example", schema.get("default"))


def _slim(document: Json, raw: Any) -> Json:
    """A schema without references, texts and what is rare; anything goes below a depth. Raises `_TooMuch`."""
    left = MAX_NODES

    def slim(raw: Any, depth: int) -> Json:
        nonlocal left
        left -= 1
        if left < 0:
            raise _TooMuch
        if depth >= MAX_DEPTH:
            return {}
        schema = _followed(document, raw)
        made: Json = {name: schema[name] for name in _KEPT if name in schema}
        properties = schema.get("properties")
        if isinstance(properties, dict):
            made["properties"] = {name: slim(part, depth + 1) for name, part in properties.items()}
        if isinstance(schema.get("items"), dict):
            made["items"] = slim(schema["items"], depth + 1)
        return made

    return slim(raw, 0)


def _followed(document: Json, value: Any) -> Json:
    """Through a few local references."""
    for _ in range(MAX_DEPTH):
        if not isinstance(value, dict):
            return {}
        reference = value.get("$ref")
        if not isinstance(reference, str):
            return value
        value = resolve(document, reference)
        if value is MISSING:
            return {}
    return {}
