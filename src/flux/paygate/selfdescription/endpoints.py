"""For tools and agents."""

from __future__ import annotations

from flux.kernel.wire import Call, Raw, Routes
from flux.paygate.selfdescription.service import SelfDescription
from flux.paygate.words import OPEN

routes = Routes(tag="description")


@routes.get("/openapi.json", auth=OPEN)
async def show_openapi(call: Call) -> Raw:
    """This API as an OpenAPI document."""
    return Raw(call.use(SelfDescription).openapi(call.plane))


@routes.get("/llms.txt", auth=OPEN)
async def show_llms(call: Call) -> Raw:
    """This API in words, for language models."""
    return Raw(call.use(SelfDescription).llms(), "text/plain; charset=utf-8")
