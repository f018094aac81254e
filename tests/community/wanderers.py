"""Clients that live at random, and what each of them believes; for the soak (test_soak.py).

A wanderer behaves as a real client does: it identifies, fetches the history of the channels it is shown, follows the
events, resumes when its socket falls, and begins anew when the server does not know it any more.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import httpx
from tests.community.actors import Guild, Person
from tests.community.gateway import PROPERTIES, Closed, GatewayClient

PATIENCE = 60.0
VIEW_CHANNEL = 1 << 10
MOST_OWN = 150
"""Whoever has said more takes back as often as they speak: otherwise a fast machine says so much in ten minutes that
reading it all again, as each client does after a loss, takes longer than there is between two losses."""
LOST = (httpx.HTTPError, aiohttp.ClientError, Closed, OSError, TimeoutError, asyncio.IncompleteReadError)


async def fetch(who: Person, path: str) -> tuple[int, Any]:
    """GET until there is an answer that is not about the server being away."""
    async with asyncio.timeout(PATIENCE):
        while True:
            with contextlib.suppress(*LOST):
                answer = await who.call("GET", path)
                if answer.status_code < 500 and answer.status_code != 429:
                    return answer.status_code, answer.json()
            await asyncio.sleep(0.1)


async def history(who: Person, channel_id: str) -> dict[str, tuple[str, str]] | None:
    """Every message of a channel: content and when it was edited, by id. None for a channel that is not theirs."""
    found: dict[str, tuple[str, str]] = {}
    before = ""
    while True:
        status, page = await fetch(who, f"/channels/{channel_id}/messages?limit=100{before}")
        if status != 200:
            return None
        found |= {each["id"]: (each["content"], each["edited_timestamp"] or "") for each in page}
        if len(page) < 100:
            return found
        before = f"&before={page[-1]['id']}"


class Belief:
    """What one client knows: guilds and their channels, and the messages of each channel it has fetched."""

    def __init__(self) -> None:
        self.guilds: dict[str, set[str]] = {}
        self.names: dict[str, str] = {}
        self.messages: dict[str, dict[str, tuple[str, str]]] = {}
        self.deleted: set[str] = set()

    def channels(self) -> set[str]:
        return set().union(*self.guilds.values())

    def take(self, name: str, data: Any) -> list[str]:
        """Follow an event; the channels whose history must be fetched now."""
        if name == "READY":
            self.guilds.clear()
            self.messages.clear()
            return [channel for state in data["guilds"] for channel in self._shown(state)]
        if name == "GUILD_CREATE":
            return self._shown(data)
        if name == "GUILD_DELETE":
            for channel_id in self.guilds.pop(data["id"], set()):
                self.messages.pop(channel_id, None)
        elif name in ("CHANNEL_CREATE", "CHANNEL_UPDATE") and data["guild_id"] in self.guilds:
            new = data["id"] not in self.guilds[data["guild_id"]]
            self.guilds[data["guild_id"]].add(data["id"])
            self.names[data["id"]] = data["name"]
            if new:
                self.messages[data["id"]] = {}
            return [data["id"]] if new else []
        elif name == "CHANNEL_DELETE":
            for known in self.guilds.values():
                known.discard(data["id"])
            self.messages.pop(data["id"], None)
        elif name in ("MESSAGE_CREATE", "MESSAGE_UPDATE"):
            self._said(data["channel_id"], data["id"], data["content"], data.get("edited_timestamp") or "")
        elif name == "MESSAGE_DELETE":
            self.deleted.add(data["id"])
            self.messages.get(data["channel_id"], {}).pop(data["id"], None)
        return []

    def _shown(self, state: dict[str, Any]) -> list[str]:
        if state.get("unavailable"):
            return []
        channels = {each["id"]: each["name"] for each in state["channels"]}
        self.guilds[state["id"]] = set(channels)
        self.names |= channels
        self.messages |= {channel_id: {} for channel_id in channels}
        return list(channels)

    def _said(self, channel_id: str, message_id: str, content: str, edited: str) -> None:
        if message_id in self.deleted or channel_id not in self.channels():
            return
        known = self.messages.setdefault(channel_id, {})
        if message_id not in known or known[message_id][1] <= edited:
            known[message_id] = (content, edited)

    def fetched(
        self,
        channel_id: str,
        asked_for: dict[str, tuple[str, str]] | None,
        found: dict[str, tuple[str, str]],
    ) -> None:
        """`asked_for` is what stood for the channel when its history was asked for. An answer that comes after the
        channel was lost and shown anew is old news: what was deleted between was told to nobody here."""
        if asked_for is not None and self.messages.get(channel_id) is asked_for:
            for message_id, (content, edited) in found.items():
                self._said(channel_id, message_id, content, edited)


class Wanderer:
    """One person's client and its whims."""

    def __init__(self, who: Person, places: list[Guild], codes: dict[str, str], dice: random.Random) -> None:
        self.who = who
        self.places = places
        self.codes = codes
        self.dice = dice
        self.belief = Belief()
        self.own: list[tuple[str, str]] = []
        self.readies = self.resumes = self.drops = 0
        self.done = Counter[str]()
        self.stopping = False
        self._client: GatewayClient | None = None
        self._fetching: set[asyncio.Task[None]] = set()

    # -- following --------------------------------------------------------------------------------------------

    async def follow(self) -> None:
        """Stay connected, whatever happens."""
        session, sequence = "", 0
        while not self.stopping:
            client = self._client = GatewayClient(self.who)
            client.session_id, client.sequence = session, sequence
            with contextlib.suppress(*LOST):
                await client.connect()
                if session:
                    await client.resume()
                else:
                    await client.send(2, {"token": client.token, "properties": PROPERTIES})
                await self._read(client)
            session, sequence = client.session_id, client.sequence or 0
            with contextlib.suppress(*LOST):
                await client.close(4000)
            await asyncio.sleep(self.dice.uniform(0.02, 0.3))

    async def _read(self, client: GatewayClient) -> None:
        while True:
            payload = await client.receive(PATIENCE)
            if payload["op"] == 9:
                client.session_id, client.sequence = "", 0
                return
            if payload["op"] == 1:
                await client.send(1, client.sequence)
            if payload["op"] != 0:
                continue
            if payload["t"] == "READY":
                client.session_id = payload["d"]["session_id"]
                self.readies += 1
            elif payload["t"] == "RESUMED":
                self.resumes += 1
            for channel_id in self.belief.take(payload["t"], payload["d"]):
                task = asyncio.create_task(self._fetch(channel_id))
                self._fetching.add(task)
                task.add_done_callback(self._fetching.discard)

    async def _fetch(self, channel_id: str) -> None:
        found = None
        asked_for = self.belief.messages.get(channel_id)
        with contextlib.suppress(RuntimeError, *LOST):
            found = await history(self.who, channel_id)
        if found is not None:
            self.belief.fetched(channel_id, asked_for, found)

    async def drop(self) -> None:
        if self._client is not None:
            with contextlib.suppress(Exception):
                self._client.drop()
                self.drops += 1

    # -- living -----------------------------------------------------------------------------------------------

    async def live(self) -> None:
        """One whim after the other; what a dying process did not answer is not asked again."""
        while not self.stopping:
            whims: list[Callable[[], Awaitable[None]]] = [self.post] * 10 + [self.edit] * 4 + [self.unsay] * 2
            if len(self.own) > MOST_OWN:
                whims += [self.unsay] * 10
            whims += [self.join] * 2 + [self.leave, self.drop]
            if any(place.owner is self.who for place in self.places):
                whims += [self.rebuild] * 2 + [self.hide] * 2
            whim = self.dice.choice(whims)
            with contextlib.suppress(*LOST):
                await whim()
                self.done[whim.__name__] += 1
            await asyncio.sleep(self.dice.uniform(0.0, 0.05))

    def _somewhere(self) -> str | None:
        channels = sorted(self.belief.channels())
        return self.dice.choice(channels) if channels else None

    async def post(self) -> None:
        channel_id = self._somewhere()
        if channel_id is None:
            return
        where = f"/channels/{channel_id}/messages"
        answer = await self.who.call("POST", where, {"content": f"said {self.dice.random()}"})
        if answer.is_success:
            self.own.append((channel_id, answer.json()["id"]))

    async def edit(self) -> None:
        if self.own:
            channel_id, message_id = self.dice.choice(self.own)
            where = f"/channels/{channel_id}/messages/{message_id}"
            await self.who.call("PATCH", where, {"content": f"edited {self.dice.random()}"})

    async def unsay(self) -> None:
        if self.own:
            channel_id, message_id = self.own.pop(self.dice.randrange(len(self.own)))
            await self.who.call("DELETE", f"/channels/{channel_id}/messages/{message_id}")

    async def join(self) -> None:
        await self.who.call("POST", f"/invites/{self.codes[self.dice.choice(self.places).id]}")

    async def leave(self) -> None:
        place = self.dice.choice(self.places)
        if place.owner is not self.who:
            await self.who.call("DELETE", f"/users/@me/guilds/{place.id}")

    def _mine(self) -> Guild:
        return next(place for place in self.places if place.owner is self.who)

    async def rebuild(self) -> None:
        """Make, rename or remove a channel."""
        place = self._mine()
        extra = sorted(self.belief.guilds.get(place.id, set()) - {place.text, place.voice, place.category})
        choice = self.dice.random()
        if choice < 0.4 and len(extra) < 5:
            await self.who.call("POST", f"/guilds/{place.id}/channels", {"name": "room", "type": 0})
        elif extra and choice < 0.8:
            name = f"room-{self.dice.randrange(1000)}"
            await self.who.call("PATCH", f"/channels/{self.dice.choice(extra)}", {"name": name})
        elif extra:
            await self.who.call("DELETE", f"/channels/{self.dice.choice(extra)}")

    async def hide(self) -> None:
        """Hide a channel from everybody, or show it again."""
        place = self._mine()
        extra = sorted(self.belief.guilds.get(place.id, set()) - {place.text, place.voice, place.category})
        if extra:
            where = f"/channels/{self.dice.choice(extra)}/permissions/{place.id}"
            if self.dice.random() < 0.5:
                await self.who.call("PUT", where, {"type": 0, "allow": "0", "deny": str(VIEW_CHANNEL)})
            else:
                await self.who.call("DELETE", where)

    # -- the end ----------------------------------------------------------------------------------------------

    async def differences(self) -> list[str]:
        """How what the client believes differs from what REST says now."""
        found: list[str] = []
        _, guilds = await fetch(self.who, "/users/@me/guilds?limit=200")
        if {each["id"] for each in guilds} != set(self.belief.guilds):
            return [f"{self.who.username}: guilds {sorted(self.belief.guilds)}"]
        for guild_id, believed in list(self.belief.guilds.items()):
            status, channels = await fetch(self.who, f"/guilds/{guild_id}/channels")
            if status != 200:
                # A departure was still on its way when the listing of guilds was read.
                found.append(f"{self.who.username}: {guild_id} answers {status}")
                continue
            if {each["id"] for each in channels} != believed:
                found.append(f"{self.who.username}: channels {sorted(believed)} of {guild_id}")
            for channel in channels:
                if self.belief.names.get(channel["id"]) != channel["name"]:
                    found.append(f"{self.who.username}: the name of {channel['id']}")
                if channel["type"] == 0:
                    found += await self._messages_differ(channel["id"])
        return found

    async def _messages_differ(self, channel_id: str) -> list[str]:
        real = await history(self.who, channel_id) or {}
        believed = self.belief.messages.get(channel_id, {})
        if real == believed:
            return []
        missing, surplus = sorted(real.keys() - believed.keys()), sorted(believed.keys() - real.keys())
        stale = sorted(key for key in real.keys() & believed.keys() if real[key] != believed[key])
        return [f"{self.who.username}: {channel_id} lacks {missing}, has {surplus}, stale {stale}"]
