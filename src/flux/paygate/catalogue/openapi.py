"""A listing's OpenAPI document as consumers need it: prices on every operation, our server, security and errors."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from flux.paygate.listings.model import CallPlan, Listing, Meaning
from flux.paygate.listings.openapi_rules import CALLABLE
from flux.paygate.listings.templates import normalised

METHODS = ("get", "put", "post", "delete", "head", "patch")
SECURITY: list[dict[str, list[str]]] = [{"FluxPayment": [], "FluxSignature": [], "FluxTimestamp": []}]
_ERRORS = {
    "401": "Payment headers missing or not in order",
    "402": "Payment required or not sufficient",
    "429": "Too many requests, or the monthly quota is used up",
    "500": "The gateway, the chain's node or the connection to the target failed",
    "502": "The target answered wrongly or too late",
    "503": "The service or the chain is unavailable; retry later",
}
Priced = Callable[[Meaning], dict[str, Any] | None]


def enriched(plan: CallPlan, document: dict[str, Any] | None, server: str, priced: Priced) -> dict[str, Any]:
    listing = plan.listing
    result = copy.deepcopy(document) if document is not None else _stub(listing)
    info = result.setdefault("info", {})
    info["x-flux-api-id"] = listing.id
    result["servers"] = [{"url": server}]
    result["security"] = SECURITY
    components = result.setdefault("components", {})
    components["securitySchemes"] = {
        "FluxPayment": _header("X-Payment-Tx", "Hash of the transaction that paid for this call"),
        "FluxSignature": _header(
            "X-Signature", "Signature of the paying wallet over apiId, hash and timestamp"
        ),
        "FluxTimestamp": _header("X-Timestamp", "The signed timestamp, Unix seconds"),
    }
    components.setdefault("schemas", {})["FluxError"] = _error_schema()
    paths = {
        normalised(path): item for path, item in result.get("paths", {}).items() if not path.startswith("x-")
    }
    for operation in listing.endpoints:
        item = paths.setdefault(operation.path, {})
        item.setdefault(operation.method.lower(), _bare(operation.summary, operation.path))
    result["paths"] = paths
    for path, item in paths.items():
        item.pop("servers", None)
        for method in CALLABLE:
            if isinstance(item.get(method), dict):
                _enrich(plan, item[method], method.upper(), path, priced)
    return result


def _enrich(plan: CallPlan, operation: dict[str, Any], method: str, path: str, priced: Priced) -> None:
    operation.pop("security", None)
    operation.pop("servers", None)
    meaning = next(
        (
            Meaning(method, path, own)
            for own in plan.listing.endpoints
            if (own.method, own.path) == (method, path)
        ),
        Meaning(method, path, None),
    )
    pricing = priced(meaning)
    if pricing is not None:
        operation["x-flux-pricing"] = pricing
    operation["x-flux-example-prompts"] = meaning.own.examples if meaning.own else []
    responses = operation.setdefault("responses", {})
    for status, description in _ERRORS.items():
        responses.setdefault(
            status,
            {
                "description": description,
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/FluxError"}}},
            },
        )


def _stub(listing: Listing) -> dict[str, Any]:
    """For listings without a document that declare nothing: everything below the target may be called."""
    document: dict[str, Any] = {
        "openapi": "3.0.3",
        "info": {"title": listing.name, "version": "1", "description": listing.description},
        "paths": {},
    }
    if not listing.endpoints:
        document["paths"]["/{path}"] = {method: _bare("Any path of the API", "/{path}") for method in METHODS}
    return document


def _bare(summary: str | None, path: str) -> dict[str, Any]:
    names = [
        segment[1:-1] for segment in path.split("/") if segment.startswith("{") and segment.endswith("}")
    ]
    operation: dict[str, Any] = {"responses": {"default": {"description": "As the target answers"}}}
    if summary:
        operation["summary"] = summary
    if names:
        operation["parameters"] = [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names
        ]
    return operation


def _header(name: str, description: str) -> dict[str, Any]:
    return {"type": "apiKey", "in": "header", "name": name, "description": description}


def _error_schema() -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["error", "message", "code", "details"],
        "properties": {
            "error": {"type": "string"},
            "message": {"type": "string"},
            "code": {"type": "integer"},
            "details": {"type": "object"},
        },
    }
