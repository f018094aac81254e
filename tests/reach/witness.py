"""A witness that a refused request changed nothing: no row, no event.

    async with witness(server, nats_url) as seen:
        answer = await scenario(server)
    assert seen.refusals

Every request that goes through `server.http` meanwhile is watched, and every refusal among them compared: the rows of
all tables with those of the moment before the request, and what was said on the bus, to whomever, until a sentinel that
was sent after the answer comes by. The server is on a NATS bus, so that nothing it says can be missed.

What moves all the same is in the lists below, each with its reason.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import nats
from nats.aio.msg import Msg
from tests.community.actors import API, Guild, guild, person, unlimited
from tests.harness.rows import Moved, Row, Rows, open_rows
from tests.harness.server import Server

from flux.community.announcing import decoder

UNWATCHED = {"schedules"}
"""Timers of the background work."""

RESTLESS = {
    "community_sessions": {"last_used_at"},
    "community_users": {"last_address"},
    "jobs": {"state", "due_at", "attempts", "owner", "last_error"},
    "outbox": {"sent_at", "attempts", "last_error"},
    "untold": {"again_at"},
}
"""Columns that move by themselves: when a session was used last, and from where; jobs and letters are on their way."""

FINISHED = {"jobs", "untold"}
"""Rows that go by themselves: a job is done, what a unit before it committed has been told."""

LEAVES = {
    # The ticket is in the answer and the letter is on its way.
    "IP_AUTHORIZATION_REQUIRED": {"community_address_tickets", "outbox", "jobs"},
    # Tries are counted.
    "INVALID_PHONE_VERIFICATION_CODE": {"community_codes"},
    # A code is tried once, well or badly, and so is a challenge.
    "INVALID_GRANT": {"community_oauth_codes"},
    "PASSKEY_AUTHENTICATION_FAILED": {"community_challenges"},
    "INVALID_WEBAUTHN_CREDENTIAL": {"community_challenges"},
    "WEBAUTHN_CREDENTIAL_LIMIT_REACHED": {"community_challenges"},
    # A picture is kept before the unit of work that wants it, and swept when nothing came to point at it.
    "MAX_EMOJIS": {"community_assets"},
    "MAX_ANIMATED_EMOJIS": {"community_assets"},
    "MAX_STICKERS": {"community_assets"},
}
"""Refusals that are meant to leave something: the code, and the tables."""

SENTINEL_SECONDS = 20.0


@dataclass
class Watch:
    """Of rows alone. `answered` raises AssertionError, out of whatever call was refused."""

    rows: Rows
    leaves: Mapping[str, set[str]]
    spelled: str = "code"
    """The member of a refusal's body that is its code."""
    refusals: int = 0
    left: set[str] = field(default_factory=set)
    """Codes whose refusals changed something."""
    _ahead: float = 0.0

    def follow(self, http: httpx.AsyncClient) -> None:
        """Watch what is asked by this client. Requests must not overlap."""
        http.event_hooks = {"request": [self.asked], "response": [self.answered]}

    async def asked(self, request: httpx.Request) -> None:
        """Before a request leaves."""
        if request.url.path == "/sandbox/clock":
            self._ahead += json.loads(request.content)["advance_seconds"]
        await self.rows.hold()

    async def answered(self, answer: httpx.Response) -> None:
        if answer.status_code < 400 or answer.request.url.path.startswith("/sandbox/"):
            return
        await answer.aread()
        code = answer.json()[self.spelled]
        moved = await self.rows.moved()
        changes = {table: changed for table in moved if (changed := self._unexplained(table, moved[table]))}
        surplus = changes.keys() - self.leaves.get(code, set())
        self.left |= {code} if changes else set()
        self.refusals += 1
        shown = {each: changes[each] for each in surplus}
        assert not surplus, (
            f"{_told(answer)} was refused with {code} and yet changed {sorted(surplus)}: {shown}"
        )

    def _unexplained(self, table: str, moved: Moved) -> Moved | None:
        if table in UNWATCHED:
            return None
        now = (time.time() + self._ahead) * 1000
        still = RESTLESS.get(table, set())

        def calm(rows: list[Row]) -> list[dict[str, Any]]:
            return [{name: value for name, value in row.items() if name not in still} for row in rows]

        gone, new = calm(moved.gone), calm(moved.new)
        left = Moved(
            [row for row in gone if row not in new and not self._due(table, row, now)],
            [row for row in new if row not in gone],
        )
        return left if left.gone or left.new else None

    @staticmethod
    def _due(table: str, row: Row, now: float) -> bool:
        return table in FINISHED or (row.get("expires_at") or now + 1) <= now


def _told(answer: httpx.Response) -> str:
    return f"{answer.request.method} {answer.request.url.path}"


@dataclass(kw_only=True)
class Witness(Watch):
    """Of rows and events."""

    server: Server
    place: Guild
    http: httpx.AsyncClient
    _told: list[str] = field(default_factory=list)
    _sentinels: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    _unsettled: bool = True

    async def hear(self, message: Msg) -> None:
        if not message.subject.startswith(("community.guild.", "community.user.")):
            return
        told = decoder.decode(message.data)
        if message.subject == f"community.guild.{self.place.id}" and told.name == "TYPING_START":
            self._sentinels.release()
        else:
            self._told.append(f"{told.name} on {message.subject}: {told.data.decode()}")

    async def asked(self, request: httpx.Request) -> None:
        if self._unsettled:
            await self._settle()
        self._told.clear()
        await super().asked(request)

    async def answered(self, answer: httpx.Response) -> None:
        request = answer.request
        self._unsettled = not (request.method == "GET" or "/faults" in request.url.path)
        await super().answered(answer)
        if answer.status_code >= 400:
            await self._settle()
            assert not self._told, (
                f"{_told(answer)} was refused with {answer.json()['code']} and yet told {self._told}"
            )

    async def _settle(self) -> None:
        """Whatever the server said up to now was heard."""
        typing = f"{API}/channels/{self.place.text}/typing"
        owner = self.place.owner
        headers = {"Authorization": str(owner.authorization), "X-Forwarded-For": owner.address}
        (await self.http.post(typing, headers=headers)).raise_for_status()
        async with asyncio.timeout(SENTINEL_SECONDS):
            await self._sentinels.acquire()
        self._unsettled = False


@asynccontextmanager
async def witness(server: Server, nats_url: str) -> AsyncIterator[Witness]:
    """Requests of the block must not overlap. The sentinel comes from an account and a guild of its own."""
    place = await guild(await unlimited(await person(server)))
    client = await nats.connect(nats_url)
    async with open_rows(server) as rows, server.client() as http:
        seen = Witness(rows, LEAVES, server=server, place=place, http=http)
        await client.subscribe("community.>", cb=seen.hear)
        await client.flush()
        seen.follow(server.http)
        try:
            yield seen
        finally:
            server.http.event_hooks = {}
            await client.close()
