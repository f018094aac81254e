"""/v1/{env}/folders/{folder}/resources/ (and /collections/): resources."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flux.content import faults
from flux.content.access import needs
from flux.content.folders.rows import Folder
from flux.content.folders.service import Folders
from flux.content.moments import created_bounds
from flux.content.pages import PageQuery, page, window
from flux.content.resources.rows import Resource
from flux.content.resources.rules import payload
from flux.content.resources.schemas import ResourcesQuery, ResourceView, UpsertQuery, WriteQuery
from flux.content.resources.service import Resources
from flux.content.settled import Settled
from flux.content.spellings import both_spellings
from flux.kernel.store import iso
from flux.kernel.wire import Call, Reply, Routes
from flux.kernel.wire.routes import Handler

routes = Routes(tag="resources")
CREATE, READ, UPDATE, DELETE = needs("collection-items")
AT = "/v1/{env}/{F}/{folder}/resources"
WRITES = [
    faults.FOLDER_NOT_FOUND,
    faults.COMPONENT_NOT_FOUND,
    faults.EXTERNAL_ID_CONFLICT,
    faults.DATA_VALIDATION_ERROR,
    faults.VALIDATION_ERROR,
    faults.MISSED_COMPONENT,
    faults.RESOURCE_OWNER_REQUIRED,
    faults.NO_PUBLISHED_SCHEMA,
    faults.PLAN_LIMIT_EXCEEDED,
]
_MISSING = [faults.FOLDER_NOT_FOUND, faults.RESOURCE_NOT_FOUND]


def _route(method: str, path: str, **options: Any) -> Callable[[Handler], Handler]:
    return both_spellings(routes, method, AT + path, **options)


async def _folder(call: Call, env: str, folder: str) -> Folder:
    return await call.use(Folders).find(None, env, folder)


def _view(row: Resource, folder: Folder) -> ResourceView:
    return ResourceView(
        key=row.key,
        folder=row.folder,
        content_type=folder.content_type,
        created_at=iso(row.created_at),
        updated_at=iso(row.updated_at),
        vectors_size=row.vectors_size,
        name=row.name,
        component=row.component,
        resource_owner=row.resource_owner,
        current_revision=row.current_revision,
        external_id=row.external_id,
    )


@_route("GET", "", auth=READ, raises=[faults.FOLDER_NOT_FOUND, faults.VALIDATION_ERROR])
async def list_resources(call: Call, env: str, folder: str, query: ResourcesQuery) -> dict[str, Any]:
    """Resources of a folder, newest first."""
    found = await _folder(call, env, folder)
    at = window(PageQuery(query.limit, query.offset), call.use(Settled).content.page_size)
    listing = await call.use(Resources).listing(found, at, query, created_bounds(call))
    return page(call, at, listing, lambda row: _view(row, found))


@_route("POST", "", auth=CREATE, status=201, raises=WRITES)
async def create_resource(
    call: Call, env: str, folder: str, query: WriteQuery, body: dict[str, Any]
) -> ResourceView:
    """Create a resource with its first revision, a draft unless `publish` says otherwise."""
    found = await _folder(call, env, folder)
    sent = payload(body)
    publish = query.publish or sent.publish
    written = await call.use(Resources).create(found, sent, query.component, publish=publish)
    return _view(written.resource, found)


@_route("PUT", "", auth=CREATE, raises=WRITES)
async def upsert_resource(
    call: Call, env: str, folder: str, query: UpsertQuery, body: dict[str, Any]
) -> Reply:
    """Create the resource with this external id (201), or add a revision to it (200)."""
    found = await _folder(call, env, folder)
    sent = payload(body)
    written = await call.use(Resources).upsert(
        found, query.external_id, sent, query.component, publish=query.publish or sent.publish
    )
    return Reply(_view(written.resource, found), 201 if written.created else 200)


@_route("GET", "/{resource}", auth=READ, raises=_MISSING)
async def get_resource(call: Call, env: str, folder: str, resource: str) -> ResourceView:
    """One resource."""
    found = await _folder(call, env, folder)
    return _view(await call.use(Resources).one(None, found, resource), found)


@_route("PUT", "/{resource}", auth=UPDATE, raises=[*WRITES, faults.RESOURCE_NOT_FOUND])
async def update_resource(
    call: Call, env: str, folder: str, resource: str, body: dict[str, Any]
) -> ResourceView:
    """Change metadata; `data` becomes a new draft revision."""
    found = await _folder(call, env, folder)
    return _view(await call.use(Resources).change(found, resource, payload(body)), found)


@_route("DELETE", "/{resource}", auth=DELETE, raises=_MISSING)
async def delete_resource(call: Call, env: str, folder: str, resource: str) -> None:
    """Delete a resource with its revisions and its strict children."""
    await call.use(Resources).delete(await _folder(call, env, folder), resource)


@_route("GET", "/{resource}/data", auth=READ, raises=[*_MISSING, faults.REVISION_NOT_FOUND])
async def get_resource_data(call: Call, env: str, folder: str, resource: str) -> dict[str, Any]:
    """The published data."""
    return await call.use(Resources).data(await _folder(call, env, folder), resource)
