"""Numbers for a wallet and for a listing."""

from __future__ import annotations

from typing import Any

from flux.kernel.wire import Call, Routes
from flux.paygate.dashboard.schemas import AnalyticsQuery
from flux.paygate.dashboard.service import Dashboard
from flux.paygate.faults import API_NOT_FOUND, FORBIDDEN, INVALID_PARAMETER
from flux.paygate.scalars import ApiId
from flux.paygate.words import API, SESSION

routes = Routes(tag="dashboard", prefix=API)


@routes.get("/dashboard", auth=SESSION)
async def show_dashboard(call: Call) -> dict[str, Any]:
    """What this wallet sold and spent."""
    return await call.use(Dashboard).of(call.principal.address)


@routes.get("/apis/{api_id}/analytics", auth=SESSION, raises=[API_NOT_FOUND, FORBIDDEN, INVALID_PARAMETER])
async def show_analytics(call: Call, api_id: ApiId, query: AnalyticsQuery) -> dict[str, Any]:
    """How a listing does over time; for its owner."""
    return await call.use(Dashboard).series(api_id, call.principal.address, query)
