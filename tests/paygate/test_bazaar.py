"""What a 402 says about an operation: always valid for the published reader, never larger than a header bears."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from x402.extensions.bazaar import validate_discovery_extension
from x402.extensions.bazaar.types import parse_discovery_extension

from flux.paygate.facilitator.bazaar import MAX_BYTES, described
from flux.paygate.facilitator.extensions import identifier
from flux.paygate.facilitator.payloads import BadPayload, encoded

DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "W", "version": "1"},
    "paths": {
        "/weather/{city}": {
            "parameters": [{"name": "city", "in": "path", "required": True, "schema": {"type": "string"}}],
            "get": {
                "parameters": [
                    {"$ref": "#/components/parameters/Days"},
                    {"name": "unit", "in": "query", "schema": {"type": "string", "enum": ["C", "F"], "default": "C"}},
                    {"name": "trace", "in": "header", "schema": {"type": "string"}},
                ],
                "responses": {
                    "404": {"description": "no"},
                    "200": {
                        "description": "ok",
                        "content": {"application/json": {"example": {"sky": "clear"}}},
                    },
                },
            },
        },
        "/ask": {
            "post": {
                "requestBody": {
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Question"}}}
                },
                "responses": {"200": {"description": "ok"}},
            },
            "put": {
                "requestBody": {"content": {"application/json": {"example": {"text": "why"}}}},
                "responses": {"200": {"description": "ok"}},
            },
        },
        "/endless": {
            "post": {
                "requestBody": {
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Endless"}}}
                },
                "responses": {"200": {"description": "ok"}},
            },
        },
        "/odd": {
            "get": {
                "parameters": [7, {"name": 3, "in": "query"}, {"$ref": "#/nowhere"}, {"name": "a", "in": "query"}],
                "responses": {"200": {"content": "no"}},
            }
        },
    },
    "components": {
        "parameters": {
            "Days": {"name": "days", "in": "query", "required": True, "schema": {"type": "integer"}, "example": 3}
        },
        "schemas": {
            "Question": {
                "type": "object",
                "required": ["text"],
                "properties": {"text": {"type": "string", "description": "x" * 5_000}},
            },
            "Endless": {
                "type": "object",
                "properties": {f"p{index}": {"$ref": "#/components/schemas/Endless"} for index in range(50)},
            },
        },
    },
}  # fmt: skip


def checked(method: str, path: str, document: dict[str, Any] | None = None) -> dict[str, Any]:
    extension = described(DOCUMENT if document is None else document, method, path)
    assert len(msgspec.json.encode(extension)) <= MAX_BYTES
    verdict = validate_discovery_extension(parse_discovery_extension(extension))
    assert verdict.valid, verdict.errors
    return extension


def test_parameters_of_the_path_and_the_query() -> None:
    found = checked("GET", "/weather/{city}")
    given, known = found["info"]["input"], found["schema"]["properties"]["input"]["properties"]
    assert given == {"type": "http", "method": "GET", "queryParams": {"days": 3, "unit": "C"}}
    assert known["pathParams"]["properties"] == {"city": {"type": "string"}}
    assert known["queryParams"]["required"] == ["days"]
    assert set(known["queryParams"]["properties"]) == {"days", "unit"}
    assert found["info"]["output"] == {"type": "json", "example": {"sky": "clear"}}


def test_bodies_with_and_without_an_example() -> None:
    schema = checked("POST", "/ask")["schema"]["properties"]["input"]["properties"]["body"]
    assert schema == {"type": "object", "properties": {"text": {"type": "string"}}}
    assert checked("PUT", "/ask")["info"]["input"]["body"] == {"text": "why"}


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/endless"), ("GET", "/odd"), ("GET", "/unknown"), ("PATCH", "/unknown")]
)
def test_what_is_endless_odd_or_unknown_is_said_shortly(method: str, path: str) -> None:
    assert checked(method, path)["info"]["input"]["method"] == method


def test_without_a_document() -> None:
    assert described(None, "GET", "/") == checked("GET", "/", {})


def test_payment_identifiers() -> None:
    def header(**extensions: Any) -> str:
        return encoded({"x402Version": 2, "extensions": extensions})

    good = "pay_" + "a" * 20
    assert identifier(header(**{"payment-identifier": {"info": {"required": False, "id": good}}})) == good
    for nothing in (
        {},
        {"payment-identifier": 1},
        {"payment-identifier": {"info": {"required": False}}},
        {"payment-identifier": {"info": []}},
    ):
        assert identifier(header(**nothing)) is None
    assert identifier("%%%") is None
    for bad in ("short", "a" * 129, "a" * 20 + ":", 7):
        with pytest.raises(BadPayload):
            identifier(header(**{"payment-identifier": {"info": {"required": False, "id": bad}}}))
