"""/v1/{env}/components/."""

from __future__ import annotations

from typing import Any

from flux.content import faults
from flux.content.access import needs
from flux.content.components.rows import ComponentWithVersion
from flux.content.components.schemas import ComponentChange, ComponentCreate, ComponentView
from flux.content.components.service import Components
from flux.content.moments import created_bounds
from flux.content.pages import PageQuery, page, window
from flux.content.settled import Settled
from flux.kernel.store import iso
from flux.kernel.wire import Call, Routes

routes = Routes(tag="components", prefix="/v1/{env}/components")
CREATE, READ, UPDATE, DELETE = needs("components")
_MISSING = [faults.COMPONENT_NOT_FOUND]


def _view(row: ComponentWithVersion) -> ComponentView:
    return ComponentView(
        key=row.key,
        name=row.name,
        description=row.description,
        environment=row.environment,
        content_type=row.content_type,
        created_at=iso(row.created_at),
        current_version=row.current_version,
    )


@routes.get("", auth=READ, raises=[faults.VALIDATION_ERROR])
async def list_components(call: Call, env: str, query: PageQuery) -> dict[str, Any]:
    """Components, newest first; `created_at__gte=` and its kin narrow them down."""
    at = window(query, call.use(Settled).content.page_size)
    return page(call, at, await call.use(Components).listing(env, at, created_bounds(call)), _view)


@routes.post("", auth=CREATE, status=201, raises=[faults.PLAN_LIMIT_EXCEEDED])
async def create_component(call: Call, env: str, body: ComponentCreate) -> ComponentView:
    """Create a component; its schema is added as versions."""
    return _view(await call.use(Components).create(env, body))


@routes.get("/{component}", auth=READ, raises=_MISSING)
async def get_component(call: Call, env: str, component: str) -> ComponentView:
    """One component."""
    return _view(await call.use(Components).one(None, env, component))


@routes.put("/{component}", auth=UPDATE, raises=_MISSING)
async def update_component(call: Call, env: str, component: str, body: ComponentChange) -> ComponentView:
    """Rename or describe a component."""
    return _view(await call.use(Components).change(env, component, body))


@routes.delete("/{component}", auth=DELETE, raises=[*_MISSING, faults.COMPONENT_IN_USE])
async def delete_component(call: Call, env: str, component: str) -> None:
    """Delete a component that nothing uses."""
    await call.use(Components).delete(env, component)
