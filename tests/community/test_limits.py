"""The published limits, the real numbers, on both databases: filled up to almost there, then everybody at once.

A scene fills itself fast: past the server where rows are many, through the door where they are few. Then more people ask
for the last places than there are, and on PostgreSQL none of them can write before all have looked. Just as many get one, the others are told the code, and afterwards there are exactly
as many as published.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from tests.community.actors import Guild, Person, guild, person, stranger, unlimited
from tests.community.pictures import moving, still, uri
from tests.harness.rows import held_back, write
from tests.harness.server import Server

LEFT, ASKING = 3, 12
"""Places left when the race begins, and how many ask for one."""

Ask = Callable[[int], Awaitable[httpx.Response]]


@dataclass
class Scene:
    """`ask` is the numbered attempt of the race, `count` how many there are."""

    ask: Ask
    count: Callable[[], Awaitable[int]]


Setting = Callable[[Server, int], Awaitable[Scene]]
LIMITS: dict[str, tuple[str, int, str, Setting]] = {}


def limit(code: str, most: int, table: str, what: str = "") -> Callable[[Setting], Setting]:
    """The setting is called with how many there are to be before the race; taking a place writes to the table."""

    def register(setting: Setting) -> Setting:
        LIMITS[f"{code} {what}".strip()] = (code, most, f"community_{table}", setting)
        return setting

    return register


# -- filling --------------------------------------------------------------------------------------------------


async def place(server: Server) -> tuple[Person, Guild]:
    owner = await unlimited(await person(server))
    return owner, await guild(owner)


async def at_once(asked: Iterable[Awaitable[Any]]) -> list[Any]:
    return list(await asyncio.gather(*asked))


async def quick(server: Server) -> Person:
    """Somebody without a password."""
    body = {"date_of_birth": "1990-05-17", "consent": True}
    someone = stranger(server)
    made = await someone.ok("POST", "/auth/register", body)
    return await unlimited(Person(server, someone.address, f"{made['token']}", made["user_id"]))


async def crowd(server: Server, near: str, count: int) -> list[int]:
    """Accounts that nobody logs in to, with ids that nobody else will get: a little older than `near`."""
    ids = [int(near) - (1 << 22) - 1 - number for number in range(count)]
    columns = "id, username, username_folded, discriminator, created_at"
    sql = f"INSERT INTO community_users ({columns}) VALUES ($1, $2, $2, 1, 0)"
    await write(server, sql, [(each, f"crowd_{each}") for each in ids])
    return ids


async def length(by: Person, path: str) -> int:
    return len(await by.ok("GET", path))


# -- guilds ---------------------------------------------------------------------------------------------------


@limit("MAX_GUILDS", 100, "guild_members")
async def guilds(server: Server, there: int) -> Scene:
    owner = await unlimited(await person(server))
    codes = []
    for _ in range(ASKING // 2):
        other = await guild(await unlimited(await person(server)))
        codes.append(await other.invite())
    for _ in range(there):
        await owner.ok("POST", "/guilds", {"name": "g"})

    async def ask(number: int) -> httpx.Response:
        """Founding one, or joining somebody else's."""
        if number % 2 and number // 2 < len(codes):
            return await owner.call("POST", f"/invites/{codes[number // 2]}")
        return await owner.call("POST", "/guilds", {"name": "last"})

    return Scene(ask, lambda: length(owner, "/users/@me/guilds"))


@limit("MAX_GUILD_MEMBERS", 1_000_000, "guild_members")
async def members(server: Server, there: int) -> Scene:
    owner, where = await place(server)
    code = await where.invite()
    people = await at_once(quick(server) for _ in range(ASKING + 1))
    await write(
        server, "UPDATE community_guilds SET member_count = $1 WHERE id = $2", [(there, int(where.id))]
    )

    async def count() -> int:
        return int((await owner.ok("GET", f"/guilds/{where.id}"))["member_count"])

    return Scene(lambda number: people[number].call("POST", f"/invites/{code}"), count)


@limit("MAX_GUILD_CHANNELS", 500, "channels")
async def channels(server: Server, there: int) -> Scene:
    owner, where = await place(server)
    path = f"/guilds/{where.id}/channels"
    missing = there - await length(owner, path)
    columns = "id, guild_id, type, name, position, created_at"
    sql = f"INSERT INTO community_channels ({columns}) VALUES ($1, $2, 0, 'c', $3, 0)"
    base = int(where.id) - (1 << 22)
    await write(server, sql, [(base - each, int(where.id), 10 + each) for each in range(missing)])
    return Scene(lambda _: owner.call("POST", path, {"name": "last", "type": 0}), lambda: length(owner, path))


@limit("MAX_CATEGORY_CHANNELS", 50, "channels")
async def in_a_category(server: Server, there: int) -> Scene:
    owner, where = await place(server)
    path = f"/guilds/{where.id}/channels"
    inside = {"name": "inside", "type": 0, "parent_id": where.category}
    outside = [await owner.ok("POST", path, {"name": "out", "type": 0}) for _ in range(ASKING // 2)]

    async def count() -> int:
        return [each.get("parent_id") for each in await owner.ok("GET", path)].count(where.category)

    while await count() < there:
        await owner.ok("POST", path, inside)

    async def ask(number: int) -> httpx.Response:
        """A new one, or one that moves in."""
        if number % 2 and number // 2 < len(outside):
            body = {"parent_id": where.category}
            return await owner.call("PATCH", f"/channels/{outside[number // 2]['id']}", body)
        return await owner.call("POST", path, inside)

    return Scene(ask, count)


@limit("VALIDATION_ERROR", 500, "channel_overwrites", "of overwrites")
async def overwrites(server: Server, there: int) -> Scene:
    owner, where = await place(server)
    path, base = f"/channels/{where.text}", int(where.id) - (1 << 22)
    columns = "channel_id, target_id, kind, allow, deny"
    sql = f"INSERT INTO community_channel_overwrites ({columns}) VALUES ($1, $2, 1, 0, 64)"
    await write(server, sql, [(int(where.text), base - each) for each in range(there)])

    async def ask(number: int) -> httpx.Response:
        """A new one; one that is there already needs no room."""
        body = {"type": 1, "allow": "0", "deny": "128"}
        if number == ASKING:
            await owner.ok("PUT", f"{path}/permissions/{base}", body)
        return await owner.call("PUT", f"{path}/permissions/{base + 1 + number}", body)

    async def count() -> int:
        return len((await owner.ok("GET", path))["permission_overwrites"])

    return Scene(ask, count)


@limit("MAX_GUILD_ROLES", 250, "guild_roles")
async def roles(server: Server, there: int) -> Scene:
    owner, where = await place(server)
    path = f"/guilds/{where.id}/roles"
    for _ in range(there - 1):
        await owner.ok("POST", path, {"name": "r"})
    return Scene(lambda _: owner.call("POST", path, {"name": "last"}), lambda: length(owner, path))


@limit("MAX_INVITES", 1000, "invites")
async def invites(server: Server, there: int) -> Scene:
    owner, where = await place(server)
    columns = "code, guild_id, channel_id, inviter_id, max_age, max_uses, temporary, created_at"
    sql = f"INSERT INTO community_invites ({columns}) VALUES ($1, $2, $3, $4, 0, 0, 0, 0)"
    ids = (int(where.id), int(where.text), int(owner.id))
    await write(server, sql, [(f"i{where.id}x{each}", *ids) for each in range(there)])
    return Scene(
        lambda _: owner.call("POST", f"/channels/{where.text}/invites", {"unique": True}),
        lambda: length(owner, f"/guilds/{where.id}/invites"),
    )


async def _webhooks(server: Server, where: Guild, channel: int, count: int, base: int) -> None:
    columns = "id, guild_id, channel_id, creator_id, name, token"
    sql = f"INSERT INTO community_webhooks ({columns}) VALUES ($1, $2, $3, $4, 'hook', 'x')"
    ids = (int(where.id), channel, int(where.owner.id))
    await write(server, sql, [(base - each, *ids) for each in range(count)])


@limit("MAX_WEBHOOKS_PER_CHANNEL", 15, "webhooks")
async def hooks_of_a_channel(server: Server, there: int) -> Scene:
    owner, where = await place(server)
    path = f"/channels/{where.text}/webhooks"
    for _ in range(there):
        await owner.ok("POST", path, {"name": "hook"})
    other = await owner.ok("POST", f"/guilds/{where.id}/channels", {"name": "other", "type": 0})
    far = [
        await owner.ok("POST", f"/channels/{other['id']}/webhooks", {"name": "h"}) for _ in range(ASKING // 2)
    ]

    async def ask(number: int) -> httpx.Response:
        """A new one, or one that moves in."""
        if number % 2 and number // 2 < len(far):
            hook = far[number // 2]["id"]
            return await owner.call("PATCH", f"/webhooks/{hook}", {"channel_id": where.text})
        return await owner.call("POST", path, {"name": "last"})

    return Scene(ask, lambda: length(owner, path))


@limit("MAX_WEBHOOKS_PER_GUILD", 1000, "webhooks")
async def hooks_of_a_guild(server: Server, there: int) -> Scene:
    """They are in one channel, more than it would take; those of the race ask for another."""
    owner, where = await place(server)
    await _webhooks(server, where, int(where.voice), there, int(where.id) - (1 << 22))
    return Scene(
        lambda _: owner.call("POST", f"/channels/{where.text}/webhooks", {"name": "last"}),
        lambda: length(owner, f"/guilds/{where.id}/webhooks"),
    )


async def _expressions(server: Server, path: str, image: bytes, there: int) -> Scene:
    owner, where = await place(server)
    at = f"/guilds/{where.id}/{path}"

    async def make(name: str) -> httpx.Response:
        return await owner.call("POST", at, {"name": name, "image": uri(image)})

    for start in range(0, there, ASKING):
        await at_once(make(f"n{each}") for each in range(start, min(start + ASKING, there)))
    return Scene(lambda _: make("last"), lambda: length(owner, at))


@limit("MAX_EMOJIS", 50, "emojis")
async def emojis(server: Server, there: int) -> Scene:
    return await _expressions(server, "emojis", still(), there)


@limit("MAX_ANIMATED_EMOJIS", 50, "emojis")
async def animated_emojis(server: Server, there: int) -> Scene:
    return await _expressions(server, "emojis", moving(), there)


@limit("MAX_STICKERS", 50, "stickers")
async def stickers(server: Server, there: int) -> Scene:
    return await _expressions(server, "stickers", still(), there)


# -- messages -------------------------------------------------------------------------------------------------


@limit("MAX_PINS_PER_CHANNEL", 50, "messages")
async def pins(server: Server, there: int) -> Scene:
    owner, where = await place(server)
    said = [(await where.say(owner))["id"] for _ in range(there + ASKING + 1)]
    path = f"/channels/{where.text}/pins"
    for each in said[:there]:
        await owner.ok("PUT", f"{path}/{each}")
    return Scene(
        lambda number: owner.call("PUT", f"{path}/{said[there + number]}"), lambda: length(owner, path)
    )


async def _reactions(server: Server) -> tuple[Person, Guild, str]:
    owner, where = await place(server)
    said = await where.say(owner)
    return owner, where, f"/channels/{where.text}/messages/{said['id']}"


@limit("MAX_REACTIONS", 20, "reactions")
async def reactions(server: Server, there: int) -> Scene:
    owner, _, path = await _reactions(server)

    async def ask(number: int) -> httpx.Response:
        return await owner.call("PUT", f"{path}/reactions/%F0%9F%98%{0x80 + there + number:02X}/@me")

    for each in range(there):
        await ask(each - there)

    async def count() -> int:
        return len((await owner.ok("GET", path))["reactions"])

    return Scene(ask, count)


@limit("MAX_REACTIONS", 5000, "reactions", "of one kind")
async def people_behind_a_reaction(server: Server, there: int) -> Scene:
    owner, where, path = await _reactions(server)
    people = await at_once(quick(server) for _ in range(ASKING + 1))
    await where.admit(*people)
    await owner.ok("PUT", f"{path}/reactions/%F0%9F%91%8D/@me")
    others = await crowd(server, owner.id, there - 1)
    columns = "message_id, emoji, user_id, created_at"
    sql = f"INSERT INTO community_reactions ({columns}) VALUES ($1, $2, $3, 0)"
    message = int(path.rpartition("/")[2])
    await write(server, sql, [(message, "\U0001f44d", each) for each in others])

    async def ask(number: int) -> httpx.Response:
        return await people[number].call("PUT", f"{path}/reactions/%F0%9F%91%8D/@me")

    async def count() -> int:
        return int((await owner.ok("GET", path))["reactions"][0]["count"])

    return Scene(ask, count)


@limit("MAX_BOOKMARKS", 50, "bookmarks")
async def bookmarks(server: Server, there: int) -> Scene:
    owner, where = await place(server)
    said = [(await where.say(owner))["id"] for _ in range(there + ASKING + 1)]
    at = "/users/@me/saved-messages"

    async def ask(number: int) -> httpx.Response:
        return await owner.call("POST", at, {"channel_id": where.text, "message_id": said[there + number]})

    for each in range(there):
        await ask(each - there)
    return Scene(ask, lambda: length(owner, f"{at}?limit=100"))


# -- people ---------------------------------------------------------------------------------------------------


@limit("MAX_FRIENDS", 1000, "relationships")
async def friends(server: Server, there: int) -> Scene:
    someone = await unlimited(await person(server))
    people = await at_once(quick(server) for _ in range(ASKING + 1))
    others = await crowd(server, someone.id, there)
    columns = "user_id, other_id, type, since"
    sql = f"INSERT INTO community_relationships ({columns}) VALUES ($1, $2, 1, 0)"
    await write(server, sql, [(int(someone.id), each) for each in others])

    async def ask(number: int) -> httpx.Response:
        """Somebody asks them, or they ask somebody."""
        one, other = (someone, people[number]) if number % 2 else (people[number], someone)
        return await one.call("POST", f"/users/@me/relationships/{other.id}")

    return Scene(ask, lambda: length(someone, "/users/@me/relationships"))


async def _friends(server: Server, someone: Person, count: int) -> list[Person]:
    people = await at_once(quick(server) for _ in range(count))
    columns = "user_id, other_id, type, since"
    sql = f"INSERT INTO community_relationships ({columns}) VALUES ($1, $2, 1, 0)"
    pairs = [(int(someone.id), int(each.id)) for each in people]
    await write(server, sql, pairs + [(other, one) for one, other in pairs])
    return people


async def _groups(by: Person) -> int:
    shown = await by.ok("GET", "/users/@me/channels")
    return [each["type"] for each in shown].count(3)


@limit("MAX_GROUP_DMS", 150, "channels")
async def groups(server: Server, there: int) -> Scene:
    """The same person is in all of them, and others begin some with them too."""
    someone = await unlimited(await person(server))
    people = await _friends(server, someone, ASKING // 2)
    for _ in range(there):
        await someone.ok("POST", "/users/@me/channels", {"recipients": []})

    async def ask(number: int) -> httpx.Response:
        if number % 2 and number // 2 < len(people):
            body = {"recipients": [someone.id]}
            return await people[number // 2].call("POST", "/users/@me/channels", body)
        return await someone.call("POST", "/users/@me/channels", {"recipients": []})

    return Scene(ask, lambda: _groups(someone))


@limit("MAX_GROUP_DM_RECIPIENTS", 10, "channel_recipients")
async def people_of_a_group(server: Server, there: int) -> Scene:
    someone = await unlimited(await person(server))
    people = await _friends(server, someone, there + ASKING)
    first, last = people[: there - 1], people[there - 1 :]
    body = {"recipients": [each.id for each in first]}
    path = f"/channels/{(await someone.ok('POST', '/users/@me/channels', body))['id']}"

    async def count() -> int:
        return len((await someone.ok("GET", path))["recipients"]) + 1

    code = (await someone.ok("POST", f"{path}/invites", {}))["code"]

    async def ask(number: int) -> httpx.Response:
        """Somebody is added, or comes by an invite."""
        if number % 2:
            return await last[number].call("POST", f"/invites/{code}")
        return await someone.call("PUT", f"{path}/recipients/{last[number].id}")

    return Scene(ask, count)


@limit("MAX_INVITES", 1000, "group_invites", "of a group")
async def invites_of_a_group(server: Server, there: int) -> Scene:
    someone = await unlimited(await person(server))
    group = (await someone.ok("POST", "/users/@me/channels", {"recipients": []}))["id"]
    columns = "code, channel_id, inviter_id, max_age, max_uses, created_at"
    sql = f"INSERT INTO community_group_invites ({columns}) VALUES ($1, $2, $3, 0, 0, 0)"
    await write(server, sql, [(f"g{group}x{each}", int(group), int(someone.id)) for each in range(there)])
    path = f"/channels/{group}/invites"
    return Scene(lambda _: someone.call("POST", path, {"unique": True}), lambda: length(someone, path))


# -- the race -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(LIMITS))
async def test_the_last_places_are_taken_once_however_many_ask(server: Server, name: str) -> None:
    code, most, table, setting = LIMITS[name]
    scene = await setting(server, most - LEFT)
    assert await scene.count() == most - LEFT
    async with held_back(server, table):
        asked = [asyncio.create_task(scene.ask(number)) for number in range(ASKING)]
    answers = await asyncio.gather(*asked)
    taken = [answer for answer in answers if answer.is_success]
    refused = Counter(answer.json()["code"] for answer in answers if not answer.is_success)
    assert (len(taken), refused) == (LEFT, {code: ASKING - LEFT})
    assert await scene.count() == most
    assert (await scene.ask(ASKING)).json()["code"] == code


async def test_the_conversation_that_was_quiet_longest_makes_room_for_the_next(server: Server) -> None:
    one, friend, another = [await quick(server) for _ in range(3)]
    for each in (friend, another):
        await one.ok("POST", f"/users/@me/relationships/{each.id}")
        await each.ok("PUT", f"/users/@me/relationships/{one.id}", {})
    base, most = int(one.id) - (1 << 22), 250
    quiet = [base - each for each in range(most)]
    columns = "id, type, last_message_id, created_at"
    await write(
        server, f"INSERT INTO community_channels ({columns}) VALUES ($1, 1, $1, 0)", [(i,) for i in quiet]
    )
    sql = "INSERT INTO community_channel_recipients (channel_id, user_id, open) VALUES ($1, $2, 1)"
    await write(server, sql, [(each, int(one.id)) for each in quiet])

    async def opened() -> set[int]:
        listed = await one.ok("GET", "/users/@me/channels")
        return {int(each["id"]) for each in listed if each["type"] == 1}

    assert await opened() == set(quiet)
    begun = int((await one.ok("POST", "/users/@me/channels", {"recipient_id": friend.id}))["id"])
    assert await opened() == {begun, *quiet[:-1]}
    theirs = (await another.ok("POST", "/users/@me/channels", {"recipient_id": one.id}))["id"]
    await another.ok("POST", f"/channels/{theirs}/messages", {"content": "hello"})
    assert await opened() == {int(theirs), begun, *quiet[:-2]}
