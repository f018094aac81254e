"""What people keep for themselves: notes, read states, mentions, settings; with their events and in READY."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.community.actors import Person, guild, person
from tests.community.gateway import GatewayClient
from tests.harness.server import Server

MENTION_EVERYONE = 1 << 17
VIEW_CHANNEL = 1 << 10


async def ready(someone: Person) -> dict[str, Any]:
    async with GatewayClient(someone) as client:
        return await client.identify()


async def test_notes_are_kept_and_told_to_oneself(server: Server) -> None:
    someone, other = await person(server), await person(server)
    async with GatewayClient(someone) as client:
        await client.identify()
        assert (await someone.ok("GET", f"/users/@me/notes/{other.id}")) == {"note": ""}
        await someone.ok("PUT", f"/users/@me/notes/{other.id}", {"note": " met at the fair "})
        assert await client.event("USER_NOTE_UPDATE") == {"id": other.id, "note": "met at the fair"}
    assert await someone.ok("GET", "/users/@me/notes") == {other.id: "met at the fair"}
    assert await other.ok("GET", "/users/@me/notes") == {}
    assert (await ready(someone))["notes"] == {other.id: "met at the fair"}
    long = await someone.call("PUT", f"/users/@me/notes/{other.id}", {"note": "x" * 257})
    assert long.json()["errors"][0]["path"] == "note"
    assert (await someone.call("PUT", "/users/@me/notes/1", {"note": "x"})).json()["code"] == "UNKNOWN_USER"
    await someone.ok("PUT", f"/users/@me/notes/{other.id}", {"note": None})
    assert await someone.ok("GET", "/users/@me/notes") == {}


async def test_reading_goes_forward_and_back_only_on_purpose(server: Server) -> None:
    owner, member = await person(server), await person(server)
    place = await guild(owner)
    await place.admit(member)
    said = [await place.say(owner, f"<@{member.id}> {number}") for number in range(3)]
    where = f"/channels/{place.text}/messages"

    async def state() -> tuple[str | None, int] | None:
        shown = [each for each in (await ready(member))["read_states"] if each["id"] == place.text]
        return (shown[0]["last_message_id"], shown[0]["mention_count"]) if shown else None

    assert await state() == (None, 3)
    async with GatewayClient(member) as client:
        await client.identify()
        await member.ok("POST", f"{where}/{said[1]['id']}/ack", {})
        told = await client.event("MESSAGE_ACK")
        assert told == {"channel_id": place.text, "message_id": said[1]["id"], "mention_count": 0}
        assert await state() == (said[1]["id"], 1)
        await member.ok("POST", f"{where}/{said[0]['id']}/ack", {})
        assert await state() == (said[1]["id"], 1), "an ack that comes late does not unread"
        await member.ok("POST", f"{where}/{said[0]['id']}/ack", {"manual": True, "mention_count": 0})
        assert (await client.event("MESSAGE_ACK"))["manual"] is True
        assert await state() == (said[0]["id"], 2)
        await member.ok("POST", f"/channels/{place.text}/pins/ack")
        assert (await client.event("CHANNEL_PINS_ACK"))["channel_id"] == place.text
    many = {"read_states": [{"channel_id": place.text, "message_id": said[2]["id"]}]}
    await member.ok("POST", "/read-states/ack-bulk", many)
    assert await state() == (said[2]["id"], 0)
    await asyncio.gather(*(member.ok("POST", f"{where}/{each['id']}/ack", {}) for each in said * 3))
    assert await state() == (said[2]["id"], 0)
    hidden = {"read_states": [many["read_states"][0], {"channel_id": "1", "message_id": "1"}]}
    assert (await member.call("POST", "/read-states/ack-bulk", hidden)).json()["code"] == "UNKNOWN_CHANNEL"
    await member.ok("DELETE", f"{where}/ack")
    assert await state() == (None, 3)
    outsider = await person(server)
    refused = await outsider.call("POST", f"{where}/{said[0]['id']}/ack", {})
    assert refused.json()["code"] == "MISSING_ACCESS"


async def test_mentions_of_oneself_ones_roles_and_everybody(server: Server) -> None:
    owner, member, other = [await person(server) for _ in range(3)]
    place = await guild(owner)
    await place.admit(member, other)
    role = await place.role(0, member, mentionable=True)
    named = await place.say(owner, f"<@{member.id}>")
    called = await place.say(owner, f"<@&{role}>")
    everybody = await place.say(owner, "@everyone listen")
    await place.say(owner, f"<@{other.id}> not you")
    await place.say(member, f"<@{member.id}> talking to myself")

    async def seen(query: str = "") -> list[str]:
        return [each["id"] for each in await member.ok("GET", f"/users/@me/mentions{query}")]

    assert await seen() == [everybody["id"], called["id"], named["id"]]
    assert await seen("?everyone=false") == [called["id"], named["id"]]
    assert await seen("?roles=false") == [everybody["id"], named["id"]]
    assert await seen("?guilds=false") == []
    assert await seen(f"?before={called['id']}&limit=5") == [named["id"]]
    async with GatewayClient(member) as client:
        await client.identify()
        await member.ok("DELETE", f"/users/@me/mentions/{called['id']}")
        assert await client.event("RECENT_MENTION_DELETE") == {"message_id": called["id"]}
    assert await seen() == [everybody["id"], named["id"]]
    await member.ok("DELETE", "/users/@me/mentions/1")
    await owner.ok("DELETE", f"/channels/{place.text}/messages/{named['id']}")
    assert await seen() == [everybody["id"]]
    await owner.ok(
        "PUT", f"/channels/{place.text}/permissions/{place.id}", {"type": 0, "deny": str(VIEW_CHANNEL)}
    )
    assert await seen() == [], "what may not be read is not shown"


async def test_settings_take_every_member_and_refuse_what_does_not_fit(server: Server) -> None:
    someone = await person(server)
    place = await guild(someone)
    sent = {
        "status": "dnd", "theme": "light", "locale": "pt-BR", "time_format": 2, "animate_stickers": 1,
        "custom_status": {"text": "away", "emoji_name": "🌴"}, "trusted_domains": ["example.org"],
        "guild_folders": [{"id": 7, "name": "Work", "color": 255, "guild_ids": [place.id]}],
        "friend_source_flags": 3, "group_dm_add_permission_flags": 4, "developer_mode": True,
    }  # fmt: skip
    async with GatewayClient(someone) as client:
        await client.identify()
        changed = await someone.ok("PATCH", "/users/@me/settings", sent)
        assert (await client.event("USER_SETTINGS_UPDATE")) == changed
    for name in sent.keys() - {"custom_status", "guild_folders"}:
        assert changed[name] == sent[name], name
    assert (changed["custom_status"]["text"], changed["custom_status"]["emoji_animated"]) == ("away", False)
    assert changed["guild_folders"][0]["guild_ids"] == [place.id]
    assert (await ready(someone))["user_settings"] == changed
    for wrong in (
        {"status": "sleeping"}, {"theme": "pink"}, {"locale": "xx"}, {"time_format": 3}, {"guild_folders": [{"icon": "x"}]},
        {"restricted_guilds": ["x"]}, {"custom_status": {"text": "x" * 129}}, {"trusted_domains": [""]},
        {"afk_timeout": 1}, {"developer_mode": "yes"},
    ):  # fmt: skip
        answer = await someone.call("PATCH", "/users/@me/settings", wrong)
        assert answer.json()["code"] == "VALIDATION_ERROR", wrong
    cleared = await someone.ok("PATCH", "/users/@me/settings", {"custom_status": None})
    assert cleared["custom_status"] is None
    both = ({"theme": "dark"}, {"time_format": 1}, {"locale": "de"}, {"status": "idle"})
    await asyncio.gather(*(someone.ok("PATCH", "/users/@me/settings", each) for each in both))
    final = await someone.ok("GET", "/users/@me/settings")
    assert [final[name] for each in both for name in each] == [each[name] for each in both for name in each]


async def test_what_an_account_chooses_for_itself_is_kept(server: Server) -> None:
    someone = await person(server)
    before = await someone.ok("GET", "/users/@me")
    chosen = ("premium_badge_hidden", "has_dismissed_premium_onboarding", "used_mobile_client")
    assert not any(before[name] for name in chosen)
    changed = await someone.ok("PATCH", "/users/@me", dict.fromkeys(chosen, True))
    assert all(changed[name] for name in chosen) and not changed["premium_badge_masked"]
    changed = await someone.ok(
        "PATCH", "/users/@me", {"premium_badge_hidden": False, "premium_badge_masked": True}
    )
    assert [
        changed[name] for name in ("premium_badge_hidden", "premium_badge_masked", "used_mobile_client")
    ] == [False, True, True]
    refused = await someone.call("PATCH", "/users/@me", {"premium_badge_hidden": "x"})
    assert refused.json()["errors"][0]["path"] == "premium_badge_hidden"


async def test_a_voice_channel_is_carried_by_a_known_region(server: Server) -> None:
    owner = await person(server)
    place = await guild(owner)
    regions = await owner.ok("GET", f"/channels/{place.voice}/rtc-regions")
    assert [set(each) for each in regions] == [{"id", "name", "emoji"}]
    changed = await owner.ok("PATCH", f"/channels/{place.voice}", {"rtc_region": regions[0]["id"]})
    assert changed["rtc_region"] == regions[0]["id"]
    assert (await owner.ok("PATCH", f"/channels/{place.voice}", {"rtc_region": None}))["rtc_region"] is None
    outsider = await person(server)
    assert (await outsider.call("GET", f"/channels/{place.voice}/rtc-regions")).json()[
        "code"
    ] == "MISSING_ACCESS"
    assert (await owner.call("GET", f"/channels/{place.text}/rtc-regions")).json()[
        "code"
    ] == "INVALID_CHANNEL_TYPE"
    async with GatewayClient(owner) as client:
        assert (await client.identify())["rtc_regions"] == regions


async def test_a_guild_is_as_loud_as_one_likes(server: Server) -> None:
    someone, outsider = await person(server), await person(server)
    place = await guild(someone)
    where = f"/users/@me/guilds/{place.id}/settings"
    body = {"muted": True, "channel_overrides": {place.text: {"message_notifications": 1, "muted": False}}}
    async with GatewayClient(someone) as client:
        await client.identify()
        changed = await someone.ok("PATCH", where, body)
        assert await client.event("USER_GUILD_SETTINGS_UPDATE") == changed
    assert (changed["guild_id"], changed["muted"], changed["version"]) == (place.id, True, 1)
    direct = await someone.ok("PATCH", "/users/@me/guilds/@me/settings", {"mobile_push": False})
    assert (direct["guild_id"], direct["mobile_push"]) == (None, False)
    assert (await ready(someone))["user_guild_settings"] == [direct, changed]
    await asyncio.gather(*(someone.ok("PATCH", where, {"suppress_roles": True}) for _ in range(5)))
    assert (await ready(someone))["user_guild_settings"][1]["version"] == 6
    assert (await outsider.call("PATCH", where, body)).json()["code"] == "MISSING_ACCESS"
    wrong = await someone.call("PATCH", where, {"channel_overrides": {"general": {}}})
    assert wrong.json()["code"] == "VALIDATION_ERROR"


async def test_conversations_are_pinned_and_looked_into(server: Server) -> None:
    someone, outsider = await person(server), await person(server)
    place = await guild(someone)
    said = await place.say(someone, "latest")
    groups = [(await someone.ok("POST", "/users/@me/channels", {"recipients": []}))["id"] for _ in range(2)]
    async with GatewayClient(someone) as client:
        await client.identify()
        for group in groups * 2:
            await someone.ok("PUT", f"/users/@me/channels/{group}/pin")
        await someone.ok("DELETE", f"/users/@me/channels/{groups[0]}/pin")
        told = [each["d"] for each in await _events(client, "USER_PINNED_DMS_UPDATE", 5)]
        assert told[0] == [groups[0]]
        assert told[-1] == [groups[1]]
    assert (await ready(someone))["pinned_dms"] == [groups[1]]
    for channel in (place.text, groups[0]):
        refused = await outsider.call("PUT", f"/users/@me/channels/{channel}/pin")
        assert refused.json()["code"] in ("UNKNOWN_CHANNEL", "MISSING_ACCESS")
    asked = {"channels": [place.text, groups[0], "1"]}
    for path in ("/users/@me/channels/messages/preload", "/users/@me/preload-messages"):
        shown = await someone.ok("POST", path, asked)
        assert shown[place.text]["id"] == said["id"]
        assert (shown[groups[0]], shown["1"]) == (None, None)
    assert (await outsider.ok("POST", "/users/@me/preload-messages", asked))[place.text] is None


async def test_a_profile_is_for_those_who_know_its_owner(server: Server) -> None:
    one, other, mutual = [await person(server) for _ in range(3)]
    where = f"/users/{other.id}/profile?with_mutual_friends=true&with_mutual_guilds=true"
    assert (await one.call("GET", where)).json()["code"] == "MISSING_ACCESS"
    for first, second in ((one, other), (one, mutual), (other, mutual)):
        await first.ok("POST", f"/users/@me/relationships/{second.id}")
        await second.ok("PUT", f"/users/@me/relationships/{first.id}", {})
    shown = await one.ok("GET", where)
    assert [each["id"] for each in shown["mutual_friends"]] == [mutual.id]
    assert shown["mutual_guilds"] == []
    place = await guild(other)
    await place.admit(one)
    await other.ok("PATCH", f"/guilds/{place.id}/members/@me", {"nick": "Boss"})
    assert (await one.ok("GET", where))["mutual_guilds"] == [{"id": place.id, "nick": "Boss"}]
    assert "mutual_friends" not in await one.ok("GET", f"/users/{other.id}/profile")


async def _events(client: GatewayClient, name: str, count: int) -> list[dict[str, Any]]:
    found = [each for each in client.seen if each.get("t") == name]
    while len(found) < count:
        payload = await client.receive()
        found += [payload] if payload.get("t") == name else []
    return found
