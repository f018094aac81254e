"""/v1/{env}/permissions/{management|flux}-api/roles/ and what hangs on a role."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flux.content import faults
from flux.content.pages import PageQuery, page, window
from flux.content.roles.rows import ObjectRow, Role
from flux.content.roles.schemas import (
    ContentTypeQuery,
    ObjectBody,
    ObjectView,
    PermissionBody,
    PermissionView,
    RoleChange,
    RoleCreate,
    RoleView,
)
from flux.content.roles.service import Roles
from flux.content.settled import Settled
from flux.content.sides import each_side, side_of
from flux.kernel.store import iso
from flux.kernel.wire import Call, Routes
from flux.kernel.wire.routes import Handler

routes = Routes(tag="roles")
_MISSING = [faults.ROLE_NOT_FOUND]
_REFUSED = [faults.ROLE_NOT_FOUND, faults.VALIDATION_ERROR]


def _route(method: str, path: str, action: str, **options: Any) -> Callable[[Handler], Handler]:
    return each_side(routes, method, path, "roles", action, **options)


def _view(row: Role) -> RoleView:
    view = RoleView(row.key, row.name, row.description, row.environment, iso(row.created_at))
    if row.side == "management":
        view.full_access = bool(row.full_access)
    return view


def _object_view(row: ObjectRow) -> ObjectView:
    return ObjectView(row.content_type, row.object_key)


@_route("GET", "", "read")
async def list_roles(call: Call, env: str, query: PageQuery) -> dict[str, Any]:
    """Roles of one side."""
    at = window(query, call.use(Settled).content.page_size)
    return page(call, at, await call.use(Roles).listing(env, side_of(call), at), _view)


@_route("POST", "", "create", status=201, raises=[faults.PLAN_LIMIT_EXCEEDED])
async def create_role(call: Call, env: str, body: RoleCreate) -> RoleView:
    """Create a role; it may do nothing until it has permissions."""
    return _view(await call.use(Roles).create(env, side_of(call), body))


@_route("GET", "/{role}", "read", raises=_MISSING)
async def get_role(call: Call, env: str, role: str) -> RoleView:
    """One role."""
    return _view(await call.use(Roles).one(env, side_of(call), role))


@_route("PUT", "/{role}", "update", raises=_MISSING)
async def update_role(call: Call, env: str, role: str, body: RoleChange) -> RoleView:
    """Rename a role or give it full access."""
    return _view(await call.use(Roles).change(env, side_of(call), role, body))


@_route("DELETE", "/{role}", "delete", raises=_MISSING)
async def delete_role(call: Call, env: str, role: str) -> None:
    """Delete a role. Its keys stay and may do nothing: a deleted role must not widen what they can."""
    await call.use(Roles).delete(env, side_of(call), role)


@_route("GET", "/{role}/permissions", "read", raises=_MISSING)
async def list_permissions(call: Call, env: str, role: str) -> list[PermissionView]:
    """What a role may do."""
    return await call.use(Roles).permissions(env, side_of(call), role)


@_route("POST", "/{role}/permissions", "update", status=201, raises=_REFUSED)
async def put_permission(call: Call, env: str, role: str, body: PermissionBody) -> PermissionView:
    """Set the role's permission for one content type."""
    return await call.use(Roles).put_permission(env, side_of(call), role, body)


@_route("DELETE", "/{role}/permissions", "update", raises=_REFUSED)
async def delete_permission(call: Call, env: str, role: str, query: ContentTypeQuery) -> None:
    """Take a permission away; it is no error when there was none."""
    await call.use(Roles).drop_permission(env, side_of(call), role, query.content_type)


@_route("POST", "/{role}/permissions/batch", "update", raises=_REFUSED)
async def replace_permissions(
    call: Call, env: str, role: str, body: list[PermissionBody]
) -> list[PermissionView]:
    """Replace all permissions of a role."""
    return await call.use(Roles).replace_permissions(env, side_of(call), role, body)


@_route("GET", "/{role}/permissions/objects", "read", raises=_REFUSED)
async def list_objects(call: Call, env: str, role: str, query: ContentTypeQuery) -> list[ObjectView]:
    """The objects that a permission reaches."""
    found = await call.use(Roles).objects(env, side_of(call), role, query.content_type)
    return [_object_view(row) for row in found]


@_route("POST", "/{role}/permissions/objects", "update", status=201, raises=_REFUSED)
async def add_object(call: Call, env: str, role: str, body: ObjectBody) -> ObjectView:
    """Let a permission reach one more object."""
    return _object_view(await call.use(Roles).add_object(env, side_of(call), role, body))


@_route("DELETE", "/{role}/permissions/objects", "update", raises=_REFUSED)
async def drop_object(call: Call, env: str, role: str, body: ObjectBody) -> None:
    """Take an object out of reach; it is no error when it was not reached."""
    await call.use(Roles).drop_object(env, side_of(call), role, body)
