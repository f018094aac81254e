"""…/model/versions/ of folders, collections and components, and the field tree of each version."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flux.content import faults
from flux.content.access import needs
from flux.content.pages import PageQuery, Rows, Window, page, whole, window
from flux.content.schemas.fields import Fields
from flux.content.schemas.owners import Owners
from flux.content.schemas.rows import FieldRow, Version
from flux.content.schemas.rules import meta_of
from flux.content.schemas.schemas import (
    CopyQuery,
    FieldChange,
    FieldCreate,
    FieldQuery,
    FieldsQuery,
    FieldView,
    IncludeQuery,
    SyncRequest,
    SyncView,
    VersionChange,
    VersionCreate,
    VersionView,
)
from flux.content.schemas.service import Schemas
from flux.content.schemas.syncing import Syncing
from flux.content.settled import Settled
from flux.content.shape.fields import Shape
from flux.content.shape.schemas import document_schema, field_schema
from flux.content.spellings import both_spellings
from flux.kernel.store import iso
from flux.kernel.wire import Call, Routes
from flux.kernel.wire.routes import Handler

routes = Routes(tag="schemas")
_OWNERS = (
    ("folders", "collection-structure", [faults.FOLDER_NOT_FOUND, faults.FOLDER_HAS_NO_MODEL]),
    ("collections", "collection-structure", [faults.FOLDER_NOT_FOUND, faults.FOLDER_HAS_NO_MODEL]),
    ("components", "components", [faults.COMPONENT_NOT_FOUND]),
)
_VERSION = [faults.VERSION_NOT_FOUND]
NOTHING_ASKED = SyncRequest()
_DRAFT = [*_VERSION, faults.VERSION_ALREADY_PUBLISHED]


def _route(method: str, path: str, raises: list[Any], **options: Any) -> Callable[[Handler], Handler]:
    """For each kind of owner. Everything that changes a model is an update of its owner."""

    def register(handler: Handler) -> Handler:
        for kind, content_type, missing in _OWNERS:
            _, read, update, _ = needs(content_type)
            at = f"/v1/{{env}}/{kind}/{{owner}}/model/versions{path}"
            auth = read if method == "GET" else update
            routes.route(method, at, auth=auth, raises=[*missing, *raises], kind=kind, **options)(handler)
        return handler

    return register


async def _owner(call: Call, env: str, owner: str) -> str:
    """The key of the folder or component in the path."""
    assert call.route is not None
    return await call.use(Owners).key_of(env, call.route.options["kind"], owner)


def _view(row: Version, shape: Shape | None = None) -> VersionView:
    view = VersionView(
        key=row.key,
        name=row.name,
        description=row.description,
        version_number=row.number,
        created_at=iso(row.created_at),
        published_at=iso(row.published_at) if row.published_at is not None else None,
        archived_at=iso(row.archived_at) if row.archived_at is not None else None,
    )
    if shape is not None:
        view.json_schema = document_schema(shape, private=True)
    return view


def _field_view(row: FieldRow, shape: Shape) -> FieldView:
    return FieldView(
        key=row.key,
        name=row.name,
        description=row.description,
        path=row.path,
        parent=row.parent,
        type=row.type,
        meta=meta_of(row),
        json_schema=field_schema(shape.by_path[row.path]) if row.path in shape.by_path else {},
        required=bool(row.required),
        nullable=bool(row.nullable),
        multiple=bool(row.multiple),
        localizable=bool(row.localizable),
        searchable=bool(row.searchable),
        private=bool(row.private),
        vectorizable=bool(row.vectorizable),
    )


# -- versions -------------------------------------------------------------------------------------------------


@_route("GET", "", [])
async def list_versions(call: Call, env: str, owner: str, query: PageQuery) -> dict[str, Any]:
    """Schema versions, newest first."""
    at = window(query, call.use(Settled).content.page_size)
    return page(call, at, await call.use(Schemas).listing(await _owner(call, env, owner), at), _view)


@_route("POST", "", [*_VERSION, faults.TOO_MANY_VERSIONS, faults.PLAN_LIMIT_EXCEEDED], status=201)
async def create_version(
    call: Call, env: str, owner: str, query: CopyQuery, body: VersionCreate
) -> VersionView:
    """Create a draft, empty or with the fields of `copy_from`."""
    key = await _owner(call, env, owner)
    return _view(await call.use(Schemas).create(env, key, body, query.copy_from))


@_route("GET", "/{version}", _VERSION)
async def get_version(call: Call, env: str, owner: str, version: str, query: IncludeQuery) -> VersionView:
    """One schema version, with its JSON schema on request."""
    schemas = call.use(Schemas)
    row = await schemas.find(None, await _owner(call, env, owner), version)
    return _view(row, await schemas.shape_shown(row) if query.include_schema else None)


@_route("PUT", "/{version}", _DRAFT)
async def update_version(call: Call, env: str, owner: str, version: str, body: VersionChange) -> VersionView:
    """Rename or describe a draft."""
    return _view(await call.use(Schemas).change(await _owner(call, env, owner), version, body))


@_route("DELETE", "/{version}", [*_VERSION, faults.PUBLISHED_VERSION_CANNOT_BE_DELETED])
async def delete_version(call: Call, env: str, owner: str, version: str) -> None:
    """Delete a draft or an archived version."""
    await call.use(Schemas).delete(await _owner(call, env, owner), version)


@_route("POST", "/{version}/publish", [*_DRAFT, faults.EMPTY_SCHEMA, faults.VALIDATION_ERROR])
async def publish_version(call: Call, env: str, owner: str, version: str) -> VersionView:
    """Publish a draft: it is locked, numbered, and becomes the schema that content is written under."""
    key = await _owner(call, env, owner)
    keep = await call.use(Owners).versions_kept(env, key)
    return _view(await call.use(Schemas).publish(key, version, keep))


# -- fields ---------------------------------------------------------------------------------------------------

_FIELD = [*_VERSION, faults.FIELD_NOT_FOUND]
_TREE = "/{version}/schema/tree"


@_route("GET", _TREE, _FIELD)
async def list_fields(call: Call, env: str, owner: str, version: str, query: FieldsQuery) -> dict[str, Any]:
    """Fields in tree order: all of them, or the relatives of one."""
    row = await call.use(Schemas).find(None, await _owner(call, env, owner), version)
    fields = call.use(Fields)
    found, shape = await fields.tree(row, query), await fields.shape(row)
    if query.limit is None and not query.offset:
        return whole([_field_view(one, shape) for one in found])
    at = Window(min(query.limit or 100, call.use(Settled).content.page_size), query.offset)
    rows = Rows(len(found), found[at.offset : at.offset + at.limit])
    return page(call, at, rows, lambda one: _field_view(one, shape))


@_route(
    "POST",
    _TREE,
    [*_DRAFT, faults.VALIDATION_ERROR, faults.FIELD_EXISTS, faults.PLAN_LIMIT_EXCEEDED],
    status=201,
)
async def create_field(call: Call, env: str, owner: str, version: str, body: FieldCreate) -> FieldView:
    """Add a field to a draft."""
    fields = call.use(Fields)
    draft, row = await fields.create(await _owner(call, env, owner), version, body)
    return _field_view(row, await fields.shape(draft))


@_route("GET", _TREE + "/field", _FIELD)
async def get_field(call: Call, env: str, owner: str, version: str, query: FieldQuery) -> FieldView:
    """One field by its dotted path."""
    row = await call.use(Schemas).find(None, await _owner(call, env, owner), version)
    fields = call.use(Fields)
    return _field_view(await fields.one(row, query.path), await fields.shape(row))


@_route("PUT", _TREE + "/field", [*_DRAFT, faults.FIELD_NOT_FOUND, faults.VALIDATION_ERROR])
async def update_field(
    call: Call, env: str, owner: str, version: str, query: FieldQuery, body: FieldChange
) -> FieldView:
    """Change a field of a draft; its key, type and place stay."""
    fields = call.use(Fields)
    draft, row = await fields.change(await _owner(call, env, owner), version, query.path, body)
    return _field_view(row, await fields.shape(draft))


@_route("DELETE", _TREE + "/field", [*_DRAFT, faults.FIELD_NOT_FOUND])
async def delete_field(call: Call, env: str, owner: str, version: str, query: FieldQuery) -> None:
    """Delete a field of a draft, with the fields below it."""
    await call.use(Fields).delete(await _owner(call, env, owner), version, query.path)


# -- components inside folders --------------------------------------------------------------------------------


@both_spellings(
    routes,
    "POST",
    "/v1/{env}/{F}/{owner}/sync_component",
    auth=needs("collection-structure")[2],
    kind="folders",
    raises=[
        faults.FOLDER_NOT_FOUND,
        faults.FOLDER_HAS_NO_MODEL,
        faults.VERSION_NOT_FOUND,
        faults.FIELD_NOT_FOUND,
        faults.VALIDATION_ERROR,
        faults.COMPONENT_SYNC_CONFLICT,
        faults.TOO_MANY_VERSIONS,
    ],
)
async def sync_component(call: Call, env: str, owner: str, body: SyncRequest = NOTHING_ASKED) -> SyncView:
    """Advance pinned components; each advance is published as a new schema version."""
    return await call.use(Syncing).sync(env, await _owner(call, env, owner), body)
