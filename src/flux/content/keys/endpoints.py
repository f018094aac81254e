"""/v1/{env}/permissions/{management|flux}-api/api-keys/ and the bearer tokens of delivery keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flux.content import faults
from flux.content.access import Needs
from flux.content.keys.rows import Key
from flux.content.keys.schemas import BearerView, KeyChange, KeyCreate, KeyView
from flux.content.keys.service import Keys
from flux.content.pages import PageQuery, page, window
from flux.content.settled import Settled
from flux.content.sides import each_side, side_of
from flux.kernel.store import iso
from flux.kernel.wire import Call, Routes
from flux.kernel.wire.routes import Handler

routes = Routes(tag="api keys")
_MISSING = [faults.API_KEY_NOT_FOUND]


def _route(method: str, path: str, action: str, **options: Any) -> Callable[[Handler], Handler]:
    return each_side(routes, method, path, "api-keys", action, **options)


def _view(row: Key, secret: str | None = None) -> KeyView:
    view = KeyView(
        key=row.key,
        public_key=row.public_key,
        secret_key=secret or row.secret_hint,
        environment=row.environment,
        created_at=iso(row.created_at),
        description=row.description,
        role=row.role,
    )
    if row.side == "flux":
        view.bearer_token_prefix = row.bearer_prefix
        view.bearer_token_issued_at = iso(row.bearer_issued_at) if row.bearer_issued_at is not None else None
    return view


@_route("GET", "", "read")
async def list_keys(call: Call, env: str, query: PageQuery) -> dict[str, Any]:
    """Keys of one side; their secrets are masked."""
    at = window(query, call.use(Settled).content.page_size)
    return page(call, at, await call.use(Keys).listing(env, side_of(call), at), _view)


@_route(
    "POST",
    "",
    "create",
    status=201,
    raises=[faults.PLAN_LIMIT_EXCEEDED, faults.ROLE_NOT_FOUND, faults.VALIDATION_ERROR],
)
async def create_key(call: Call, env: str, body: KeyCreate) -> KeyView:
    """Create a key. Its secret is in this answer and never again."""
    row, secret = await call.use(Keys).create(env, side_of(call), body)
    return _view(row, secret)


@_route("GET", "/{key}", "read", raises=_MISSING)
async def get_key(call: Call, env: str, key: str) -> KeyView:
    """One key; its secret is masked."""
    return _view(await call.use(Keys).one(env, side_of(call), key))


@_route("PUT", "/{key}", "update", raises=[*_MISSING, faults.ROLE_NOT_FOUND, faults.VALIDATION_ERROR])
async def update_key(call: Call, env: str, key: str, body: KeyChange) -> KeyView:
    """Describe a key or change its role."""
    return _view(await call.use(Keys).change(env, side_of(call), key, body))


@_route("DELETE", "/{key}", "delete", raises=_MISSING)
async def delete_key(call: Call, env: str, key: str) -> None:
    """Delete a key; it stops working at once."""
    await call.use(Keys).delete(env, side_of(call), key)


def _bearer(method: str, **options: Any) -> Callable[[Handler], Handler]:
    """Only delivery keys have bearer tokens, so these stand on one side only."""

    def register(handler: Handler) -> Handler:
        for root in ("permissions", "roles"):
            at = f"/v1/{{env}}/{root}/flux-api/api-keys/{{key}}/bearer-token"
            routes.route(method, at, auth=Needs("flux-api-keys", "update"), raises=_MISSING, **options)(
                handler
            )
        return handler

    return register


@_bearer("POST", status=201)
async def issue_bearer_token(call: Call, env: str, key: str) -> BearerView:
    """Issue the key's bearer token; the one before stops working."""
    return await call.use(Keys).issue_bearer(env, key)


@_bearer("DELETE")
async def revoke_bearer_token(call: Call, env: str, key: str) -> None:
    """Revoke the key's bearer token; no error when it has none."""
    await call.use(Keys).revoke_bearer(env, key)
