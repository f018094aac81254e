"""Whatever is told to anybody names no place they could not see at that moment: every kind of event, at random.

Everybody listens twice: one session that follows the list of members beside every channel there is and asks for the guild
and its members again and again, and one that is passive. After each random change or deed everybody is asked by REST what
they see now; no payload that came meanwhile may hold the id of a channel, or of anything said in one, that they could see
neither before nor after, and nothing that shows a channel may come to who does not see it after. Who is here is told to
those alone who may look at the profile.
"""

from __future__ import annotations

import json
import os
import random
import re
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.community.actors import Actor, Guild, Person, add_bot, bot, guild, person, unlimited
from tests.community.event_scene import Ear
from tests.community.pictures import still, uri
from tests.harness.server import Server, serve

from flux.community.standing import rules

STEPS = 500 if os.environ.get("FLUX_LONG") else 80
SEEDS = range(6 if os.environ.get("FLUX_LONG") else 1)
SETTINGS = {
    "community.realtime.large_guild_members": 2,
    "community.realtime.passive_update_seconds": 0.3,
    "community.realtime.payloads_per_minute": 100_000,
    "community.limits.max_emojis": 500,
}
ID = re.compile(r"\d{15,20}")
SHOWN = {
    "CHANNEL_CREATE",
    "CHANNEL_UPDATE",
    "CHANNEL_UPDATE_BULK",
    "GUILD_MEMBER_LIST_UPDATE",
    "GUILD_CREATE",
}
"""They show channels as they are now; whoever has just lost one is not shown what it became."""
THUMB, HEART = "%F0%9F%91%8D", "%E2%9D%A4"
Deed = Callable[["Chaos"], Awaitable[None]]
VISIBILITY = ((rules.VIEW_CHANNEL, 0), (0, rules.VIEW_CHANNEL), (0, rules.VIEW_CHANNEL), (0, 0))


@dataclass
class Watched:
    """Somebody with two sessions. `sees` are ids that REST tells them at the moment."""

    who: Actor
    near: Ear
    far: Ear
    sees: set[str] = field(default_factory=set)
    before: set[str] = field(default_factory=set)

    @property
    def ears(self) -> tuple[Ear, Ear]:
        return self.near, self.far


class Chaos:
    def __init__(self, seed: int, place: Guild, robot: Actor, people: list[Person]) -> None:
        self.random = random.Random(seed)
        self.place, self.owner, self.robot = place, place.owner, robot
        self.people = people
        self.watched: list[Watched] = []
        self.roles: list[str] = []
        self.channels: list[str] = [place.text]
        self.groups: list[str] = []
        self.away: set[str] = set()
        self.said: list[tuple[str, str]] = []
        self.of: dict[str, str] = {}
        """Whatever is in a channel → the channel; a channel is in itself."""
        self.heard: Counter[str] = Counter()
        self.did: list[str] = []
        self.bag: list[Deed] = []
        """What is still to be done before everything is done again."""

    @property
    def guild(self) -> str:
        return f"/guilds/{self.place.id}"

    # -- looking ----------------------------------------------------------------------------------------------

    async def look(self) -> None:
        for each in self.watched:
            each.before, each.sees = each.sees, await self._shown_to(each.who)

    async def _shown_to(self, who: Actor) -> set[str]:
        """Every id in what REST tells somebody about places."""
        found: set[str] = set()
        for path in (self.guild, f"{self.guild}/channels", "/users/@me/channels"):
            answer = await who.call("GET", path)
            assert answer.status_code in (200, 403), answer.text
            found |= set(ID.findall(answer.text)) if answer.is_success else set()
        return found

    async def judge(self) -> None:
        for each in self.watched:
            for ear in each.ears:
                await ear.catches_up()
        await self.look()
        for each in self.watched:
            for ear in each.ears:
                heard, ear.heard = ear.heard, []
                for name, data in heard:
                    self.heard[name] += 1
                    await self._fits(each, name, data)

    async def _fits(self, hearer: Watched, name: str, data: Any) -> None:
        could = hearer.sees if name in SHOWN else hearer.before | hearer.sees
        named = {self.of[each] for each in ID.findall(json.dumps(data)) if each in self.of}
        assert named <= could, (self.did[-3:], name, named - could, data)
        if name == "PRESENCE_UPDATE":
            await self._may_know(hearer, data["user"]["id"])

    async def _may_know(self, hearer: Watched, user_id: str) -> None:
        if user_id == hearer.who.id or (await hearer.who.call("GET", f"/users/{user_id}/profile")).is_success:
            return
        beside = (await hearer.who.ok("GET", "/users/@me/channels")) if hearer.who is not self.robot else []
        assert any(user_id in [one["id"] for one in each.get("recipients", [])] for each in beside), (
            self.did[-3:],
            hearer.who.id,
            user_id,
        )

    # -- what happens -----------------------------------------------------------------------------------------

    async def step(self) -> None:
        if not self.bag:
            self.bag = self.random.sample(DEEDS, len(DEEDS))
        deed = self.bag.pop()
        self.did.append(deed.__name__)
        await deed(self)
        await self.judge()
        if deed in CHANGES:
            await says_everywhere(self)
            await self.judge()

    def place_of(self) -> str:
        """Often the one that began as everybody's."""
        return self.random.choice([*self.channels, *[self.place.text] * len(self.channels)])

    async def quietly(self, method: str, path: str, body: Any = None, by: Actor | None = None) -> Any:
        """Refusals are as good as anything."""
        answer = await (by or self.owner).call(method, path, body)
        assert answer.status_code < 500, answer.text
        return answer.json() if answer.is_success and answer.content else None

    def someone(self) -> Actor:
        return self.random.choice([*self.people, self.robot])

    def message(self) -> tuple[str, str]:
        return self.random.choice(self.said[-12:]) if self.said else (self.place.text, "1")


def remember(chaos: Chaos, channel: str, made: Any) -> None:
    if made is not None:
        chaos.of[made["id"]] = channel
        chaos.said.append((channel, made["id"]))


async def says(chaos: Chaos) -> None:
    channel = chaos.place_of()
    words = ["hello", f"<@{chaos.someone().id}>", f"<@&{chaos.roles[0]}>", "@everyone"]
    body: dict[str, Any] = {"content": chaos.random.choice(words)}
    if chaos.random.random() < 0.4:
        where, answered = chaos.message()
        channel = where
        body["message_reference"] = {"message_id": answered}
    by = chaos.owner if chaos.random.random() < 0.6 else chaos.someone()
    remember(chaos, channel, await chaos.quietly("POST", f"/channels/{channel}/messages", body, by))


async def says_everywhere(chaos: Chaos) -> None:
    """The owner, who sees all: what has just changed must hold for the next word, invite and reaction."""
    for channel in chaos.channels[:1] + chaos.channels[-2:]:
        made = await chaos.quietly("POST", f"/channels/{channel}/messages", {"content": "everywhere"})
        remember(chaos, channel, made)
        await chaos.quietly("PUT", f"/channels/{channel}/messages/{made['id']}/reactions/{THUMB}/@me")
        await chaos.quietly("POST", f"/channels/{channel}/invites", {"unique": True})


async def says_in_a_group(chaos: Chaos) -> None:
    channel = chaos.random.choice(chaos.groups)
    by = chaos.random.choice([chaos.owner, *chaos.people])
    remember(
        chaos, channel, await chaos.quietly("POST", f"/channels/{channel}/messages", {"content": "x"}, by)
    )
    await chaos.quietly("POST", f"/channels/{channel}/typing", by=by)


async def changes_a_message(chaos: Chaos) -> None:
    if chaos.random.random() < 0.7:
        channel = chaos.place_of()
        made = await chaos.quietly("POST", f"/channels/{channel}/messages", {"content": "fresh"})
        remember(chaos, channel, made)
    channel, message = chaos.said[-1]
    where = f"/channels/{channel}/messages/{message}"
    await chaos.quietly("PATCH", where, {"content": f"changed {len(chaos.did)}"})
    method, path, body = chaos.random.choice(
        [
            ("DELETE", where, None),
            ("POST", f"/channels/{channel}/messages/bulk-delete", {"message_ids": [message]}),
            ("PUT", f"/channels/{channel}/pins/{message}", None),
            ("DELETE", f"/channels/{channel}/pins/{message}", None),
            ("POST", f"{where}/ack", {}),
            ("POST", "/users/@me/saved-messages", {"channel_id": channel, "message_id": message}),
        ]
    )
    await chaos.quietly(method, path, body)
    # A pin says so in a message of its own.
    for each in await chaos.quietly("GET", f"/channels/{channel}/messages?limit=3") or []:
        chaos.of[each["id"]] = channel


async def reacts(chaos: Chaos) -> None:
    channel = chaos.place_of()
    made = await chaos.quietly("POST", f"/channels/{channel}/messages", {"content": "react"})
    remember(chaos, channel, made)
    message = made["id"]
    where = f"/channels/{channel}/messages/{message}/reactions"
    ways = (
        ("PUT", f"/{THUMB}/@me"), ("PUT", f"/{HEART}/@me"), ("DELETE", f"/{THUMB}/@me"), ("DELETE", f"/{THUMB}"),
        ("DELETE", ""),
    )  # fmt: skip
    await chaos.quietly("PUT", f"{where}/{THUMB}/@me")
    method, path = chaos.random.choice(ways)
    await chaos.quietly(method, where + path, by=chaos.random.choice([chaos.owner, chaos.someone()]))


async def types(chaos: Chaos) -> None:
    by = chaos.random.choice([chaos.owner, chaos.someone()])
    await chaos.quietly("POST", f"/channels/{chaos.place_of()}/typing", by=by)


async def hooks_and_invites(chaos: Chaos) -> None:
    channel = chaos.place_of()
    hook = await chaos.quietly("POST", f"/channels/{channel}/webhooks", {"name": "hook"})
    code = await chaos.quietly("POST", f"/channels/{channel}/invites", {"unique": True})
    if hook:
        said = await chaos.quietly(
            "POST", f"/webhooks/{hook['id']}/{hook['token']}?wait=true", {"content": "x"}
        )
        remember(chaos, channel, said)
        await chaos.quietly("DELETE", f"/webhooks/{hook['id']}")
    if code:
        await chaos.quietly("DELETE", f"/invites/{code['code']}")


async def makes_a_channel(chaos: Chaos) -> None:
    hidden = [{"id": chaos.place.id, "type": 0, "allow": "0", "deny": str(rules.VIEW_CHANNEL)}]
    body = {"name": "room", "type": 0, "permission_overwrites": hidden}
    made = await chaos.quietly("POST", f"{chaos.guild}/channels", body)
    chaos.channels.append(made["id"])
    chaos.of[made["id"]] = made["id"]


async def changes_a_channel(chaos: Chaos) -> None:
    channel = chaos.place_of()
    await chaos.quietly("PATCH", f"/channels/{channel}", {"topic": f"topic {len(chaos.did)}"})
    order = [{"id": each, "position": number} for number, each in enumerate(reversed(chaos.channels[-3:]))]
    await chaos.quietly("PATCH", f"{chaos.guild}/channels", order)


async def drops_a_channel(chaos: Chaos) -> None:
    if len(chaos.channels) > 3:
        await chaos.quietly("DELETE", f"/channels/{chaos.channels.pop()}")


async def overwrites(chaos: Chaos) -> None:
    targets = [(chaos.place.id, 0), *((role, 0) for role in chaos.roles)]
    targets += [(each.id, 1) for each in (*chaos.people, chaos.robot)] + [(chaos.place.id, 0)] * 5
    target, kind = chaos.random.choice(targets)
    allow, deny = chaos.random.choice(VISIBILITY)
    where = f"/channels/{chaos.place_of()}/permissions/{target}"
    await chaos.quietly("PUT", where, {"type": kind, "allow": str(allow), "deny": str(deny)})


async def opens_up(chaos: Chaos) -> None:
    """Everybody is in and sees some of it, so that there is something to lose."""
    everybody = {"permissions": str(rules.EVERYONE_DEFAULT)}
    await chaos.quietly("PATCH", f"{chaos.guild}/roles/{chaos.place.id}", everybody)
    await chaos.quietly("DELETE", f"/channels/{chaos.place.text}/permissions/{chaos.place.id}")
    shown = {"type": 0, "allow": str(rules.VIEW_CHANNEL), "deny": "0"}
    await chaos.quietly("PUT", f"/channels/{chaos.channels[-1]}/permissions/{chaos.place.id}", shown)
    for who in [each for each in chaos.people if each.id in chaos.away]:
        await chaos.quietly("DELETE", f"{chaos.guild}/bans/{who.id}")
        await chaos.place.admit(who)
    chaos.away.clear()


async def changes_roles(chaos: Chaos) -> None:
    role = chaos.random.choice([*chaos.roles, *[chaos.place.id] * 3])
    seeing = rules.VIEW_CHANNEL | rules.READ_MESSAGE_HISTORY | rules.SEND_MESSAGES
    granted = chaos.random.choice((0, seeing, rules.MANAGE_GUILD | rules.BAN_MEMBERS))
    await chaos.quietly("PATCH", f"{chaos.guild}/roles/{role}", {"permissions": str(granted)})


async def hands_out_a_role(chaos: Chaos) -> None:
    where = f"{chaos.guild}/members/{chaos.someone().id}/roles/{chaos.random.choice(chaos.roles)}"
    await chaos.quietly(chaos.random.choice(["PUT", "DELETE"]), where)


async def comes_or_goes(chaos: Chaos) -> None:
    who = chaos.random.choice(chaos.people)
    if who.id in chaos.away:
        await chaos.quietly("DELETE", f"{chaos.guild}/bans/{who.id}")
        await chaos.place.admit(who)
        chaos.away.discard(who.id)
    else:
        way = chaos.random.choice(
            [("DELETE", f"{chaos.guild}/members/{who.id}"), ("PUT", f"{chaos.guild}/bans/{who.id}")]
        )
        await chaos.quietly(*way, {} if way[0] == "PUT" else None)
        chaos.away.add(who.id)


async def group_comes_and_goes(chaos: Chaos) -> None:
    where = f"/channels/{chaos.random.choice(chaos.groups)}/recipients/{chaos.random.choice(chaos.people).id}"
    await chaos.quietly(chaos.random.choice(["PUT", "DELETE"]), where)


async def befriends_or_parts(chaos: Chaos) -> None:
    one, other = chaos.random.sample(chaos.people, 2)
    if chaos.random.random() < 0.5:
        await chaos.quietly("POST", f"/users/@me/relationships/{other.id}", by=one)
        await chaos.quietly("PUT", f"/users/@me/relationships/{one.id}", {}, other)
    else:
        body = {"type": 2} if chaos.random.random() < 0.5 else None
        await chaos.quietly("PUT" if body else "DELETE", f"/users/@me/relationships/{other.id}", body, one)


async def is_seen(chaos: Chaos) -> None:
    """Another status, another name in the guild, another face."""
    who = chaos.random.choice(chaos.watched)
    await who.near.client.send(3, {"status": chaos.random.choice(["online", "idle", "dnd", "invisible"])})
    await chaos.quietly("PATCH", f"{chaos.guild}/members/@me", {"nick": f"n{len(chaos.did)}"}, who.who)
    await chaos.quietly("PATCH", "/users/@me/settings", {"status": "dnd"}, who.who)


async def guild_changes(chaos: Chaos) -> None:
    await chaos.quietly("PATCH", chaos.guild, {"name": f"Guild {len(chaos.did)}"})
    body = {"name": f"dot_{len(chaos.did)}", "image": uri(still())}
    made = await chaos.quietly("POST", f"{chaos.guild}/emojis", body)
    await chaos.quietly("DELETE", f"{chaos.guild}/emojis/{made['id']}")


async def asks(chaos: Chaos) -> None:
    """Everybody asks for everything there is."""
    lists = {each: [[0, 99]] for each in chaos.channels[-5:]}
    members = [each.id for each in chaos.people]
    for each in chaos.watched:
        wanted = {"active": True, "sync": True, "members": members, "member_list_channels": lists}
        await each.near.asks(chaos.place, **wanted)
        await each.far.asks(chaos.place, active=chaos.random.random() < 0.2)
        await each.near.client.send(8, {"guild_id": chaos.place.id, "user_ids": members, "presences": True})


DEEDS: list[Deed] = [
    *[says] * 5, *[opens_up] * 5, *[changes_a_message] * 4, *[overwrites] * 6, *[reacts] * 3, *[asks] * 3, *[comes_or_goes] * 2,
    *[hands_out_a_role] * 2, *[changes_roles] * 4, *[makes_a_channel] * 2, *[group_comes_and_goes] * 2,
    says_in_a_group, types, hooks_and_invites, changes_a_channel, drops_a_channel, befriends_or_parts, is_seen, guild_changes,
]  # fmt: skip
CHANGES = {
    overwrites,
    comes_or_goes,
    hands_out_a_role,
    changes_roles,
    changes_a_channel,
    group_comes_and_goes,
}
ALWAYS = {
    "MESSAGE_CREATE", "MESSAGE_UPDATE", "CHANNEL_CREATE", "CHANNEL_UPDATE", "CHANNEL_DELETE", "GUILD_ROLE_UPDATE",
    "GUILD_MEMBER_UPDATE", "GUILD_MEMBER_LIST_UPDATE", "GUILD_SYNC", "GUILD_MEMBERS_CHUNK", "MESSAGE_REACTION_ADD",
}  # fmt: skip
"""Whatever the seed, these were heard, or the test watches nothing."""


async def begun(server: Server, seed: int, stack: AsyncExitStack) -> Chaos:
    owner, *people = [await unlimited(await person(server)) for _ in range(5)]
    place = await guild(owner)
    robot, application = await bot(owner)
    await unlimited(robot)  # type: ignore[arg-type]
    await add_bot(owner, application["id"], place.id)
    await place.admit(*people)
    # Its id would stand in what REST tells every member of the guild.
    await owner.ok("PATCH", f"/guilds/{place.id}", {"system_channel_id": None})
    chaos = Chaos(seed, place, robot, people)
    chaos.roles = [await place.role(0, people[0]), await place.role(rules.VIEW_CHANNEL)]
    chaos.of = {place.text: place.text, place.voice: place.voice}
    for each in people:
        await owner.ok("POST", f"/users/@me/relationships/{each.id}")
        await each.ok("PUT", f"/users/@me/relationships/{owner.id}", {})
    for members in (people[:2], people[1:3]):
        group = await owner.ok("POST", "/users/@me/channels", {"recipients": [each.id for each in members]})
        chaos.groups.append(group["id"])
        chaos.of[group["id"]] = group["id"]
    for _ in range(3):
        await makes_a_channel(chaos)
    for who in (*people, robot):
        made = Watched(who, Ear(who), Ear(who))
        chaos.watched.append(made)
        for ear in made.ears:
            await ear.open(stack)
    await chaos.look()
    await chaos.look()
    await asks(chaos)
    await chaos.judge()
    return chaos


async def nobody_is_greeted_with_more(chaos: Chaos) -> None:
    """READY, and what follows it for a bot, too."""
    for each in chaos.watched:
        async with AsyncExitStack() as stack:
            again = Ear(each.who)
            await again.open(stack)
            await again.catches_up()
        told = json.dumps([again.ready, *again.heard])
        ready = {chaos.of[found] for found in ID.findall(told) if found in chaos.of}
        known = {one["id"] for one in again.ready["read_states"]}
        assert ready - known <= each.sees, ready - known - each.sees
        for state in again.ready["read_states"]:
            mine = chaos.of.get(state["last_message_id"] or "")
            assert mine is None or mine in each.sees, state


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("database", ["sqlite", "postgres"])
async def test_nothing_told_names_what_its_hearer_cannot_see(
    tmp_path: Path, database: str, seed: int
) -> None:
    async with (
        serve(tmp_path, database=database, settings=SETTINGS) as server,
        AsyncExitStack() as stack,
    ):
        chaos = await begun(server, seed, stack)
        for _ in range(STEPS):
            await chaos.step()
        await nobody_is_greeted_with_more(chaos)
        assert chaos.heard.keys() >= ALWAYS, ALWAYS - chaos.heard.keys()
