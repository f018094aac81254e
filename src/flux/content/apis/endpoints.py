"""/v1/{env}/api/ and the connections below /folders/ and /collections/."""

from __future__ import annotations

from typing import Any

import msgspec

from flux.content import faults
from flux.content.access import needs
from flux.content.apis import rules
from flux.content.apis.rows import Api, Connection
from flux.content.apis.schemas import (
    ApiChange,
    ApiCreate,
    ApiView,
    ConnectionChange,
    ConnectionCreate,
    ConnectionView,
)
from flux.content.apis.service import Apis
from flux.content.pages import PageQuery, page, window
from flux.content.settled import Settled
from flux.content.spellings import both_spellings
from flux.kernel.store import iso
from flux.kernel.wire import Call, Routes

routes = Routes(tag="flux apis")
CREATE, READ, UPDATE, DELETE = needs("flux-apis")
_MISSING = [faults.API_NOT_FOUND]
_CONNECTION = [*_MISSING, faults.FOLDER_NOT_FOUND]
_AT = "/v1/{env}/api"


def _view(row: Api) -> ApiView:
    return ApiView(
        key=row.key,
        name=row.name,
        prefix=row.prefix,
        description=row.description,
        environment=row.environment,
        version=row.version,
        is_auth_required=bool(row.is_auth_required),
        mcp_enabled=bool(row.mcp_enabled),
        router_introspection_enabled=bool(row.router_introspection_enabled),
        cors_origins=msgspec.json.decode(row.cors_origins),
        created_at=iso(row.created_at),
        path=f"/{row.prefix}",
    )


def _connection_view(row: Connection, api: Api, paths: dict[str, str]) -> ConnectionView:
    return ConnectionView(
        folder=row.folder,
        api=row.api,
        path=f"/{api.prefix}/{paths.get(row.folder, '')}",
        allowed_methods=rules.split(row.allowed_methods),
        description_get_one=row.description_get_one,
        description_get_many=row.description_get_many,
        description_search=row.description_search,
        description_schema=row.description_schema,
        created_at=iso(row.created_at),
        unscoped_levels=[],
        unscoped_ancestors=[],
        expose_owner=False,
        flat_route=None,
        flat_routes=None,
    )


async def _shown(call: Call, row: Connection, api: Api) -> ConnectionView:
    return _connection_view(row, api, await call.use(Apis).folder_paths(api.environment))


# -- APIs -----------------------------------------------------------------------------------------------------


@routes.get(_AT, auth=READ)
async def list_apis(call: Call, env: str, query: PageQuery) -> dict[str, Any]:
    """Flux APIs, newest first."""
    at = window(query, call.use(Settled).content.page_size)
    return page(call, at, await call.use(Apis).listing(env, at), _view)


@routes.post(
    _AT,
    auth=CREATE,
    status=201,
    raises=[faults.API_PREFIX_EXISTS, faults.PLAN_LIMIT_EXCEEDED, faults.VALIDATION_ERROR],
)
async def create_api(call: Call, env: str, body: ApiCreate) -> ApiView:
    """Create an API; it serves the folders that are connected to it."""
    return _view(await call.use(Apis).create(env, body))


@routes.get(_AT + "/{api}", auth=READ, raises=_MISSING)
async def get_api(call: Call, env: str, api: str) -> ApiView:
    """One API."""
    return _view(await call.use(Apis).one(env, api))


@routes.put(
    _AT + "/{api}", auth=UPDATE, raises=[*_MISSING, faults.API_PREFIX_EXISTS, faults.VALIDATION_ERROR]
)
async def update_api(call: Call, env: str, api: str, body: ApiChange) -> ApiView:
    """Change an API."""
    return _view(await call.use(Apis).change(env, api, body))


@routes.delete(_AT + "/{api}", auth=DELETE, raises=_MISSING)
async def delete_api(call: Call, env: str, api: str) -> None:
    """Delete an API; the content stays."""
    await call.use(Apis).delete(env, api)


# -- connections ----------------------------------------------------------------------------------------------


@both_spellings(routes, "GET", _AT + "/{api}/{F}", auth=READ, raises=_MISSING)
async def list_connections(call: Call, env: str, api: str, query: PageQuery) -> dict[str, Any]:
    """The folders connected to an API."""
    apis = call.use(Apis)
    found = await apis.one(env, api)
    at = window(query, call.use(Settled).content.page_size)
    paths = await apis.folder_paths(env)
    return page(call, at, await apis.connections(found, at), lambda row: _connection_view(row, found, paths))


@both_spellings(
    routes,
    "POST",
    _AT + "/{api}/{F}",
    auth=UPDATE,
    status=201,
    raises=[*_CONNECTION, faults.FOLDER_ALREADY_CONNECTED_TO_API, faults.VALIDATION_ERROR],
)
async def connect_folder(call: Call, env: str, api: str, body: ConnectionCreate) -> ConnectionView:
    """Connect a folder; its strict ancestors are connected too, closed."""
    apis = call.use(Apis)
    found = await apis.one(env, api)
    return await _shown(call, await apis.connect(found, body), found)


@both_spellings(routes, "GET", _AT + "/{api}/{F}/{folder}", auth=READ, raises=_CONNECTION)
async def get_connection(call: Call, env: str, api: str, folder: str) -> ConnectionView:
    """One connection."""
    apis = call.use(Apis)
    found = await apis.one(env, api)
    return await _shown(call, await apis.connection(found, folder), found)


@both_spellings(
    routes, "PUT", _AT + "/{api}/{F}/{folder}", auth=UPDATE, raises=[*_CONNECTION, faults.VALIDATION_ERROR]
)
async def update_connection(
    call: Call, env: str, api: str, folder: str, body: ConnectionChange
) -> ConnectionView:
    """Change what a connection allows and how it is described."""
    apis = call.use(Apis)
    found = await apis.one(env, api)
    return await _shown(call, await apis.change_connection(found, folder, body), found)


@both_spellings(routes, "DELETE", _AT + "/{api}/{F}/{folder}", auth=UPDATE, raises=_CONNECTION)
async def disconnect_folder(call: Call, env: str, api: str, folder: str) -> None:
    """Take a folder off an API."""
    apis = call.use(Apis)
    await apis.disconnect(await apis.one(env, api), folder)
