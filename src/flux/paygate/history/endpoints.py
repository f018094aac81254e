"""Calls one made, or sold."""

from __future__ import annotations

from flux.kernel.wire import Call, Routes
from flux.paygate.faults import CALL_NOT_FOUND, INVALID_API_ID, INVALID_PARAMETER
from flux.paygate.history.schemas import CallView, HistoryPage, HistoryQuery, call_view
from flux.paygate.history.service import History
from flux.paygate.scalars import ApiId, CallId
from flux.paygate.words import API, SESSION

routes = Routes(tag="history", prefix=API)


async def list_calls(call: Call, query: HistoryQuery) -> HistoryPage:
    """Calls of this wallet, as consumer or as provider, newest first."""
    if query.api_id is not None:
        try:
            ApiId.from_wire(query.api_id)
        except ValueError as error:
            raise INVALID_API_ID(apiId=query.api_id[:100], detail={"expected": str(error)}) from None
    wallet = call.principal.address
    rows, total = await call.use(History).page(wallet, query)
    return HistoryPage(
        calls=[call_view(row, wallet) for row in rows], total=total, limit=query.limit, offset=query.offset
    )


async def show_call(call: Call, call_id: CallId) -> CallView:
    """One call."""
    wallet = call.principal.address
    return call_view(await call.use(History).one(call_id, wallet), wallet)


for _path in ("/history", "/calls"):
    routes.get(_path, auth=SESSION, raises=[INVALID_API_ID, INVALID_PARAMETER])(list_calls)
    routes.get(f"{_path}/{{call_id}}", auth=SESSION, raises=[CALL_NOT_FOUND])(show_call)
