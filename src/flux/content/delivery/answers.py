"""Encoded answers: bounded in size, named by a strong ETag, remembered while nothing they show has changed. Beside them,
why requests cannot be answered."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable

from msgspec import Struct

from flux.content.access import Anonymous, KeyHolder
from flux.content.delivery.naming import Names
from flux.content.faults import MAX_RESPONSE_SIZE_EXCEEDED
from flux.content.generations.service import Generations
from flux.content.settled import Settled
from flux.kernel.faults import FaultError
from flux.kernel.house import House
from flux.kernel.wire import Call, Headers, Raw

ENTRY_BYTES = 1400
"""What an answer costs in memory beside its body."""
PROBLEM_BYTES = 400
"""What each thing that is wrong with a request costs, where it was refused."""


class Encoded(Struct, frozen=True):
    """`depends` are folders and the generations under which they were read; `replies` what leaves, to anybody and to
    holders of credentials."""

    body: bytes
    etag: str
    depends: tuple[tuple[str, int], ...] = ()
    replies: dict[bool, Raw] = {}


class Depends:
    """What an answer in the making has looked at: folders, each with its generation from before the look."""

    def __init__(self, generations: Generations) -> None:
        self._generations = generations
        self._found: dict[str, int] = {}

    async def on(self, folder: str) -> int:
        """The folder's generation; to be called before anything of the folder is read."""
        known = self._found.get(folder)
        if known is None:
            known = self._found[folder] = await self._generations.of(folder)
        return known

    @property
    def found(self) -> tuple[tuple[str, int], ...]:
        return tuple(self._found.items())


Make = Callable[[Depends], Awaitable[bytes]]


class Answers:
    """The newest answers, at most so many and so many bytes. Of equal requests at once, one does the work."""

    def __init__(self, house: House, settled: Settled, generations: Generations) -> None:
        self._ports = house.ports
        self._generations = generations
        self._names = Names(house.vault)
        self._most = settled.content.delivery_cache_entries
        self._most_bytes = settled.content.delivery_cache_bytes
        self._largest = settled.content.max_response_bytes
        control = settled.content.default_cache_control
        # By origin too, where none was sent: a shared cache must not give such an answer to a browser.
        self._open = Headers({"Cache-Control": control, "Vary": "Authorization, Origin"})
        self._closed = Headers({"Cache-Control": f"private, {control}", "Vary": "Authorization, Origin"})
        self._kept: OrderedDict[Hashable, Encoded | FaultError] = OrderedDict()
        self._bytes = 0
        self._under_way: dict[Hashable, asyncio.Future[Encoded | None]] = {}

    def at_hand(self, key: Hashable) -> Encoded | None:
        """The answer under `key`, when it is kept and memory knows that it is as it was; else None, and `answer` is to be
        asked. Raises what was kept as refused."""
        known = self._kept.get(key)
        if known is None or self._ports.armed("store"):
            return None
        if isinstance(known, FaultError):
            self._kept.move_to_end(key)
            raise known.with_traceback(None)
        if not self._generations.stand(known.depends):
            return None
        self._kept.move_to_end(key)
        return known

    def refuse(self, key: Hashable, refused: FaultError) -> None:
        """Keep why a request cannot be answered, where that depends on nothing but its key."""
        if not self._ports.armed("store"):
            self._keep(key, refused)

    async def answer(self, key: Hashable, make: Make) -> Encoded:
        """The answer kept under `key` while everything it depends on is as it was; else what `make` makes. While a fault
        waits at the store nothing is kept or shared. Raises `MAX_RESPONSE_SIZE_EXCEEDED`, and what `make` raises."""
        if self._ports.armed("store"):
            return await self._made(make)
        known = self._kept.get(key)
        if isinstance(known, Encoded) and await self._is_current(known):
            self._kept.move_to_end(key)
            return known
        other = self._under_way.get(key)
        if other is not None:
            # Begun before this request came: good only if nothing has changed since it began.
            shared = await asyncio.shield(other)
            if shared is not None and await self._is_current(shared):
                return shared
            return await self._made(make)
        return await self._leading(key, make)

    async def _leading(self, key: Hashable, make: Make) -> Encoded:
        waiting = self._under_way[key] = asyncio.get_running_loop().create_future()
        made: Encoded | None = None
        try:
            made = await self._made(make)
        finally:
            del self._under_way[key]
            waiting.set_result(made)
        self._keep(key, made)
        return made

    async def _made(self, make: Make) -> Encoded:
        depends = Depends(self._generations)
        body = self.within_size(await make(depends))
        return self.encoded(body, depends.found)

    def encoded(self, body: bytes, depends: tuple[tuple[str, int], ...] = ()) -> Encoded:
        return Encoded(body, self._names.of(body), depends)

    async def _is_current(self, answer: Encoded) -> bool:
        for folder, generation in answer.depends:
            if await self._generations.of(folder) != generation:
                return False
        return True

    def _keep(self, key: Hashable, answer: Encoded | FaultError) -> None:
        size = _size(answer)
        if size - ENTRY_BYTES > self._most_bytes or not self._most:
            return
        before = self._kept.pop(key, None)
        self._bytes += size - (_size(before) if before else 0)
        self._kept[key] = answer
        while len(self._kept) > self._most or self._bytes > self._most_bytes:
            _, gone = self._kept.popitem(last=False)
            self._bytes -= _size(gone)

    def within_size(self, body: bytes) -> bytes:
        """Raises `MAX_RESPONSE_SIZE_EXCEEDED`."""
        if len(body) > self._largest:
            raise MAX_RESPONSE_SIZE_EXCEEDED()
        return body

    def reply(self, call: Call, answer: Encoded, principal: KeyHolder | Anonymous) -> Raw:
        """The answer, or 304 when the caller has it already."""
        is_open = isinstance(principal, Anonymous)
        ready = answer.replies.get(is_open)
        if ready is None:
            headers = Headers({"ETag": answer.etag}, self._open if is_open else self._closed)
            ready = answer.replies[is_open] = Raw(answer.body, headers=headers)
        wanted = call.header("if-none-match")
        if wanted is not None and _matches(wanted, answer.etag):
            return Raw(b"", status=304, headers=ready.headers)
        return ready


def _size(answer: Encoded | FaultError) -> int:
    if isinstance(answer, FaultError):
        return ENTRY_BYTES + PROBLEM_BYTES * len(answer.detail or ())
    return ENTRY_BYTES + len(answer.body)


def _matches(header: str, etag: str) -> bool:
    """RFC 9110: a list, compared weakly, or `*`."""
    if header.strip() == "*":
        return True
    return etag in (one.strip().removeprefix("W/") for one in header.split(","))
