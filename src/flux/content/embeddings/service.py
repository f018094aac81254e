"""Computing embeddings, outside of units of work, and remembering the newest."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from typing import TYPE_CHECKING, TypeVar

import msgspec

from flux.content.embeddings import rules
from flux.kernel.faults import Mode, PortFailure
from flux.kernel.house import House

if TYPE_CHECKING:
    from aiohttp import ClientSession

T = TypeVar("T")
MOST_REMEMBERED = 4096
BATCH = 64
_ATTEMPTS = 3


class NeedsVectors(Exception):
    """Raised inside a unit of work that needs embeddings it was not given: it rolls back and runs again with them."""

    def __init__(self, texts: Iterable[str]) -> None:
        super().__init__("embeddings")
        self.texts = list(dict.fromkeys(texts))


class Vectors:
    """What a unit of work was given."""

    def __init__(self) -> None:
        self._known: dict[str, bytes] = {}

    def of(self, texts: Iterable[str]) -> list[bytes]:
        """Raises `NeedsVectors`."""
        listed = [text[: rules.LONGEST_TEXT] for text in texts]
        if missing := [text for text in listed if text not in self._known]:
            raise NeedsVectors(missing)
        return [self._known[text] for text in listed]

    def add(self, texts: Iterable[str], vectors: Iterable[bytes]) -> None:
        self._known.update(zip(texts, vectors, strict=True))


class _Answer(msgspec.Struct):
    class Item(msgspec.Struct):
        index: int
        embedding: list[float]

    data: list[Item]


class Embeddings:
    """Raises `PortFailure("embeddings", …)` when the service fails or answers nonsense."""

    def __init__(self, house: House) -> None:
        self._ports = house.ports
        self._settings = house.settings.content.embeddings
        self._remembered: OrderedDict[str, bytes] = OrderedDict()
        self._session: ClientSession | None = None

    @property
    def dimensions(self) -> int:
        return self._settings.dimensions

    async def query(self, text: str) -> list[float]:
        [vector] = await self.of([text])
        return list(rules.unpacked(vector))

    async def of(self, texts: list[str]) -> list[bytes]:
        """Packed unit vectors. While a fault waits at the port, what is remembered does not count."""
        listed = [text[: rules.LONGEST_TEXT] for text in texts]
        fresh = (
            listed
            if self._ports.armed("embeddings")
            else [one for one in listed if one not in self._remembered]
        )
        made: dict[str, bytes] = {}
        if fresh:
            await self._ports.strike("embeddings")
            unique = list(dict.fromkeys(fresh))
            for start in range(0, len(unique), BATCH):
                batch = unique[start : start + BATCH]
                made.update(zip(batch, await self._computed(batch), strict=True))
            self._remember(made)
        return [made[one] if one in made else self._remembered[one] for one in listed]

    async def carrying(self, act: Callable[[Vectors], Awaitable[T]]) -> T:
        """Run `act`, a unit of work, with the vectors it turns out to need: it says so by `NeedsVectors`."""
        vectors = Vectors()
        for _ in range(_ATTEMPTS):
            try:
                return await act(vectors)
            except NeedsVectors as needed:
                vectors.add(needed.texts, await self.of(needed.texts))
        return await act(vectors)

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _remember(self, made: dict[str, bytes]) -> None:
        self._remembered.update(made)
        while len(self._remembered) > MOST_REMEMBERED + len(made):
            self._remembered.popitem(last=False)

    async def _computed(self, texts: list[str]) -> list[bytes]:
        if self._settings.provider == "openai":
            return await self._asked(texts)
        return [rules.packed(rules.hashed(text, self._settings.dimensions)) for text in texts]

    async def _asked(self, texts: list[str]) -> list[bytes]:
        """From an OpenAI-compatible service."""
        import aiohttp  # here, as it costs a fifth of a second which most instances need not pay

        settings = self._settings
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=settings.timeout))
        headers = {"Authorization": f"Bearer {settings.api_key}"} if settings.api_key else {}
        body = {"model": settings.model, "input": texts}
        try:
            async with self._session.post(
                f"{settings.url.rstrip('/')}/embeddings", json=body, headers=headers
            ) as reply:
                raw = await reply.read()
                if reply.status != 200:
                    raise PortFailure("embeddings", Mode.ERROR, f"status {reply.status}")
        except TimeoutError:
            raise PortFailure("embeddings", Mode.TIMEOUT, "total") from None
        except aiohttp.ClientError:
            raise PortFailure("embeddings", Mode.UNAVAILABLE, "connect") from None
        return self._understood(raw, len(texts))

    def _understood(self, raw: bytes, count: int) -> list[bytes]:
        try:
            items = sorted(msgspec.json.decode(raw, type=_Answer).data, key=lambda one: one.index)
        except msgspec.DecodeError:
            raise PortFailure("embeddings", Mode.GARBAGE, "shape") from None
        if len(items) != count or any(len(one.embedding) != self._settings.dimensions for one in items):
            raise PortFailure("embeddings", Mode.GARBAGE, "dimensions")
        return [rules.packed(rules.unit(one.embedding)) for one in items]
