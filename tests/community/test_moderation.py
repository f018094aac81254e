"""What moderators do: written down with its reason, ended in time, and told to those who may know."""

from __future__ import annotations

from typing import Any

from tests.community.actors import Guild, Person, add_bot, admin, bot, guild, person, unlimited
from tests.community.gateway import GatewayClient
from tests.harness.server import Server

KICK_MEMBERS = 1 << 1


async def place(server: Server) -> tuple[Person, Guild]:
    owner = await unlimited(await person(server))
    return owner, await guild(owner)


async def log(by: Person, where: Guild, **query: Any) -> list[dict[str, Any]]:
    return list((await by.ok("GET", f"/guilds/{where.id}/audit-logs", params=query))["audit_log_entries"])


async def test_each_action_is_written_down_once(server: Server) -> None:
    owner, where = await place(server)
    member = await person(server)
    await where.admit(member)
    because = {"headers": {"X-Audit-Log-Reason": "because%20of%20x"}}
    at = f"/guilds/{where.id}"
    await owner.ok("PATCH", at, {"name": "New name"}, **because)
    channel = await owner.ok("POST", f"{at}/channels", {"name": "c", "type": 0}, **because)
    await owner.ok("PATCH", f"/channels/{channel['id']}", {"topic": "t"}, **because)
    overwrite = f"/channels/{channel['id']}/permissions/{where.id}"
    await owner.ok("PUT", overwrite, {"type": 0, "deny": "2048"}, **because)
    await owner.ok("PUT", overwrite, {"type": 0, "deny": "1024"}, **because)
    await owner.ok("DELETE", overwrite, **because)
    await owner.ok("DELETE", f"/channels/{channel['id']}", **because)
    role = await owner.ok("POST", f"{at}/roles", {"name": "r"}, **because)
    await owner.ok("PATCH", f"{at}/roles/{role['id']}", {"color": 5}, **because)
    await owner.ok("PUT", f"{at}/members/{member.id}/roles/{role['id']}", **because)
    await owner.ok("PUT", f"{at}/members/{member.id}/roles/{role['id']}", **because)
    await owner.ok("PATCH", f"{at}/members/{member.id}", {"roles": [], "nick": "n"}, **because)
    await owner.ok("DELETE", f"{at}/roles/{role['id']}", **because)
    said = await where.say(member)
    await owner.ok("PUT", f"/channels/{where.text}/pins/{said['id']}", **because)
    await owner.ok("DELETE", f"/channels/{where.text}/pins/{said['id']}", **because)
    await owner.ok("DELETE", f"/channels/{where.text}/messages/{said['id']}", **because)
    more = [(await where.say(member))["id"] for _ in range(2)]
    await owner.ok("POST", f"/channels/{where.text}/messages/bulk-delete", {"message_ids": more}, **because)
    await owner.ok("DELETE", f"{at}/members/{member.id}", **because)
    await owner.ok("PUT", f"{at}/bans/{member.id}", {}, **because)
    await owner.ok("DELETE", f"{at}/bans/{member.id}", **because)
    entries = (await log(owner, where, limit=100))[::-1]
    assert [each["action_type"] for each in entries] == [
        40, 1, 10, 11, 13, 14, 15, 12, 30, 31, 25, 25, 24, 32, 74, 75, 72, 73, 20, 22, 23,
    ]  # fmt: skip
    assert [each["action_type"] for each in entries[1:] if each.get("reason") != "because of x"] == []
    assert {each["user_id"] for each in entries} == {owner.id}
    assert entries[1]["changes"] == [{"key": "name", "old_value": "Test guild", "new_value": "New name"}]
    assert entries[10]["changes"][0]["new_value"] == {"added": [role["id"]], "removed": []}
    assert entries[17]["options"] == {"channel_id": where.text, "count": 2}


async def test_what_fails_and_what_changes_nothing_is_not_written_down(server: Server) -> None:
    owner, where = await place(server)
    member = await person(server)
    await where.admit(member)
    before = len(await log(owner, where))
    await owner.ok("PATCH", f"/guilds/{where.id}", {"name": "Test guild"})
    assert (await member.call("PATCH", f"/guilds/{where.id}", {"name": "x"})).status_code == 403
    assert (await member.call("DELETE", f"/guilds/{where.id}/members/{owner.id}")).status_code == 403
    said = await where.say(member)
    await member.ok("DELETE", f"/channels/{where.text}/messages/{said['id']}")
    assert len(await log(owner, where)) == before
    assert (await member.call("GET", f"/guilds/{where.id}/audit-logs")).json()[
        "code"
    ] == "MISSING_PERMISSIONS"


async def test_order_bots_and_webhooks_are_written_down_too(server: Server) -> None:
    owner, where = await place(server)
    because = {"headers": {"X-Audit-Log-Reason": "tidy"}}
    at = f"/guilds/{where.id}"
    low = (await owner.ok("POST", f"{at}/roles", {"name": "low"}))["id"]
    high = (await owner.ok("POST", f"{at}/roles", {"name": "high"}))["id"]
    await owner.ok(
        "PATCH", f"{at}/roles", [{"id": high, "position": 2}, {"id": low, "position": 1}], **because
    )
    moved = [each for each in await log(owner, where, action_type=31) if each["target_id"] == high]
    assert [each["reason"] for each in moved] == ["tidy"]
    assert moved[0]["changes"] == [{"key": "position", "old_value": 1, "new_value": 2}]
    await owner.ok("PATCH", f"{at}/roles", [{"id": high, "position": 2}], **because)
    assert len(await log(owner, where, action_type=31)) == 2
    await owner.ok("PATCH", f"{at}/roles/hoist-positions", [{"id": low, "hoist_position": 7}], **because)
    hoisted = (await log(owner, where, action_type=31))[0]
    assert (hoisted["target_id"], hoisted["changes"]) == (low, [{"key": "hoist_position", "new_value": 7}])
    places = [
        {"id": where.voice, "position": 1, "parent_id": None},
        {"id": where.text, "position": 1},
    ]
    await owner.ok("PATCH", f"{at}/channels", places, **because)
    stood = await log(owner, where, action_type=11)
    assert [(each["target_id"], each["reason"]) for each in stood] == [(where.voice, "tidy")]
    assert {each["key"] for each in stood[0]["changes"]} == {"position", "parent_id"}
    helper, application = await bot(owner)
    await add_bot(owner, application["id"], where.id)
    assert [each["target_id"] for each in await log(owner, where, action_type=28)] == [helper.id]
    hook = await owner.ok("POST", f"/channels/{where.text}/webhooks", {"name": "hook"})
    whole = await owner.ok("GET", f"{at}/audit-logs")
    shown = {"id": hook["id"], "type": 1, "guild_id": where.id, "channel_id": where.text, "name": "hook"}
    assert whole["webhooks"] == [{**shown, "avatar_hash": None}]
    assert {each["id"] for each in whole["users"]} == {owner.id, helper.id}


async def test_pages_and_filters(server: Server) -> None:
    owner, where = await place(server)
    for number in range(5):
        await owner.ok("POST", f"/guilds/{where.id}/roles", {"name": f"r{number}"})
    every = await log(owner, where)
    assert len(every) == 5
    assert [each["id"] for each in await log(owner, where, limit=2)] == [each["id"] for each in every[:2]]
    older = await log(owner, where, before=every[1]["id"], limit=2)
    assert older == every[2:4]
    newer = await log(owner, where, after=every[3]["id"], limit=2)
    assert newer == every[1:3]
    assert await log(owner, where, action_type=31) == []
    assert await log(owner, where, user_id="1") == []
    both = await owner.call("GET", f"/guilds/{where.id}/audit-logs?before=1&after=2")
    assert both.json()["code"] == "VALIDATION_ERROR"


async def test_a_ban_with_an_end_ends(server: Server) -> None:
    owner, where = await place(server)
    member, renewed = await person(server), await person(server)
    await where.admit(member, renewed)
    for each in (member, renewed):
        await owner.ok("PUT", f"/guilds/{where.id}/bans/{each.id}", {"ban_duration_seconds": 3600})
    await owner.ok("PUT", f"/guilds/{where.id}/bans/{renewed.id}", {})
    odd = await owner.call("PUT", f"/guilds/{where.id}/bans/{member.id}", {"ban_duration_seconds": 30})
    assert odd.json()["errors"][0]["path"] == "ban_duration_seconds"
    await server.sandbox.clock(3575)
    async with GatewayClient(owner) as socket:
        await socket.identify()
        await server.sandbox.clock(30)
        told = await socket.event("GUILD_BAN_REMOVE", 30)
        assert told["user"]["id"] == member.id
    bans = await owner.ok("GET", f"/guilds/{where.id}/bans")
    assert [each["user"]["id"] for each in bans] == [renewed.id]
    member.address = "10.250.1.1"
    await member.ok("POST", f"/invites/{await where.invite()}")


async def test_a_guild_s_own_code(server: Server) -> None:
    owner, where = await place(server)
    newcomer = await person(server)
    refused = await owner.call("GET", f"/guilds/{where.id}/vanity-url")
    assert refused.json()["code"] == "MISSING_PERMISSIONS"
    body = {"guild_id": where.id, "add_features": ["VANITY_URL"]}
    await admin(server).ok("POST", "/admin/guilds/update-features", body)
    code = f"Place-{where.id[-8:]}"
    await owner.ok("PATCH", f"/guilds/{where.id}/vanity-url", {"code": code})
    assert (await owner.ok("GET", f"/guilds/{where.id}"))["vanity_url_code"] == code.lower()
    assert (await newcomer.ok("GET", f"/invites/{code}"))["guild"]["id"] == where.id
    await newcomer.ok("POST", f"/invites/{code}")
    assert (await owner.ok("GET", f"/guilds/{where.id}/vanity-url")) == {"code": code.lower(), "uses": 1}
    for bad in ("x", "a b", "ä" * 5, "x" * 33):
        answer = await owner.call("PATCH", f"/guilds/{where.id}/vanity-url", {"code": bad})
        assert answer.json()["code"] == "VALIDATION_ERROR"
    await owner.ok("PATCH", f"/guilds/{where.id}/vanity-url", {"code": None})
    assert (await newcomer.call("GET", f"/invites/{code}")).json()["code"] == "UNKNOWN_INVITE"


async def test_a_bot_gives_reasons_too(server: Server) -> None:
    owner, where = await place(server)
    robot, application = await bot(owner)
    await add_bot(owner, application["id"], where.id, str(KICK_MEMBERS))
    member = await person(server)
    await where.admit(member)
    headers = {"X-Audit-Log-Reason": "ümlaut".encode()}
    await robot.ok("DELETE", f"/guilds/{where.id}/members/{member.id}", headers=headers)
    entry = (await log(owner, where, action_type=20))[0]
    assert (entry["user_id"], entry["reason"], entry["target_id"]) == (robot.id, "ümlaut", member.id)


async def test_members_who_are_gone_are_pruned(server: Server) -> None:
    owner, where = await place(server)
    gone, active, trusted = [await person(server) for _ in range(3)]
    await where.admit(gone, active, trusted)
    await where.role(0, trusted)
    at = f"/guilds/{where.id}/prune"
    assert await owner.ok("GET", at) == {"pruned": 0}
    await server.sandbox.clock(90_000)
    await active.ok("GET", "/users/@me")
    assert await owner.ok("GET", at, params={"days": 1}) == {"pruned": 1}
    assert (await active.call("POST", at, {"days": 1})).json()["code"] == "MISSING_PERMISSIONS"
    assert await owner.ok("POST", at, {"days": 1}) == {"pruned": 1}
    left = [each["user"]["id"] for each in await owner.ok("GET", f"/guilds/{where.id}/members?limit=10")]
    assert left == [owner.id, active.id, trusted.id]
    entry = (await log(owner, where, action_type=21))[0]
    assert entry["options"] == {"delete_member_days": "1", "members_removed": 1}
    assert (await owner.call("POST", at, {"days": 0})).json()["code"] == "VALIDATION_ERROR"
