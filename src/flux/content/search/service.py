"""Running a search: one page of documents and the tokens of its neighbours."""

from __future__ import annotations

import msgspec

from flux.content.faults import INVALID_REQUEST, RESOURCE_NOT_FOUND
from flux.content.generations.service import Generations, read_one
from flux.content.search import cursors, order_repository, repository
from flux.content.search.plan import Join, Plan, Scope
from flux.content.search.rows import Found, Hit
from flux.content.search.statements import Statements
from flux.kernel.house import House


class Search:
    def __init__(self, house: House, generations: Generations) -> None:
        self._db = house.db
        self._generations = generations
        self._statements = Statements(house.db)

    async def page(
        self,
        plan: Plan,
        token: str | None,
        *,
        backwards: bool,
        among: tuple[int, ...] | None = None,
        about: object = None,
        generation: int | None = None,
    ) -> Found:
        """`among` are the ids of the only documents that count, `about` what chose them,
        `generation` the state of the folder that is asked for. Raises `INVALID_REQUEST` for a token of another query, `RESOURCE_NOT_FOUND` when its document is gone."""
        stamped = cursors.fingerprint(plan, about)
        if token is not None:
            plan = await self._anchored(plan, token, stamped, backwards=backwards)
        hits = await repository.documents(self._statements, plan, plan.limit + 1, among, generation)
        by_field = among is None and order_repository.is_by_one_field(plan)
        if by_field and not await self._is_still(plan, generation):
            # More than one statement: a document that changed in between may have been seen twice or not at all.
            hits = await repository.at_once(self._statements, plan, plan.limit + 1)
        more = len(hits) > plan.limit
        hits = hits[: plan.limit]
        if backwards:
            hits.reverse()
        before = more if backwards else (token is not None or plan.offset > 0)
        after = (token is not None) if backwards else more
        return Found(
            hits,
            _token(stamped, plan, hits[-1], backwards=False) if after and hits else None,
            _token(stamped, plan, hits[0], backwards=True) if before and hits else None,
        )

    async def one(self, folder: str, key: str, parent: str | None = None) -> Hit | None:
        return await repository.document(self._db, folder, key, parent)

    async def many(self, folders: list[str], keys: list[str]) -> list[Hit]:
        return await repository.documents_by_key(self._db, folders, keys)

    async def joined(self, source: Scope, join: Join, ids: list[int], most: int) -> list[tuple[int, Hit]]:
        return await repository.joined_documents(self._db, source, join, ids, most)

    async def _is_still(self, plan: Plan, generation: int | None) -> bool:
        """Whether the folder is as `generation` says. Where memory is as new as all that can be read, it knows."""
        if generation is None:
            return False
        folder = plan.scope.folder
        if self._db.settled and self._generations.stand(((folder, generation),)):
            return True
        return await read_one(self._db, folder) == generation

    async def _anchored(self, plan: Plan, token: str, stamped: bytes, *, backwards: bool) -> Plan:
        anchor = cursors.decode(token, stamped, plan.sort, backwards=backwards)
        if anchor is None:
            raise INVALID_REQUEST()
        if await repository.document(self._db, plan.scope.folder, anchor.key) is None:
            raise RESOURCE_NOT_FOUND()
        return msgspec.structs.replace(plan, offset=0, anchor=anchor, kept=None)


def _token(stamped: bytes, plan: Plan, hit: Hit, *, backwards: bool) -> str:
    values = (hit.by,) if len(plan.sort) == 1 else hit.by
    return cursors.encode(stamped, values, hit.key, backwards=backwards)
