"""Requests by their shape: everything in them but the values that conditions compare with, and the page that is asked for.

A shape is understood once for a state of the environment's structure. What came of it is kept: the plan with blanks, how
each value is read, and the statements; or why no request of the shape can be answered. Searches by relevance are not kept:
the text they look for is theirs alone.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from typing import Any

import msgspec
from msgspec import Struct

from flux.content.delivery import parameters
from flux.content.delivery.parameters import Paging
from flux.content.delivery.reading import Query, Reading, read_request
from flux.content.delivery.served import ApiServed, Served, Snapshot
from flux.content.search.blanks import Blank, Texts
from flux.content.search.modes import SECTIONS
from flux.content.search.operators import OperandRefused
from flux.content.search.plan import Plan
from flux.content.search.where import GET_PREFIX, Heard, Operand, Sent, is_open, opened
from flux.content.settled import Settled
from flux.kernel.faults import FaultError

LARGEST = 4096
"""Bytes of a shape that is kept."""
ENTRY_BYTES = 4000
"""What a kept shape costs in memory beside itself and its statements."""
_PAGE = frozenset({"limit", "offset", "next", "previous"})
_RANKED = SECTIONS | {"search_mode"}
_START = len(GET_PREFIX)


class _Known(Struct, frozen=True):
    """`operands` are by place; None where the value is not looked at."""

    reading: Reading
    operands: tuple[Operand | None, ...]
    texts: Texts


class Shapes:
    """The shapes that were last asked for, at most so many bytes of them."""

    def __init__(self, settled: Settled) -> None:
        self._settled = settled
        self._most_bytes = settled.content.plan_cache_bytes
        self._known: OrderedDict[Hashable, _Known | FaultError] = OrderedDict()
        self.bytes = 0

    def read(
        self,
        snapshot: Snapshot,
        api: ApiServed,
        served: Served,
        parent: str | None,
        pairs: Query,
        body: dict[str, Any],
    ) -> Reading:
        """As `read_request`, which this asks about what it does not know."""
        values: list[Any] = []
        shape = _shape(pairs, body, values)
        if shape is None:
            return read_request(self._settled, snapshot, api, served, parent, pairs, body)
        place = snapshot.environment, snapshot.generation, api.api.prefix, served.key
        address = *place, parent is None, shape
        known = self._known.get(address)
        if known is None:
            known = self._learn(address, snapshot, api, served, parent, pairs, body)
        else:
            self._known.move_to_end(address)
        paging = parameters.paging(parameters.latest(pairs), body, self._settled.content.page_size)
        if isinstance(known, FaultError):
            raise known.with_traceback(None)
        try:
            pairs_ = zip(known.operands, values, strict=True)
            operands = tuple([None if how is None else how.read(value) for how, value in pairs_])
        except OperandRefused:
            # Raises, with everything else that is wrong.
            return read_request(self._settled, snapshot, api, served, parent, pairs, body)
        return _filled(known, paging, operands, parent)

    def _learn(
        self,
        address: Hashable,
        snapshot: Snapshot,
        api: ApiServed,
        served: Served,
        parent: str | None,
        pairs: Query,
        body: dict[str, Any],
    ) -> _Known | FaultError:
        """Raises what is wrong with this request; what is wrong with the whole shape is kept."""
        settings = self._settled.content
        query = parameters.latest(pairs)
        parameters.boolean(query, "ignore_unknown_fields")
        parameters.paging(query, body, settings.page_size)
        heard = Heard()
        above = None if parent is None else Blank("parent")
        sent, sent_body, count = _sent(pairs, body)
        try:
            reading = read_request(self._settled, snapshot, api, served, above, sent, sent_body, heard)
        except FaultError as refused:
            if heard.refused:
                raise
            self._keep(address, refused)
            return refused

        def grown(size: int) -> None:
            if address in self._known:
                self._grow(size)

        operands = [heard.operands.get(place) for place in range(count)]
        known = _Known(reading, tuple(operands), Texts(grown))
        self._keep(address, known)
        return known

    # -- keeping ----------------------------------------------------------------------------------------------

    def _keep(self, address: Hashable, known: _Known | FaultError) -> None:
        if self._most_bytes:
            self._known[address] = known
            self._grow(ENTRY_BYTES)

    def _grow(self, size: int) -> None:
        self.bytes += size
        while self.bytes > self._most_bytes:
            _, gone = self._known.popitem(last=False)
            self.bytes -= ENTRY_BYTES + (gone.texts.bytes if isinstance(gone, _Known) else 0)


def _filled(known: _Known, paging: Paging, operands: tuple[Any, ...], parent: str | None) -> Reading:
    reading, plan = known.reading, known.reading.plan
    filled = Plan(
        plan.scope,
        plan.where,
        plan.sort,
        paging.limit,
        paging.offset,
        None,
        plan.joins,
        operands,
        parent,
        known.texts,
    )
    return Reading(
        filled, reading.view, paging, reading.populate, reading.joins, None, reading.sorted, reading.tally
    )


def _shape(pairs: Query, body: dict[str, Any], values: list[Any]) -> bytes | None:
    """None for what is not kept. The values that are left out of it are put into `values`."""

    def put(value: Any) -> int:
        values.append(value)
        return 0

    parts: list[Any] = []
    for name, text in pairs:
        if name.startswith(GET_PREFIX):
            parts += (name, put(text) if is_open(name[_START:]) else text)
        elif name.startswith("find_"):
            return None
        elif name not in _PAGE:
            parts += (name, text)
    if body:
        if not _RANKED.isdisjoint(body):
            return None
        aliases = _aliases(body)
        parts.append(
            {
                name: opened(value, aliases, put) if name == "where" else value
                for name, value in body.items()
                if name not in _PAGE
            }
        )
    try:
        shape = msgspec.msgpack.encode(parts)
    except (OverflowError, ValueError):
        return None
    return shape if len(shape) <= LARGEST else None


def _sent(pairs: Query, body: dict[str, Any]) -> tuple[Query, dict[str, Any], int]:
    """The request with every value that `_shape` left out marked by its place, and how many these are."""
    count = 0

    def put(value: Any) -> Sent:
        nonlocal count
        count += 1
        return Sent(count - 1, value)

    marked: Query = [
        (name, put(text) if name.startswith(GET_PREFIX) and is_open(name[_START:]) else text)
        for name, text in pairs
    ]
    if "where" not in body:
        return marked, body, count
    whole = {**body, "where": opened(body["where"], _aliases(body), put)}
    return marked, whole, count


def _aliases(body: dict[str, Any]) -> Any:
    """Of the joins, so far as they are told in the right form."""
    join = body.get("join")
    aliases = join.get("as") if isinstance(join, dict) else None
    return aliases if isinstance(aliases, dict) else ()
