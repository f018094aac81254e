"""Delivery of published content: list, get and search, from a request that was let in to encoded bytes."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import lru_cache
from hashlib import sha256
from typing import Any

import msgspec

from flux.content import faults
from flux.content.delivery import parameters
from flux.content.delivery.answers import Answers, Depends
from flux.content.delivery.door import Entry
from flux.content.delivery.fragments import Fragments
from flux.content.delivery.presenting import Presenter
from flux.content.delivery.reading import Reading
from flux.content.delivery.readings import Readings
from flux.content.delivery.served import Target
from flux.content.delivery.shapes import Shapes
from flux.content.delivery.snapshots import Snapshots
from flux.content.search.plan import realised
from flux.content.search.problems import Problems
from flux.content.search.ranking import Ranking
from flux.content.search.rows import Found
from flux.content.search.service import Search
from flux.content.search.tallies import Tallies
from flux.content.settled import Settled
from flux.content.shape.localising import View
from flux.kernel.faults import FaultError
from flux.kernel.house import House
from flux.kernel.wire import Call, Raw


class Delivery:
    def __init__(
        self,
        house: House,
        settled: Settled,
        snapshots: Snapshots,
        search: Search,
        ranking: Ranking,
        tallies: Tallies,
        answers: Answers,
    ) -> None:
        self._db = house.db
        self._ports = house.ports
        self._settled = settled
        self._snapshots = snapshots
        self._search = search
        self._ranking = ranking
        self._tallies = tallies
        self._answers = answers
        self._shapes = Shapes(settled)
        self._readings = Readings(settled)
        self._fragments = Fragments(house, settled, search)

    # -- paths ------------------------------------------------------------------------------------------------

    def target(self, entry: Entry, segments: tuple[str, ...]) -> Target:
        """Raises `ROUTE_NOT_FOUND`."""
        found = entry.api.find(segments) if segments else None
        if found is None:
            raise faults.ROUTE_NOT_FOUND()
        return found

    async def check_parents(self, target: Target) -> str | None:
        """The key of the parent resource that a strict folder's documents belong to. Raises `RESOURCE_NOT_FOUND`."""
        above: str | None = None
        for served, key in target.parents:
            if (
                await self._search.one(served.key, key, above if served.folder.strict_reference else None)
                is None
            ):
                raise faults.RESOURCE_NOT_FOUND()
            above = key
        return above if target.served.folder.strict_reference else None

    # -- list and search --------------------------------------------------------------------------------------

    async def many(
        self, call: Call, entry: Entry, target: Target, decoded: Callable[[], dict[str, Any]] = dict
    ) -> Raw:
        """A page of documents. `decoded` gives the body, which was read; it is empty for a list."""
        if "get_many" not in target.served.allowed:
            decoded()
            raise faults.ACTION_NOT_ALLOWED()
        key = self._key(call, entry, named=True)
        kept = self._answers.at_hand(key)
        if kept is not None:
            return self._answers.reply(call, kept, entry.principal)

        async def make(depends: Depends) -> bytes:
            if target.parents:
                body = decoded()
                await self._depend(depends, target)
                parent = await self.check_parents(target)
                reading = self._read(key, call, entry, target, parent, body)
            else:
                reading = self._readings.of(
                    key, _size(call), lambda: self._read(key, call, entry, target, None, decoded())
                )
                await depends.on(target.served.key)
            page = await self._page(call, entry, reading, depends)
            if reading.tally is None:
                return page
            generation = await depends.on(reading.plan.scope.folder)
            told = await self._tallies.of(realised(reading.plan), reading.ranked, reading.tally, generation)
            return page[:-1] + b"," + msgspec.json.encode(told)[1:]

        answer = await self._answers.answer(key, make)
        return self._answers.reply(call, answer, entry.principal)

    def _read(
        self,
        key: Hashable,
        call: Call,
        entry: Entry,
        target: Target,
        parent: str | None,
        body: dict[str, Any],
    ) -> Reading:
        """The request understood. Why it cannot be is kept, where no document has a say in it."""
        try:
            return self._shapes.read(entry.snapshot, entry.api, target.served, parent, call.query, body)
        except FaultError as refused:
            if not target.parents:
                self._answers.refuse(key, refused)
            raise

    async def _page(self, call: Call, entry: Entry, reading: Reading, depends: Depends) -> bytes:
        paging, plan = reading.paging, reading.plan
        for folder in reading.joins.folders:
            await depends.on(folder)
        generation = await depends.on(plan.scope.folder)
        metadata: dict[str, Any] | None = None
        if reading.ranked is None:
            found = await self._search.page(
                plan, paging.token, backwards=paging.backwards, generation=generation
            )
        else:
            found, metadata = await self._ranking.page(
                plan,
                reading.ranked,
                paging.token,
                backwards=paging.backwards,
                sorted_=reading.sorted,
                generation=generation,
            )
        presenter = self._presenter(entry, reading.view, depends)
        if plan.joins:
            items = await presenter.encoded(found.hits, reading.populate)
            joined = await presenter.joined(plan.scope, found.hits, realised(plan).joins)
            items = [_with_member(one, "_joined", rows) for one, rows in zip(items, joined, strict=True)]
            results = b",".join(items)
        else:
            results = await presenter.page(found.hits, reading.populate)
        base = self._settled.public_base(call)
        return self._envelope(call, base, paging.limit, found, results, metadata)

    @staticmethod
    def _envelope(
        call: Call, base: str, limit: int, found: Found, results: bytes, metadata: dict[str, Any] | None
    ) -> bytes:
        """Put together by hand: the documents are encoded already."""
        following = _neighbour(call, base, limit, "next", found.following)
        preceding = _neighbour(call, base, limit, "previous", found.preceding)
        head = msgspec.json.encode({"limit": limit, "next": following, "previous": preceding})
        tail = b"]}" if metadata is None else b'],"metadata":' + msgspec.json.encode(metadata) + b"}"
        return b"".join([head[:-1], b',"results":[', results, tail])

    # -- get --------------------------------------------------------------------------------------------------

    async def one(self, call: Call, entry: Entry, target: Target) -> Raw:
        if "get_one" not in target.served.allowed:
            raise faults.ACTION_NOT_ALLOWED()

        async def make(depends: Depends) -> bytes:
            await self._depend(depends, target)
            return await self._item(call, entry, target, depends)

        key = self._key(call, entry, named=False)
        answer = self._answers.at_hand(key) or await self._answers.answer(key, make)
        return self._answers.reply(call, answer, entry.principal)

    async def _item(self, call: Call, entry: Entry, target: Target, depends: Depends) -> bytes:
        parent = await self.check_parents(target)
        latest = parameters.latest(call.query)
        problems = Problems(ignore_unknown=parameters.boolean(latest, "ignore_unknown_fields"))
        view = parameters.view(latest, entry.snapshot.locales, problems)
        shape = target.served.schema.shape if target.served.schema else None
        populate = parameters.paths(latest, "populate", shape, problems)
        fields = parameters.paths(latest, "fields", shape, problems)
        problems.settle()
        assert target.key is not None
        hit = await self._search.one(target.served.key, target.key, parent)
        if hit is None:
            raise faults.RESOURCE_NOT_FOUND()
        if fields is not None:
            view = msgspec.structs.replace(view, fields=fields)
        return await self._presenter(entry, view, depends).page([hit], populate or ())

    def reply(self, call: Call, entry: Entry, value: Any) -> Raw:
        """Introspection: any size, with an ETag too."""
        answer = self._answers.encoded(msgspec.json.encode(value))
        return self._answers.reply(call, answer, entry.principal)

    # -- inside -----------------------------------------------------------------------------------------------

    def _presenter(self, entry: Entry, view: View, depends: Depends) -> Presenter:
        return Presenter(
            self._settled.content,
            self._snapshots,
            self._search,
            entry.snapshot,
            entry.api,
            view,
            depends,
            self._fragments,
        )

    @staticmethod
    async def _depend(depends: Depends, target: Target) -> None:
        await depends.on(target.served.key)
        for served, _ in target.parents:
            await depends.on(served.key)

    @staticmethod
    def _key(call: Call, entry: Entry, *, named: bool) -> Hashable:
        """What was asked, of which state of the environment. `named`: and by which URL, where the answer names others."""
        snapshot, scope = entry.snapshot, call.scope
        query = scope["query_string"]
        url = (scope.get("scheme"), call.first_headers.get(b"host"), scope["raw_path"]) if named else None
        place = snapshot.environment, snapshot.generation, url, call.path
        if call.method != "POST":
            return *place, query if len(query) <= _LONGEST_KEY else sha256(query).digest()
        body = call.body_now() or b""
        return *place, sha256(query + b"\n" + body).digest()


_LONGEST_KEY = 1000
"""Bytes of a query that is its own name; a longer one goes by its hash."""
_OF_A_PAGE = frozenset(("next", "previous", "offset", "limit"))


def _neighbour(call: Call, base: str, limit: int, name: str, token: str | None) -> str | None:
    """The caller's own URL with the cursor replaced. What is kept of it is kept as it was sent."""
    if token is None:
        return None
    sent = call.query_string
    kept = _beside_page(sent) if len(sent) <= _LONGEST_KEY else _beside_page.__wrapped__(sent)
    return f"{base}{call.path}?{kept}limit={limit}&{name}={token}"


def _size(call: Call) -> int:
    """Bytes of what was asked."""
    return len(call.scope["query_string"]) + len(call.body_now() or b"")


@lru_cache(maxsize=1000)
def _beside_page(query: str) -> str:
    """What of a query says nothing about the page, ready for more."""
    parts = [part for part in query.split("&") if part and part.partition("=")[0] not in _OF_A_PAGE]
    return "".join([f"{part}&" for part in parts])


def _with_member(item: bytes, name: str, value: Any) -> bytes:
    """An encoded object with one member more."""
    return item[:-1] + b"," + msgspec.json.encode(name) + b":" + msgspec.json.encode(value) + b"}"
