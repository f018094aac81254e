"""The published Python client, unmodified: every method of its HTTP client against a live server.

The list is the client's own: a method without a scenario fails `test_every_method_has_a_scenario`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import fluxer
import pytest
from fluxer.http import DEFAULT_API_URL, HTTPClient, Route
from tests.clients.fluxer_world import PNG, Table, World, made, methods, refused, sent_to
from tests.community.actors import person
from tests.community.gateway import GatewayClient
from tests.harness.server import Server

WRONG_HOST = {"get_guild_stickers", "get_guild_sticker", "create_guild_sticker", "delete_guild_sticker"}
"""They build their route without the client's `api_url` and always go to the public instance."""

NEVER_SENT = {"delete_guild_sticker"}
"""Its path asks for `stickers_id` and is given `sticker_id`: the client raises KeyError before it sends anything."""

table = Table()


@pytest.fixture(scope="module")
async def world(server: Server) -> AsyncIterator[World]:
    async with made(server) as found:
        yield found


def test_every_method_has_a_scenario() -> None:
    assert methods() == set(table.scenarios) | NEVER_SENT


def test_it_is_the_published_release() -> None:
    assert fluxer.__version__ == "0.4.2"


@pytest.mark.parametrize("method", sorted(methods() - NEVER_SENT))
async def test_a_method_of_the_http_client(world: World, method: str) -> None:
    if method in WRONG_HOST:
        async with sent_to(world.api_url):
            await table.scenarios[method](world)
    else:
        await table.scenarios[method](world)


@pytest.mark.parametrize("method", sorted(WRONG_HOST - NEVER_SENT))
async def test_a_method_that_forgets_its_server(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client's own mistake; when it is mended, this fails and the scenario needs no help any more."""
    asked: list[Route] = []

    async def request(self: HTTPClient, route: Route, **_: Any) -> None:
        asked.append(route)

    monkeypatch.setattr(HTTPClient, "request", request)
    client = HTTPClient("1.x", api_url="http://127.0.0.1:1")
    arguments: dict[str, tuple[Any, ...]] = {"get_guild_sticker": (1, 2)}
    named: dict[str, dict[str, Any]] = {"create_guild_sticker": {"name": "sticker", "image": PNG}}
    await getattr(client, method)(*arguments.get(method, (1,)), **named.get(method, {}))
    assert asked[0].url.startswith(DEFAULT_API_URL)


@pytest.mark.parametrize("method", sorted(NEVER_SENT))
async def test_a_method_that_cannot_be_called(world: World, method: str) -> None:
    with pytest.raises(KeyError, match="stickers_id"):
        await getattr(world.http, method)(1, 2)


# -- the client itself ----------------------------------------------------------------------------------------


@table
async def request(world: World) -> None:
    """The method under all others: bodies, queries, 204, the reason's header, and its typed refusals."""
    http = world.http
    assert (
        await http.request(Route("GET", "/users/@me", base_url=world.api_url))
        == await http.get_current_user()
    )
    where = Route(
        "POST", "/channels/{channel_id}/typing", base_url=world.api_url, channel_id=world.place.text
    )
    assert await http.request(where, reason="because") is None
    unknown = await refused(404, http.request(Route("GET", "/channels/1", base_url=world.api_url)))
    assert isinstance(unknown, fluxer.NotFound)
    assert unknown.code == "UNKNOWN_CHANNEL"


@table
async def close(world: World) -> None:
    other = HTTPClient(world.token, api_url=world.api_url)
    await other.get_current_user()
    await other.close()
    assert (await other.get_current_user())["id"] == world.robot.id, "a closed client opens again"
    await other.close()


@table
async def get_gateway(world: World) -> None:
    assert (await world.http.get_gateway())["url"].startswith("ws://")


@table
async def get_gateway_bot(world: World) -> None:
    found = await world.http.get_gateway_bot()
    assert found["url"].startswith("ws://")
    assert found["shards"] == 1


# -- people ---------------------------------------------------------------------------------------------------


@table
async def get_current_user(world: World) -> None:
    me = fluxer.User.from_data(await world.http.get_current_user())
    assert (str(me.id), me.bot) == (world.robot.id, True)


@table
async def modify_current_user(world: World) -> None:
    renamed = await world.http.modify_current_user(username="tablebot", avatar=PNG, banner=PNG)
    assert renamed["username"] == "tablebot"
    assert (await world.http.get_current_user())["username"] == "tablebot"
    assert fluxer.User.from_data(renamed).avatar_hash
    assert renamed["banner"]


@table
async def get_user(world: World) -> None:
    found = fluxer.User.from_data(await world.http.get_user(world.owner.id))
    assert (str(found.id), found.username) == (world.owner.id, world.owner.username)


@table
async def get_user_profile(world: World) -> None:
    for guild_id in (None, world.place.id):
        found = await world.http.get_user_profile(world.owner.id, guild_id=guild_id)
        assert str(fluxer.UserProfile.from_data(found).user.id) == world.owner.id


@table
async def create_dm(world: World) -> None:
    made = fluxer.Channel.from_data(await world.http.create_dm(world.guest.id))
    assert made.is_dm
    assert (await world.http.create_dm(world.guest.id))["id"] == str(made.id)


@table
async def get_current_user_guilds(world: World) -> None:
    assert world.place.id in [each["id"] for each in await world.http.get_current_user_guilds()]


# -- channels -------------------------------------------------------------------------------------------------


@table
async def get_channel(world: World) -> None:
    found = fluxer.Channel.from_data(await world.http.get_channel(world.place.text))
    assert (str(found.guild_id), found.is_text_channel) == (world.place.id, True)


@table
async def trigger_typing(world: World) -> None:
    async with GatewayClient(world.guest) as client:
        await client.identify()
        assert await world.http.trigger_typing(world.place.text) is None
        assert (await client.event("TYPING_START"))["user_id"] == world.robot.id


@table
async def create_guild_channel(world: World) -> None:
    made = await world.http.create_guild_channel(
        world.place.id, name="made", topic="of what", position=1, parent_id=world.place.category, nsfw=True
    )
    assert (made["name"], made["topic"], made["parent_id"]) == ("made", "of what", world.place.category)
    voice = await world.http.create_guild_channel(
        world.place.id, name="heard", type=2, bitrate=64_000, user_limit=5
    )
    assert (voice["type"], voice["bitrate"], voice["user_limit"]) == (2, 64_000, 5)


@table
async def modify_channel(world: World) -> None:
    room = await world.channel()
    changed = await world.http.modify_channel(room, name="renamed", topic="new", nsfw=True)
    assert (changed["name"], changed["topic"]) == ("renamed", "new")
    assert await world.http.get_channel(room) == changed


@table
async def delete_channel(world: World) -> None:
    room = await world.channel()
    await world.http.delete_channel(room)
    await refused(404, world.http.get_channel(room))


@table
async def edit_channel_permissions(world: World) -> None:
    room = await world.channel()
    await world.http.edit_channel_permissions(room, world.place.id, allow=64, deny="2048", type=0)
    found = (await world.http.get_channel(room))["permission_overwrites"]
    assert [(each["id"], each["allow"], each["deny"]) for each in found] == [(world.place.id, "64", "2048")]


@table
async def get_guild_channels(world: World) -> None:
    found = [fluxer.Channel.from_data(each) for each in await world.http.get_guild_channels(world.place.id)]
    assert {world.place.text, world.place.category} <= {str(each.id) for each in found}


# -- messages -------------------------------------------------------------------------------------------------


@table
async def send_message(world: World) -> None:
    card = fluxer.Embed(title="Title", description="Text", color=0x5865F2)
    card.add_field(name="name", value="value", inline=True).set_footer(text="foot")
    said = await world.http.send_message(world.place.text, content="with a card", embed=card)
    assert said["embeds"][0]["fields"][0]["value"] == "value"
    several = await world.http.send_message(world.place.text, embeds=[card, {"title": "second"}])
    assert [each["title"] for each in several["embeds"]] == ["Title", "second"]
    papers = [{"filename": "a.txt", "data": b"first"}, {"filename": "b.png", "data": PNG}]
    sent = fluxer.Message.from_data(
        await world.http.send_message(world.place.text, content="files", files=papers), world.http
    )
    assert [(each.filename, each.size) for each in sent.attachments] == [("a.txt", 5), ("b.png", len(PNG))]
    assert (sent.attachments[1].width, sent.attachments[1].height) == (1, 1)
    assert (await world.server.http.get(sent.attachments[0].url)).content == b"first"
    reference = {"message_id": said["id"], "channel_id": world.place.text, "guild_id": world.place.id}
    answer = await world.http.send_message(world.place.text, content="reply", message_reference=reference)
    assert answer["referenced_message"]["id"] == said["id"]


@table
async def get_message(world: World) -> None:
    said = await world.say("fetch me")
    found = fluxer.Message.from_data(await world.http.get_message(world.place.text, said["id"]))
    assert (found.content, str(found.author.id)) == ("fetch me", world.robot.id)


@table
async def get_messages(world: World) -> None:
    room = await world.channel()
    ids = [(await world.http.send_message(room, content=f"{number}"))["id"] for number in range(5)]
    newest = await world.http.get_messages(room, limit=2)
    assert [each["id"] for each in newest] == ids[:2:-1]
    assert [each["id"] for each in await world.http.get_messages(room, before=ids[1])] == ids[:1]
    assert [each["id"] for each in await world.http.get_messages(room, after=ids[3])] == ids[4:]


@table
async def edit_message(world: World) -> None:
    said = await world.say("before")
    changed = await world.http.edit_message(
        world.place.text, said["id"], content="after", embeds=[{"title": "t"}]
    )
    assert (changed["content"], changed["embeds"][0]["title"]) == ("after", "t")
    assert changed["edited_timestamp"]
    assert await world.http.get_message(world.place.text, said["id"]) == changed


@table
async def delete_message(world: World) -> None:
    said = await world.say()
    await world.http.delete_message(world.place.text, said["id"])
    await refused(404, world.http.get_message(world.place.text, said["id"]))


@table
async def delete_messages(world: World) -> None:
    room = await world.channel()
    ids = [(await world.http.send_message(room, content=f"{number}"))["id"] for number in range(3)]
    await world.http.delete_messages(room, ids[:2])
    assert [each["id"] for each in await world.http.get_messages(room)] == ids[2:]


@table
async def get_pinned_messages(world: World) -> None:
    room = await world.channel()
    ids = [(await world.http.send_message(room, content=f"{number}"))["id"] for number in range(2)]
    for message_id in ids:
        await world.http.pin_message(room, message_id)
    assert [each["id"] for each in await world.http.get_pinned_messages(room)] == ids[::-1]


@table
async def pin_message(world: World) -> None:
    said = await world.say()
    await world.http.pin_message(world.place.text, said["id"])
    assert (await world.http.get_message(world.place.text, said["id"]))["pinned"] is True


@table
async def unpin_message(world: World) -> None:
    said = await world.say()
    await world.http.pin_message(world.place.text, said["id"])
    await world.http.unpin_message(world.place.text, said["id"])
    assert (await world.http.get_message(world.place.text, said["id"]))["pinned"] is False


# -- reactions ------------------------------------------------------------------------------------------------


async def reactions(world: World, message_id: str) -> dict[str, int]:
    found = await world.http.get_message(world.place.text, message_id)
    parsed = fluxer.Message.from_data(found).reactions
    assert [each.count for each in parsed] == [each["count"] for each in found.get("reactions", [])]
    return {each["emoji"]["name"]: each["count"] for each in found.get("reactions", [])}


@table
async def add_reaction(world: World) -> None:
    said = await world.say()
    await world.http.add_reaction(world.place.text, said["id"], "👍")
    await world.http.add_reaction(world.place.text, said["id"], ":heart:")
    assert list((await reactions(world, said["id"])).values()) == [1, 1]


@table
async def delete_reaction(world: World) -> None:
    said = await world.say()
    where = f"/channels/{world.place.text}/messages/{said['id']}/reactions/%F0%9F%91%8D/@me"
    await world.guest.ok("PUT", where)
    await world.http.add_reaction(world.place.text, said["id"], "👍")
    await world.http.delete_reaction(world.place.text, said["id"], "👍")
    assert await reactions(world, said["id"]) == {"👍": 1}
    await world.http.delete_reaction(world.place.text, said["id"], "👍", world.guest.id)
    assert await reactions(world, said["id"]) == {}


@table
async def get_reaction_users(world: World) -> None:
    said = await world.say()
    await world.http.add_reaction(world.place.text, said["id"], "👍")
    users = await world.http.get_reaction_users(world.place.text, said["id"], "👍", limit=10)
    assert [each["id"] for each in users] == [world.robot.id]
    assert await world.http.get_reaction_users(world.place.text, said["id"], "👍", after=world.robot.id) == []


@table
async def delete_all_reactions(world: World) -> None:
    said = await world.say()
    for emoji in ("👍", "👎"):
        await world.http.add_reaction(world.place.text, said["id"], emoji)
    await world.http.delete_all_reactions(world.place.text, said["id"])
    assert await reactions(world, said["id"]) == {}


@table
async def delete_all_reactions_for_emoji(world: World) -> None:
    said = await world.say()
    for emoji in ("👍", "👎"):
        await world.http.add_reaction(world.place.text, said["id"], emoji)
    await world.http.delete_all_reactions_for_emoji(world.place.text, said["id"], "👍")
    assert await reactions(world, said["id"]) == {"👎": 1}


# -- guilds ---------------------------------------------------------------------------------------------------


@table
async def create_guild(world: World) -> None:
    made = fluxer.Guild.from_data(await world.http.create_guild(name="A bot's guild", icon=PNG))
    assert made.icon
    assert (made.name, str(made.owner_id)) == ("A bot's guild", world.robot.id)


@table
async def get_guild(world: World) -> None:
    found = fluxer.Guild.from_data(await world.http.get_guild(world.place.id))
    assert str(found.owner_id) == world.owner.id


@table
async def modify_guild(world: World) -> None:
    made = await world.http.create_guild(name="before")
    changed = await world.http.modify_guild(made["id"], name="after", afk_timeout=300)
    assert (changed["name"], changed["afk_timeout"]) == ("after", 300)
    assert await world.http.get_guild(made["id"]) == changed


@table
async def delete_guild(world: World) -> None:
    made = await world.http.create_guild(name="short-lived")
    await world.http.delete_guild(made["id"])
    await refused(404, world.http.get_guild(made["id"]))


# -- roles ----------------------------------------------------------------------------------------------------


@table
async def get_guild_roles(world: World) -> None:
    assert world.place.id in [each["id"] for each in await world.http.get_guild_roles(world.place.id)]


@table
async def create_guild_role(world: World) -> None:
    made = await world.http.create_guild_role(
        world.place.id, name="made", permissions=1 << 53 | 2048, color=0xFF0000, hoist=True, mentionable=True
    )
    role = fluxer.Role.from_data(made)
    assert (role.permissions, role.color, role.hoist) == (1 << 53 | 2048, 0xFF0000, True)
    assert made in await world.http.get_guild_roles(world.place.id)


@table
async def modify_guild_role(world: World) -> None:
    role = await world.role(permissions=0)
    changed = await world.http.modify_guild_role(
        world.place.id, role, name="changed", permissions=8, color=1, hoist=True, mentionable=True
    )
    assert (changed["name"], changed["permissions"], changed["mentionable"]) == ("changed", "8", True)
    assert changed in await world.http.get_guild_roles(world.place.id)


@table
async def delete_guild_role(world: World) -> None:
    role = await world.role()
    await world.http.delete_guild_role(world.place.id, role)
    assert role not in [each["id"] for each in await world.http.get_guild_roles(world.place.id)]


@table
async def add_guild_member_role(world: World) -> None:
    role = await world.role()
    await world.http.add_guild_member_role(world.place.id, world.guest.id, role, reason="promoted")
    assert role in (await world.http.get_guild_member(world.place.id, world.guest.id))["roles"]


@table
async def remove_guild_member_role(world: World) -> None:
    role = await world.role()
    await world.http.add_guild_member_role(world.place.id, world.guest.id, role)
    await world.http.remove_guild_member_role(world.place.id, world.guest.id, role, reason="demoted")
    assert role not in (await world.http.get_guild_member(world.place.id, world.guest.id))["roles"]


# -- members --------------------------------------------------------------------------------------------------


@table
async def get_guild_member(world: World) -> None:
    found = await world.http.get_guild_member(world.place.id, world.guest.id)
    assert str(fluxer.GuildMember.from_data(found).user.id) == world.guest.id


@table
async def get_guild_members(world: World) -> None:
    found = [each["user"]["id"] for each in await world.http.get_guild_members(world.place.id, limit=1000)]
    assert {world.owner.id, world.guest.id, world.robot.id} <= set(found)
    assert found == sorted(found, key=int)
    assert (await world.http.get_guild_members(world.place.id, limit=1, after=found[0]))[0]["user"][
        "id"
    ] == found[1]


@table
async def modify_guild_member(world: World) -> None:
    role = await world.role()
    changed = await world.http.modify_guild_member(
        world.place.id, world.guest.id, nick="Guest", roles=[role], reason="welcome"
    )
    assert (changed["nick"], changed["roles"]) == ("Guest", [role])
    assert await world.http.get_guild_member(world.place.id, world.guest.id) == changed


@table
async def timeout_guild_member(world: World) -> None:
    someone = await world.member()
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    silenced = await world.http.timeout_guild_member(world.place.id, someone.id, until=until, reason="loud")
    assert silenced["communication_disabled_until"]
    answer = await someone.call("POST", f"/channels/{world.place.text}/messages", {"content": "hm"})
    assert answer.json()["code"] == "COMMUNICATION_DISABLED"
    again = await world.http.timeout_guild_member(world.place.id, someone.id)
    assert not again.get("communication_disabled_until")


@table
async def kick_guild_member(world: World) -> None:
    someone = await world.member()
    await world.http.kick_guild_member(world.place.id, someone.id, reason="bye")
    log = await world.owner.ok("GET", f"/guilds/{world.place.id}/audit-logs?action_type=20&limit=1")
    entry = log["audit_log_entries"][0]
    assert (entry["target_id"], entry["user_id"], entry["reason"]) == (someone.id, world.robot.id, "bye")
    await refused(404, world.http.get_guild_member(world.place.id, someone.id))
    await world.place.admit(someone)


@table
async def ban_guild_member(world: World) -> None:
    someone = await world.member()
    said = await world.place.say(someone, "to be wiped")
    await world.http.ban_guild_member(
        world.place.id, someone.id, ban_duration_seconds=3600, delete_message_seconds=3600, reason="enough"
    )
    await refused(404, world.http.get_message(world.place.text, said["id"]))
    code = await world.place.invite()
    assert (await someone.call("POST", f"/invites/{code}")).status_code == 403
    stranger = await person(world.server)
    await world.http.ban_guild_member(world.place.id, stranger.id)
    bans = await world.owner.ok("GET", f"/guilds/{world.place.id}/bans")
    ends = {each["user"]["id"]: each["expires_at"] for each in bans}
    assert ends[someone.id] is not None
    assert ends[stranger.id] is None


@table
async def unban_guild_member(world: World) -> None:
    someone = await world.member()
    await world.http.ban_guild_member(world.place.id, someone.id, delete_message_days=1)
    await world.http.unban_guild_member(world.place.id, someone.id, reason="forgiven")
    await world.place.admit(someone)


# -- emojis and stickers --------------------------------------------------------------------------------------


async def an_emoji(world: World) -> dict[str, Any]:
    return dict(
        await world.http.create_guild_emoji(world.place.id, name="dot", image=PNG, roles=[world.place.id])
    )


@table
async def create_guild_emoji(world: World) -> None:
    made = await an_emoji(world)
    assert made["name"] == "dot"
    assert (await world.http.get_guild_emoji(world.place.id, made["id"]))["id"] == made["id"]
    await world.http.delete_guild_emoji(world.place.id, made["id"])


@table
async def get_guild_emoji(world: World) -> None:
    made = await an_emoji(world)
    assert (await world.http.get_guild_emoji(world.place.id, made["id"]))["name"] == "dot"
    await world.http.delete_guild_emoji(world.place.id, made["id"])


@table
async def get_guild_emojis(world: World) -> None:
    made = await an_emoji(world)
    assert made["id"] in [each["id"] for each in await world.http.get_guild_emojis(world.place.id)]
    await world.http.delete_guild_emoji(world.place.id, made["id"])


@table
async def delete_guild_emoji(world: World) -> None:
    made = await an_emoji(world)
    await world.http.delete_guild_emoji(world.place.id, made["id"], reason="gone")
    await refused(404, world.http.get_guild_emoji(world.place.id, made["id"]))


@table
async def create_guild_sticker(world: World) -> None:
    made = await world.http.create_guild_sticker(world.place.id, name="dotted", image=PNG, reason="nice")
    assert made["name"] == "dotted"
    assert (await world.http.get_guild_sticker(world.place.id, made["id"]))["id"] == made["id"]


@table
async def get_guild_sticker(world: World) -> None:
    made = await world.http.create_guild_sticker(world.place.id, name="dotted", image=PNG)
    assert (await world.http.get_guild_sticker(world.place.id, made["id"]))["name"] == "dotted"


@table
async def get_guild_stickers(world: World) -> None:
    made = await world.http.create_guild_sticker(world.place.id, name="dotted", image=PNG)
    assert made["id"] in [each["id"] for each in await world.http.get_guild_stickers(world.place.id)]


# -- webhooks -------------------------------------------------------------------------------------------------


async def a_webhook(world: World) -> dict[str, Any]:
    return dict(await world.http.create_webhook(await world.channel("hooked"), name="hook"))


@table
async def create_webhook(world: World) -> None:
    made = await a_webhook(world)
    found = fluxer.Webhook.from_data(made, world.http)
    assert (found.name, str(found.guild_id)) == ("hook", world.place.id)
    assert (await world.http.get_webhook(made["id"]))["token"] == made["token"]


@table
async def get_guild_webhooks(world: World) -> None:
    made = await a_webhook(world)
    assert made["id"] in [each["id"] for each in await world.http.get_guild_webhooks(world.place.id)]


@table
async def get_channel_webhooks(world: World) -> None:
    made = await a_webhook(world)
    found = await world.http.get_channel_webhooks(made["channel_id"])
    assert [each["id"] for each in found] == [made["id"]]


@table
async def get_webhook(world: World) -> None:
    made = await a_webhook(world)
    assert (await world.http.get_webhook(made["id"]))["name"] == "hook"


@table
async def get_webhook_with_token(world: World) -> None:
    made = await a_webhook(world)
    assert (await world.http.get_webhook_with_token(made["id"], made["token"]))["name"] == "hook"


@table
async def modify_webhook(world: World) -> None:
    made, elsewhere = await a_webhook(world), await world.channel()
    changed = await world.http.modify_webhook(made["id"], name="renamed", channel_id=elsewhere)
    assert (changed["name"], changed["channel_id"]) == ("renamed", elsewhere)
    assert await world.http.get_webhook(made["id"]) == changed


@table
async def modify_webhook_with_token(world: World) -> None:
    made = await a_webhook(world)
    changed = await world.http.modify_webhook_with_token(
        made["id"], made["token"], name="renamed", channel_id=1
    )
    assert (changed["name"], changed["channel_id"]) == ("renamed", made["channel_id"])


@table
async def delete_webhook(world: World) -> None:
    made = await a_webhook(world)
    await world.http.delete_webhook(made["id"], reason="gone")
    await refused(404, world.http.get_webhook(made["id"]))


@table
async def delete_webhook_with_token(world: World) -> None:
    made = await a_webhook(world)
    await world.http.delete_webhook_with_token(made["id"], made["token"])
    await refused(404, world.http.get_webhook(made["id"]))


@table
async def execute_webhook(world: World) -> None:
    made = await a_webhook(world)
    assert await world.http.execute_webhook(made["id"], made["token"], content="quietly") is None
    said = await world.http.execute_webhook(
        made["id"], made["token"], content="aloud", embeds=[{"title": "t"}], username="Herald", wait=True
    )
    assert said is not None
    assert (said["content"], said["author"]["username"]) == ("aloud", "Herald")
    paper = {"filename": "a.txt", "data": b"first"}
    sent = await world.http.execute_webhook(made["id"], made["token"], wait=True, files=[paper])
    assert sent is not None
    assert sent["attachments"][0]["filename"] == "a.txt"
