"""`/errors` for people, `/errors.json` for programs."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec import Struct

from flux.kernel.wire import Call, Plane, Raw, Routes
from flux.operator.reference.entries import Entry, reference
from flux.operator.reference.page import Choice, ErrorPage
from flux.operator.reference.proofs import Proofs

routes = Routes(tag="reference")


class Reference:
    """The reference of this process, made when first asked for: planes, routes and proofs stay as they are."""

    def __init__(self, planes: Callable[[], list[Plane]], proofs: Proofs | None = None) -> None:
        self._planes = planes
        self._proofs = proofs
        self._page: ErrorPage | None = None
        self._json = b""

    @property
    def page(self) -> ErrorPage:
        if self._page is None:
            planes = self._planes()
            proofs = self._proofs if self._proofs is not None else Proofs.read()
            mounts = {plane.name: plane.mount for plane in planes}
            self._page = ErrorPage(reference(planes, proofs), mounts)
        return self._page

    @property
    def entries(self) -> list[Entry]:
        return self.page.entries

    @property
    def json(self) -> bytes:
        if not self._json:
            self._json = msgspec.json.encode([entry.row for entry in self.entries])
        return self._json


class Wanted(Struct, frozen=True):
    """Filters of the page; what fits nothing shows nothing."""

    plane: str = ""
    status: str = ""
    q: str = ""


@routes.get("/errors")
async def errors(call: Call, query: Wanted) -> Raw:
    """The error reference as a page: every code with its cause, cure, routes and last proof."""
    return call.use(Reference).page.show(Choice(query.plane, query.status, query.q[:200]))


@routes.get("/errors.json")
async def errors_json(call: Call) -> Raw:
    """The error reference as data."""
    return Raw(call.use(Reference).json)
