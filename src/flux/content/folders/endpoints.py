"""/v1/{env}/folders/tree/ and /v1/{env}/collections/tree/."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flux.content import faults
from flux.content.access import needs
from flux.content.folders.rows import Folder
from flux.content.folders.schemas import FolderChange, FolderCreate, FolderQuery, FolderView, TreeQuery
from flux.content.folders.service import Folders
from flux.content.pages import Rows, Window, page, whole
from flux.content.settled import Settled
from flux.content.spellings import both_spellings
from flux.kernel.store import iso
from flux.kernel.wire import Call, Routes
from flux.kernel.wire.routes import Handler

routes = Routes(tag="folders")
CREATE, READ, UPDATE, DELETE = needs("collection-structure")
_MISSING = [faults.FOLDER_NOT_FOUND, faults.VALIDATION_ERROR]


def _route(method: str, path: str, **options: Any) -> Callable[[Handler], Handler]:
    return both_spellings(routes, method, path, **options)


def _view(row: Folder) -> FolderView:
    return FolderView(
        key=row.key,
        name=row.name,
        alias=row.alias,
        folder_type=row.folder_type,
        content_type=row.content_type,
        strict_reference=bool(row.strict_reference),
        created_at=iso(row.created_at),
        parent=row.path.rpartition(".")[0] or None,
        mode=None,
        path=row.path,
        auto_remove_revisions=row.auto_remove_revisions,
        auto_remove_schema_versions=row.auto_remove_schema_versions,
        embedding_model=row.embedding_model,
        embedding_dimension=row.embedding_dimension,
    )


@_route("GET", "/v1/{env}/{F}/tree", auth=READ, raises=_MISSING)
async def list_tree(call: Call, env: str, query: TreeQuery) -> dict[str, Any]:
    """Folders in tree order: all of them, or the relatives of one."""
    found = await call.use(Folders).tree(env, query)
    if query.limit is None and not query.offset:
        return whole([_view(row) for row in found])
    at = Window(min(query.limit or 100, call.use(Settled).content.page_size), query.offset)
    return page(call, at, Rows(len(found), found[at.offset : at.offset + at.limit]), _view)


@_route(
    "POST",
    "/v1/{env}/{F}/tree",
    auth=CREATE,
    status=201,
    raises=[faults.VALIDATION_ERROR, faults.FOLDER_ALIAS_EXISTS, faults.PLAN_LIMIT_EXCEEDED],
)
async def create_folder(call: Call, env: str, body: FolderCreate) -> FolderView:
    """Create a folder, at the root or under a parent."""
    return _view(await call.use(Folders).create(env, body))


@_route("GET", "/v1/{env}/{F}/tree/{X}", auth=READ, raises=_MISSING)
async def get_folder(call: Call, env: str, query: FolderQuery) -> FolderView:
    """One folder, by `?key=` or `?path=`."""
    return _view(await call.use(Folders).named(env, query.key, query.path))


@_route("PUT", "/v1/{env}/{F}/tree/{X}", auth=UPDATE, raises=[*_MISSING, faults.FOLDER_ALIAS_EXISTS])
async def update_folder(call: Call, env: str, query: FolderQuery, body: FolderChange) -> FolderView:
    """Change a folder; its type, parent and embedding stay as created."""
    folders = call.use(Folders)
    folder = await folders.named(env, query.key, query.path)
    return _view(await folders.change(env, folder, body))


@_route("DELETE", "/v1/{env}/{F}/tree/{X}", auth=DELETE, raises=_MISSING)
async def delete_folder(call: Call, env: str, query: FolderQuery) -> None:
    """Delete a folder with everything below it."""
    folders = call.use(Folders)
    await folders.delete(env, await folders.named(env, query.key, query.path))
