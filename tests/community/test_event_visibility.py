"""Nobody is told what they could not read by REST: every event there is, caused once, with everybody listening.

A line causes its event and says which one it is, and who may read the same by REST at that moment. Exactly they must have
heard it. Names of events that the code speaks of and no line does fail the first test.
"""

from __future__ import annotations

import ast
import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.community.actors import guild, person, unlimited
from tests.community.event_scene import Ear, Fits, Scene, scene
from tests.community.event_shapes import misfits
from tests.community.pictures import still, uri
from tests.community.test_accounts import mailed_code
from tests.harness.server import serve

Told = tuple[Fits, set[str]]
Line = Callable[[Scene], Awaitable[Told]]
LINES: dict[str, Line] = {}
THUMB = "%F0%9F%91%8D"

FAMILIES = (
    "AUTH|CALL|CHANNEL|FAVORITE|GUILD|INVITE|MESSAGE|PASSIVE|PRESENCE|RECENT|RELATIONSHIP|SAVED|SESSIONS?|TYPING|USER|"
    "VOICE|WEBHOOKS"
)
NO_EVENTS = {
    "GUILD_JOINED", "GUILD_LEFT", "SESSIONS_ENDED", "SESSION_ROTATED", "SESSIONS_HERE",
    "VOICE_GUILD_NOT_FOUND", "VOICE_PERMISSION_DENIED",
}  # fmt: skip
"""What the hub is told and keeps to itself, and codes of answers."""


def spoken_of() -> set[str]:
    """Names of events in the code of the plane."""
    found = {"READY"}
    for path in Path("src/flux/community").rglob("*.py"):
        if "faults" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= set(re.findall(rf"\A(?:{FAMILIES})(?:_[A-Z]+)+\Z", node.value))
    return found - NO_EVENTS


def line(cause: Line) -> Line:
    LINES[cause.__name__.upper()] = cause
    return cause


def same(**expected: Any) -> Fits:
    return lambda data: all(data.get(name) == value for name, value in expected.items())


@pytest.fixture(scope="module")
async def here(server_database: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    """The guild counts as a large one, where sessions may be passive."""
    settings = {"community.realtime.large_guild_members": 2, "community.realtime.passive_update_seconds": 0.3}
    directory = tmp_path_factory.mktemp(f"events-{server_database}")
    async with (
        serve(directory, database=server_database, settings=settings) as server,
        AsyncExitStack() as stack,
    ):
        yield await scene(server, stack)


def test_every_event_has_a_line() -> None:
    assert spoken_of() == LINES.keys()


# -- messages in a room that not everybody sees ---------------------------------------------------------------


@line
async def message_create(here: Scene) -> Told:
    said = await here.say()
    return same(id=said), await here.readers(f"/channels/{here.secret}/messages/{said}")


@line
async def message_update(here: Scene) -> Told:
    said = await here.say()
    where = f"/channels/{here.secret}/messages/{said}"
    await here.owner.ok("PATCH", where, {"content": "hush"})
    return same(id=said, content="hush"), await here.readers(where)


@line
async def message_delete(here: Scene) -> Told:
    said = await here.say()
    where = f"/channels/{here.secret}/messages/{said}"
    readers = await here.readers(where)
    await here.owner.ok("DELETE", where)
    return same(id=said), readers


@line
async def message_delete_bulk(here: Scene) -> Told:
    said = [await here.say() for _ in range(2)]
    await here.owner.ok("POST", f"/channels/{here.secret}/messages/bulk-delete", {"message_ids": said})
    return lambda data: set(data["ids"]) == set(said), await here.in_secret()


async def _reacted(here: Scene, method: str, path: str) -> Told:
    said = await here.say()
    where = f"/channels/{here.secret}/messages/{said}/reactions"
    await here.owner.ok("PUT", f"{where}/{THUMB}/@me")
    if method == "DELETE":
        await here.owner.ok(method, where + path)
    return same(message_id=said), await here.readers(f"{where}/{THUMB}")


@line
async def message_reaction_add(here: Scene) -> Told:
    return await _reacted(here, "PUT", f"/{THUMB}/@me")


@line
async def message_reaction_add_many(here: Scene) -> Told:
    """To sessions that ask for it."""
    async with AsyncExitStack() as stack:
        ears = {name: Ear(who) for name, who in here.people.items()}
        for ear in ears.values():
            await ear.open(stack, flags=2)
        fits, readers = await _reacted(here, "PUT", "")
        for reader in readers:
            await ears[reader].hears("MESSAGE_REACTION_ADD_MANY", fits)
        for ear in ears.values():
            await ear.catches_up()
        heard = {name for name, ear in ears.items() if ear.has_heard("MESSAGE_REACTION_ADD_MANY", fits)}
        assert heard == readers
    return lambda data: False, set()


@line
async def message_reaction_remove(here: Scene) -> Told:
    return await _reacted(here, "DELETE", f"/{THUMB}/@me")


@line
async def message_reaction_remove_all(here: Scene) -> Told:
    return await _reacted(here, "DELETE", "")


@line
async def message_reaction_remove_emoji(here: Scene) -> Told:
    return await _reacted(here, "DELETE", f"/{THUMB}")


@line
async def channel_pins_update(here: Scene) -> Told:
    await here.owner.ok("PUT", f"/channels/{here.secret}/pins/{await here.say()}")
    return same(channel_id=here.secret), await here.readers(f"/channels/{here.secret}/pins")


@line
async def typing_start(here: Scene) -> Told:
    await here.seer.ok("POST", f"/channels/{here.secret}/typing")
    return same(channel_id=here.secret, user_id=here.seer.id), await here.in_secret()


# -- channels -------------------------------------------------------------------------------------------------


@line
async def channel_create(here: Scene) -> Told:
    room = await here.hidden_room()
    return same(id=room), await here.readers(f"/channels/{room}")


@line
async def channel_update(here: Scene) -> Told:
    await here.owner.ok("PATCH", f"/channels/{here.secret}", {"topic": "whispers"})
    return same(id=here.secret, topic="whispers"), await here.in_secret()


@line
async def channel_update_bulk(here: Scene) -> Told:
    order = [{"id": here.secret, "position": 0}, {"id": here.place.text, "position": 1}]
    await here.owner.ok("PATCH", f"/guilds/{here.place.id}/channels", order)
    return lambda data: here.secret in [each["id"] for each in data["channels"]], await here.in_secret()


@line
async def channel_delete(here: Scene) -> Told:
    room = await here.hidden_room()
    readers = await here.readers(f"/channels/{room}")
    await here.owner.ok("DELETE", f"/channels/{room}")
    return same(id=room), readers


@line
async def webhooks_update(here: Scene) -> Told:
    await here.owner.ok("POST", f"/channels/{here.secret}/webhooks", {"name": "hook"})
    return same(channel_id=here.secret), await here.in_secret()


@line
async def invite_create(here: Scene) -> Told:
    made = await here.owner.ok("POST", f"/channels/{here.secret}/invites", {"unique": True})
    return same(code=made["code"]), await here.in_guild("/invites") & await here.in_secret()


@line
async def invite_delete(here: Scene) -> Told:
    made = await here.owner.ok("POST", f"/channels/{here.secret}/invites", {"unique": True})
    readers = await here.in_guild("/invites") & await here.in_secret()
    await here.owner.ok("DELETE", f"/invites/{made['code']}")
    return same(code=made["code"]), readers


async def _recipient(here: Scene, left: bool) -> Told:
    friend = await unlimited(await person(here.owner.server))
    await here.owner.ok("POST", f"/users/@me/relationships/{friend.id}")
    await friend.ok("PUT", f"/users/@me/relationships/{here.owner.id}", {})
    await here.owner.ok("PUT", f"/channels/{here.group}/recipients/{friend.id}")
    if left:
        await friend.ok("DELETE", f"/channels/{here.group}")
    return lambda data: data["user"]["id"] == friend.id, await here.readers(f"/channels/{here.group}")


@line
async def channel_recipient_add(here: Scene) -> Told:
    return await _recipient(here, False)


@line
async def channel_recipient_remove(here: Scene) -> Told:
    return await _recipient(here, True)


# -- the guild ------------------------------------------------------------------------------------------------


@line
async def guild_create(here: Scene) -> Told:
    other = await guild(here.owner)
    return same(id=other.id), await here.readers(f"/guilds/{other.id}")


@line
async def guild_update(here: Scene) -> Told:
    await here.owner.ok("PATCH", f"/guilds/{here.place.id}", {"name": "Another name"})
    return same(id=here.place.id, name="Another name"), await here.in_guild()


@line
async def guild_delete(here: Scene) -> Told:
    other = await guild(here.owner)
    readers = await here.readers(f"/guilds/{other.id}")
    await here.owner.ok("DELETE", f"/guilds/{other.id}", {"password": "correct horse battery"})
    return same(id=other.id), readers


async def _role(here: Scene) -> str:
    return await here.place.role(0)


@line
async def guild_role_create(here: Scene) -> Told:
    role = await _role(here)
    return lambda data: data["role"]["id"] == role, await here.in_guild("/roles")


@line
async def guild_role_update(here: Scene) -> Told:
    role = await _role(here)
    await here.owner.ok("PATCH", f"/guilds/{here.place.id}/roles/{role}", {"name": "another"})
    return lambda data: data["role"]["id"] == role, await here.in_guild("/roles")


@line
async def guild_role_update_bulk(here: Scene) -> Told:
    role = await _role(here)
    await here.owner.ok("PATCH", f"/guilds/{here.place.id}/roles", [{"id": role, "position": 2}])
    return lambda data: role in [each["id"] for each in data["roles"]], await here.in_guild("/roles")


@line
async def guild_role_delete(here: Scene) -> Told:
    role = await _role(here)
    await here.owner.ok("DELETE", f"/guilds/{here.place.id}/roles/{role}")
    return same(role_id=role), await here.in_guild("/roles")


async def _newcomer(here: Scene) -> str:
    someone = await unlimited(await person(here.owner.server))
    await here.place.admit(someone)
    return someone.id


def _about(user_id: str) -> Fits:
    return lambda data: data["user"]["id"] == user_id


@line
async def guild_member_add(here: Scene) -> Told:
    someone = await _newcomer(here)
    return _about(someone), await here.in_guild(f"/members/{someone}")


@line
async def guild_member_update(here: Scene) -> Told:
    someone = await _newcomer(here)
    await here.owner.ok("PATCH", f"/guilds/{here.place.id}/members/{someone}", {"nick": "N"})
    return _about(someone), await here.in_guild(f"/members/{someone}")


@line
async def guild_member_remove(here: Scene) -> Told:
    someone = await _newcomer(here)
    readers = await here.in_guild(f"/members/{someone}")
    await here.owner.ok("DELETE", f"/guilds/{here.place.id}/members/{someone}")
    return _about(someone), readers


@line
async def guild_ban_add(here: Scene) -> Told:
    someone = await _newcomer(here)
    await here.owner.ok("PUT", f"/guilds/{here.place.id}/bans/{someone}", {})
    return _about(someone), await here.in_guild("/bans")


@line
async def guild_ban_remove(here: Scene) -> Told:
    someone = await _newcomer(here)
    await here.owner.ok("PUT", f"/guilds/{here.place.id}/bans/{someone}", {})
    await here.owner.ok("DELETE", f"/guilds/{here.place.id}/bans/{someone}")
    return _about(someone), await here.in_guild("/bans")


@line
async def guild_emojis_update(here: Scene) -> Told:
    body = {"name": "dot", "image": uri(still())}
    await here.owner.ok("POST", f"/guilds/{here.place.id}/emojis", body)
    return same(guild_id=here.place.id), await here.in_guild("/emojis")


@line
async def guild_stickers_update(here: Scene) -> Told:
    body = {"name": "dot", "image": uri(still())}
    await here.owner.ok("POST", f"/guilds/{here.place.id}/stickers", body)
    return same(guild_id=here.place.id), await here.in_guild("/stickers")


# -- what a session asks for ----------------------------------------------------------------------------------


async def _asked(here: Scene, **wanted: Any) -> None:
    for ear in here.ears.values():
        await ear.asks(here.place, **wanted)


@line
async def presence_update(here: Scene) -> Told:
    """In a large guild only who follows a member hears."""
    await _asked(here, members=[here.seer.id])
    await here.ears["seer"].client.send(3, {"status": "dnd", "afk": False})
    return (
        lambda data: data["user"]["id"] == here.seer.id and data["status"] == "dnd",
        await here.in_guild(f"/members/{here.seer.id}"),
    )


@line
async def guild_sync(here: Scene) -> Told:
    await _asked(here, sync=True)
    return same(id=here.place.id), await here.in_guild()


@line
async def guild_members_chunk(here: Scene) -> Told:
    for ear in here.ears.values():
        await ear.client.send(8, {"guild_id": here.place.id, "user_ids": [here.seer.id]})
    return same(guild_id=here.place.id), await here.in_guild(f"/members/{here.seer.id}")


@line
async def guild_member_list_update(here: Scene) -> Told:
    await _asked(here, member_list_channels={here.secret: [[0, 99]]})
    return same(channel_id=here.secret), await here.in_secret()


@line
async def passive_updates(here: Scene) -> Told:
    await _asked(here, active=False)
    for ear in here.ears.values():
        await ear.catches_up()
    said = await here.say()
    await here.say(channel=here.place.text)
    for name in await here.in_guild():
        await here.ears[name].hears("PASSIVE_UPDATES", lambda data: here.place.text in data["channels"])
    await _asked(here, active=True)
    return lambda data: data["channels"].get(here.secret) == said, await here.in_secret()


@line
async def ready(here: Scene) -> Told:
    """Each is shown the channels that REST lists, and nobody's account but their own."""
    for name, ear in here.ears.items():
        async with AsyncExitStack() as stack:
            again = Ear(ear.who)
            await again.open(stack)
        guilds = {each["id"]: {one["id"] for one in each["channels"]} for each in again.ready["guilds"]}
        listed = await ear.who.call("GET", f"/guilds/{here.place.id}/channels")
        shown = {each["id"] for each in listed.json()} if listed.is_success else None
        assert guilds.get(here.place.id) == shown, name
        assert again.ready["user"]["id"] == ear.who.id
    return lambda data: False, set()


# -- one's own ------------------------------------------------------------------------------------------------


async def _own(here: Scene, fits: Fits, method: str, path: str, body: Any = None) -> Told:
    await here.seer.ok(method, path, body)
    return fits, {"seer"}


@line
async def user_update(here: Scene) -> Told:
    fits = same(id=here.seer.id, bio="I see")
    return await _own(here, fits, "PATCH", "/users/@me", {"bio": "I see"})


@line
async def user_settings_update(here: Scene) -> Told:
    return await _own(here, same(theme="light"), "PATCH", "/users/@me/settings", {"theme": "light"})


@line
async def user_guild_settings_update(here: Scene) -> Told:
    path = f"/users/@me/guilds/{here.place.id}/settings"
    return await _own(here, same(suppress_roles=True), "PATCH", path, {"suppress_roles": True})


@line
async def user_note_update(here: Scene) -> Told:
    path = f"/users/@me/notes/{here.blind.id}"
    return await _own(here, same(note="cannot see"), "PUT", path, {"note": "cannot see"})


@line
async def user_pinned_dms_update(here: Scene) -> Told:
    group = (await here.seer.ok("POST", "/users/@me/channels", {"recipients": []}))["id"]
    return await _own(here, lambda data: group in data, "PUT", f"/users/@me/channels/{group}/pin")


@line
async def saved_message_create(here: Scene) -> Told:
    said = await here.say()
    body = {"channel_id": here.secret, "message_id": said}
    return await _own(here, same(id=said), "POST", "/users/@me/saved-messages", body)


@line
async def saved_message_delete(here: Scene) -> Told:
    said = await here.say()
    body = {"channel_id": here.secret, "message_id": said}
    await here.seer.ok("POST", "/users/@me/saved-messages", body)
    return await _own(here, same(message_id=said), "DELETE", f"/users/@me/saved-messages/{said}")


@line
async def message_ack(here: Scene) -> Told:
    said = await here.say()
    path = f"/channels/{here.secret}/messages/{said}/ack"
    return await _own(here, same(message_id=said), "POST", path, {})


@line
async def channel_pins_ack(here: Scene) -> Told:
    fits = same(channel_id=here.secret)
    await here.owner.ok("PUT", f"/channels/{here.secret}/pins/{await here.say()}")
    return await _own(here, fits, "POST", f"/channels/{here.secret}/pins/ack", {})


@line
async def recent_mention_delete(here: Scene) -> Told:
    said = await here.say(f"<@{here.seer.id}>")
    return await _own(here, same(message_id=said), "DELETE", f"/users/@me/mentions/{said}")


@line
async def sessions_replace(here: Scene) -> Told:
    async with AsyncExitStack() as stack:
        await Ear(here.seer).open(stack)
        await here.ears["seer"].hears("SESSIONS_REPLACE", lambda data: len(data) > 1)
    return lambda data: len(data) > 1, {"seer"}


async def _relation(here: Scene, fits: Fits) -> Told:
    """Two of them become friends and part again; the others have nothing to do with it."""
    one, other = here.warden, here.blind
    await one.ok("POST", f"/users/@me/relationships/{other.id}")
    await other.ok("PUT", f"/users/@me/relationships/{one.id}", {})
    await one.ok("DELETE", f"/users/@me/relationships/{other.id}")
    ids = {one.id, other.id}
    return lambda data: data["id"] in ids and fits(data), {"warden", "blind"}


@line
async def relationship_add(here: Scene) -> Told:
    return await _relation(here, lambda data: data["type"] in (3, 4))


@line
async def relationship_update(here: Scene) -> Told:
    return await _relation(here, same(type=1))


@line
async def relationship_remove(here: Scene) -> Told:
    return await _relation(here, lambda data: True)


@line
async def auth_session_change(here: Scene) -> Told:
    """The outsider's password and token are others afterwards."""
    who, base = here.outsider, "/users/@me/password-change"
    ticket = {"ticket": (await who.ok("POST", f"{base}/start"))["ticket"]}
    code = await mailed_code(who.server, who.email, "password-change")
    proved = await who.ok("POST", f"{base}/verify", {**ticket, "code": code})
    await who.ok("POST", f"{base}/complete", {**ticket, **proved, "new_password": "quite another one"})
    ear = here.ears["outsider"]
    await ear.hears("AUTH_SESSION_CHANGE", lambda data: True)
    who.authorization = next(data for name, data in ear.heard if name == "AUTH_SESSION_CHANGE")["new_token"]
    return lambda data: True, {"outsider"}


@pytest.mark.parametrize("name", LINES)
async def test_who_hears_it_may_read_it(here: Scene, name: str) -> None:
    for ear in here.ears.values():
        await ear.catches_up()
        ear.heard.clear()
    fits, readers = await LINES[name](here)
    for reader in readers:
        await here.ears[reader].hears(name, fits)
    await asyncio.gather(*(ear.catches_up() for ear in here.ears.values()))
    assert {each for each, ear in here.ears.items() if ear.has_heard(name, fits)} == readers
    heard = [told for ear in here.ears.values() for told in (("READY", ear.ready), *ear.heard)]
    assert {misfit for event, data in heard for misfit in misfits(event, data)} == set()
