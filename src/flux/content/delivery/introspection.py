"""What an API tells about itself: `_router` lists its routes, `_schema` one folder's fields. Pure."""

from __future__ import annotations

from typing import Any

from flux.content.delivery.served import READS, ApiServed, Served
from flux.content.shape.fields import Shape
from flux.content.shape.schemas import document_schema

Descriptor = dict[str, Any]


def _parameter(name: str, kind: str, description: str) -> Descriptor:
    return {"name": name, "type": kind, "required": False, "description": description}


VIEW = [
    _parameter("return_locales", "string", "Comma-separated locales to show; one locale gives bare values."),
    _parameter("fallback_locales", "boolean", "Fill missing translations from parent and default locales."),
    _parameter("populate", "string", "Comma-separated paths of references to replace by their documents."),
    _parameter("fields", "string", "Comma-separated paths to show; default all."),
    _parameter("raw", "boolean", "Show stored values, without locale logic."),
    _parameter("truncate_text", "integer", "Cut text fields after so many characters."),
]
_PAGING = [
    _parameter("limit", "integer", "Page size, 1 to 100."),
    _parameter("next", "string", "Cursor of the following page."),
    _parameter("previous", "string", "Cursor of the preceding page."),
    _parameter("offset", "integer", "Documents to skip."),
    _parameter("search_locale", "string", "Locale that filters, sorting and text search look at."),
    _parameter("component", "string", "Component key, in composite folders."),
]
PAGE_AND_VIEW = [*_PAGING, *VIEW]
LIST = [
    *_PAGING,
    *VIEW,
    _parameter("sort", "string", "Comma-separated paths, '-' in front for descending."),
    _parameter("ignore_unknown_fields", "boolean", "Drop clauses that name unknown fields."),
    _parameter("where__{field}__{operator}", "string", "A filter; several are all wanted."),
    _parameter("find_text__query", "string", "Words to find."),
]
BODY = [
    _parameter("where", "object", "Filter: {source: {all_of|any_of|none_of: [{field__operator: value}]}}."),
    _parameter("find_text", "object", "Words to find: query, fields, threshold."),
    _parameter("find_phrase", "object", "Words to find side by side: query, fields."),
    _parameter("search_mode", "string", "text, vector, vector_boosted or hybrid."),
    _parameter(
        "vector_search", "object", "Nearest documents to a text: query, fields, top_k, similarity_threshold."
    ),
    _parameter("vector_field_search", "object", "Nearest documents to a vector: field, query_vector, top_k."),
    _parameter("vector_boost_config", "object", "How vector hits lift text hits."),
    _parameter("hybrid_config", "object", "How text and vector ranks are merged."),
    _parameter("join", "object", "Documents of other folders: as, relations."),
    _parameter("sort", "array", "Paths, '-' in front for descending."),
    _parameter("fields", "array", "Paths to show; default all."),
    _parameter("total", "boolean", "Also tell how many documents are found in all."),
    _parameter("facets", "array", "Paths whose values are counted over everything that is found."),
    _parameter("limit", "integer", "Page size, 1 to 100."),
    _parameter("offset", "integer", "Documents to skip."),
    _parameter("populate", "array", "Paths of references to replace by their documents."),
    _parameter("ignore_unknown_fields", "boolean", "Drop clauses that name unknown fields."),
]
_SENTENCES = {
    "get_many": ("description_get_many", "List published {name}"),
    "get_one": ("description_get_one", "Get one published resource of {name}"),
    "search": ("description_search", "Search published {name}"),
    "schema": ("description_schema", "Describe the fields of {name}"),
}


def router(api: ApiServed) -> Descriptor:
    routes: list[Descriptor] = []
    for served in api.folders:
        routes += _routes(api.api.prefix, served)
    return {"api": api.api.prefix, "routes": routes}


def _routes(prefix: str, served: Served) -> list[Descriptor]:
    at = f"/{served.template}"
    schema = f"/{prefix}{at}/_schema"
    page = {
        "required_fields": ["limit", "next", "previous", "results"],
        "optional_fields": ["metadata", "total", "facets"],
        "results_item_ref": schema,
    }
    found = []
    if "get_many" in served.allowed:
        found.append(_route("GET", prefix, at, "get_many", "collection", served, LIST, None, page))
        body = {"content_type": "application/json", "required": False, "fields": BODY}
        found.append(
            _route(
                "POST",
                prefix,
                f"{at}/_search",
                "search",
                "collection",
                served,
                PAGE_AND_VIEW,
                body,
                page,
            )
        )
    if "get_one" in served.allowed:
        item = {"required_fields": ["_sys", "data"], "optional_fields": [], "data_ref": schema}
        path = f"{at}/{{{served.folder.alias}_key}}"
        found.append(_route("GET", prefix, path, "get_one", "item", served, VIEW, None, item))
    if served.allowed.intersection(READS):
        shape = {"required_fields": ["json_schema", "path", "actions"], "optional_fields": []}
        found.append(
            _route("GET", prefix, f"{at}/_schema", "schema", "introspection", served, [], None, shape)
        )
    for one in found:
        one["response_ref"] = schema
    return found


def _route(
    method: str,
    prefix: str,
    path: str,
    action: str,
    scope: str,
    served: Served,
    parameters: list[Descriptor],
    body: Descriptor | None,
    shape: Descriptor,
) -> Descriptor:
    member, sentence = _SENTENCES[action]
    return {
        "method": method,
        "path": f"/{prefix}{path}",
        "path_template": path,
        "action": action,
        "scope": scope,
        "description": getattr(served.connection, member) or sentence.format(name=served.folder.name),
        "response_ref": None,
        "response_ref_type": "schema",
        "query_params": parameters,
        "request_body": body,
        "response_shape": shape,
    }


def schema(prefix: str, served: Served, owner: str, version: str, shape: Shape) -> Descriptor:
    """`owner` is the folder or component that the schema belongs to."""
    leaves = [
        path
        for path, chain in shape.chains.items()
        if not chain[-1].is_container and not any(one.private for one in chain)
    ]
    return {
        "json_schema": document_schema(shape, private=False),
        "searchable_fields": [path for path in leaves if path in shape.searchable],
        "non_searchable_fields": [path for path in leaves if path not in shape.searchable],
        "path": f"/{prefix}/{served.template}",
        "actions": [one for one in READS if one in served.allowed],
        "alias": served.folder.alias,
        "content_type": served.folder.content_type,
        "schema_key": owner,
        "schema_version_key": version,
    }
