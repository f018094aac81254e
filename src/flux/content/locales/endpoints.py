"""/v1/{env}/locales/. The list is a bare array: clients refuse a page object here."""

from __future__ import annotations

from flux.content import faults
from flux.content.access import needs
from flux.content.locales.rows import Locale
from flux.content.locales.schemas import LocaleChange, LocaleCreate, LocaleView
from flux.content.locales.service import Locales
from flux.kernel.store import iso
from flux.kernel.wire import Call, Routes

routes = Routes(tag="locales", prefix="/v1/{env}/locales")
CREATE, READ, UPDATE, DELETE = needs("locales")


def _view(row: Locale) -> LocaleView:
    return LocaleView(row.name, row.code, row.environment, bool(row.is_default), iso(row.created_at))


@routes.get("", auth=READ)
async def list_locales(call: Call, env: str) -> list[LocaleView]:
    """Every locale of the environment, oldest first."""
    return [_view(row) for row in await call.use(Locales).all_of(env)]


@routes.post("", auth=CREATE, status=201, raises=[faults.VALIDATION_ERROR, faults.PLAN_LIMIT_EXCEEDED])
async def create_locale(call: Call, env: str, body: LocaleCreate) -> LocaleView:
    """Add a locale."""
    return _view(await call.use(Locales).create(env, body))


@routes.get("/{code}", auth=READ, raises=[faults.LOCALE_NOT_FOUND])
async def get_locale(call: Call, env: str, code: str) -> LocaleView:
    """One locale."""
    return _view(await call.use(Locales).one(env, code))


@routes.put("/{code}", auth=UPDATE, raises=[faults.LOCALE_NOT_FOUND, faults.VALIDATION_ERROR])
async def update_locale(call: Call, env: str, code: str, body: LocaleChange) -> LocaleView:
    """Rename a locale or make it the default."""
    return _view(await call.use(Locales).change(env, code, body))


@routes.delete(
    "/{code}", auth=DELETE, raises=[faults.LOCALE_NOT_FOUND, faults.DEFAULT_LOCALE_CANNOT_BE_DELETED]
)
async def delete_locale(call: Call, env: str, code: str) -> None:
    """Remove a locale; its translations stay stored and are no longer shown."""
    await call.use(Locales).delete(env, code)
