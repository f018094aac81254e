"""…/resources/{resource}/revisions/: revisions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import UNSET

from flux.content import faults
from flux.content.folders.rows import Folder
from flux.content.folders.service import Folders
from flux.content.pages import PageQuery, page, window
from flux.content.resources.endpoints import AT, CREATE, DELETE, READ, UPDATE
from flux.content.resources.revisions import Revisions
from flux.content.resources.rows import Revision
from flux.content.resources.rules import payload
from flux.content.resources.schemas import ProblemView, RevisionView, ValidationView
from flux.content.settled import Settled
from flux.content.shape.checking import MOST_PROBLEMS
from flux.content.spellings import both_spellings
from flux.kernel.store import iso
from flux.kernel.wire import Call, Routes
from flux.kernel.wire.routes import Handler

routes = Routes(tag="revisions")
_RESOURCE = [faults.FOLDER_NOT_FOUND, faults.RESOURCE_NOT_FOUND]
_REVISION = [*_RESOURCE, faults.REVISION_NOT_FOUND]
_DATA = [faults.DATA_VALIDATION_ERROR, faults.VALIDATION_ERROR, faults.NO_PUBLISHED_SCHEMA]


def _route(method: str, path: str, **options: Any) -> Callable[[Handler], Handler]:
    return both_spellings(routes, method, f"{AT}/{{resource}}/revisions{path}", **options)


async def _folder(call: Call, env: str, folder: str) -> Folder:
    return await call.use(Folders).find(None, env, folder)


def _view(row: Revision) -> RevisionView:
    return RevisionView(
        key=row.key,
        resource=row.resource,
        schema_version=row.schema_version,
        number=row.number,
        size=row.size,
        created_at=iso(row.created_at),
        status=row.status,
        is_valid=None if row.is_valid is None else bool(row.is_valid),
        published_at=iso(row.published_at) if row.published_at is not None else None,
        unpublished_at=iso(row.unpublished_at) if row.unpublished_at is not None else None,
    )


def _data(body: dict[str, Any]) -> Any:
    data = payload(body).data
    return {} if data is UNSET else data


@_route("GET", "", auth=READ, raises=_RESOURCE)
async def list_revisions(
    call: Call, env: str, folder: str, resource: str, query: PageQuery
) -> dict[str, Any]:
    """Revisions of a resource, newest first."""
    at = window(query, call.use(Settled).content.page_size)
    found = await _folder(call, env, folder)
    return page(call, at, await call.use(Revisions).listing(found, resource, at), _view)


@_route("POST", "", auth=CREATE, status=201, raises=[*_RESOURCE, *_DATA])
async def create_revision(
    call: Call, env: str, folder: str, resource: str, body: dict[str, Any]
) -> RevisionView:
    """Add a draft."""
    found = await _folder(call, env, folder)
    return _view(await call.use(Revisions).create(found, resource, _data(body)))


@_route("GET", "/{revision}", auth=READ, raises=_REVISION)
async def get_revision(call: Call, env: str, folder: str, resource: str, revision: str) -> RevisionView:
    """One revision."""
    found = await _folder(call, env, folder)
    return _view(await call.use(Revisions).one(found, resource, revision))


@_route("PUT", "/{revision}", auth=UPDATE, raises=[*_REVISION, *_DATA, faults.REVISION_NOT_EDITABLE])
async def update_revision(
    call: Call, env: str, folder: str, resource: str, revision: str, body: dict[str, Any]
) -> RevisionView:
    """Replace the data of a draft."""
    found = await _folder(call, env, folder)
    return _view(await call.use(Revisions).change(found, resource, revision, _data(body)))


@_route(
    "DELETE", "/{revision}", auth=DELETE, raises=[*_REVISION, faults.PUBLISHED_REVISION_CANNOT_BE_DELETED]
)
async def delete_revision(call: Call, env: str, folder: str, resource: str, revision: str) -> None:
    """Delete a revision that is not published."""
    await call.use(Revisions).delete(await _folder(call, env, folder), resource, revision)


@_route(
    "POST",
    "/{revision}/publish",
    auth=UPDATE,
    raises=[*_REVISION, faults.DATA_VALIDATION_ERROR, faults.NO_PUBLISHED_SCHEMA],
)
async def publish_revision(call: Call, env: str, folder: str, resource: str, revision: str) -> RevisionView:
    """Show this revision; the one shown before becomes `unpublished`."""
    found = await _folder(call, env, folder)
    return _view(await call.use(Revisions).publish(found, resource, revision))


@_route("POST", "/{revision}/unpublish", auth=UPDATE, raises=_REVISION)
async def unpublish_revision(call: Call, env: str, folder: str, resource: str, revision: str) -> RevisionView:
    """Take the resource out of delivery."""
    found = await _folder(call, env, folder)
    return _view(await call.use(Revisions).unpublish(found, resource, revision))


@_route("POST", "/{revision}/validate", auth=UPDATE, raises=[*_REVISION, faults.NO_PUBLISHED_SCHEMA])
async def validate_revision(
    call: Call, env: str, folder: str, resource: str, revision: str
) -> ValidationView:
    """Check the data against its schema version."""
    found = await _folder(call, env, folder)
    problems = await call.use(Revisions).validate(found, resource, revision)
    shown = [ProblemView(one.json_path, one.message, one.type) for one in problems[:MOST_PROBLEMS]]
    return ValidationView(not problems, shown, len(problems) > MOST_PROBLEMS)


@_route("GET", "/{revision}/data", auth=READ, raises=_REVISION)
async def get_revision_data(
    call: Call, env: str, folder: str, resource: str, revision: str
) -> dict[str, Any]:
    """The data of one revision."""
    found = await _folder(call, env, folder)
    return (await call.use(Revisions).one(found, resource, revision)).decoded()
