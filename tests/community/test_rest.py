"""The community's REST routes over a real server: what they answer when all is well, and at the edges."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from tests.community.actors import (
    API,
    PASSWORD,
    add_bot,
    admin,
    bearer,
    bot,
    guild,
    new_address,
    person,
    stranger,
    unlimited,
)
from tests.harness.server import Server, serve

URI = "https://example.test/back?x=1"


# -- the gate -------------------------------------------------------------------------------------------------


async def test_health_is_plain_and_uncounted(server: Server) -> None:
    answer = await stranger(server).call("GET", "/_health")
    assert (answer.status_code, answer.text) == (200, "OK")
    assert "x-ratelimit-limit" not in answer.headers


async def test_the_prefix_v1_and_a_trailing_slash_are_optional(server: Server) -> None:
    for path in ("/community/v1/gateway", "/community/gateway", "/community/v1/gateway/"):
        answer = await server.http.get(path)
        assert answer.json()["url"].endswith("/community/gateway"), path


async def test_discovery_tells_where_everything_is(server: Server) -> None:
    told = await stranger(server).ok("GET", "/.well-known/fluxer")
    assert told["endpoints"]["api"] == server.origin + API
    assert told["endpoints"]["gateway"].startswith("ws://")
    assert told["captcha"]["provider"] == "none"
    assert told["limits"]["rules"][0]["overrides"]["max_guilds"] == 100


async def test_every_allowed_answer_says_what_is_left(server: Server) -> None:
    someone = await person(server)
    first = await someone.call("GET", "/users/@me/settings")
    second = await someone.call("GET", "/users/@me/settings")
    assert first.headers["x-ratelimit-limit"] == "40"
    assert int(first.headers["x-ratelimit-remaining"]) == int(second.headers["x-ratelimit-remaining"]) + 1
    assert 0 < float(first.headers["x-ratelimit-reset-after"]) <= 10
    assert first.headers["x-ratelimit-bucket"] == "settings-read"


async def test_the_global_limit_is_over_all_routes(tmp_path: Path) -> None:
    settings = {"community.rate_limits.global_rate": "5/60s"}
    async with serve(tmp_path, settings=settings) as server:
        someone = await person(server)
        other = await person(server)
        for path in ("/users/@me", "/gateway", "/users/@me/settings", "/no/such/path"):
            assert (await someone.call("GET", path)).status_code != 429
        refused = [await someone.call("GET", path) for path in ("/users/@me/guilds", "/gateway")]
        assert refused[-1].json()["global"] is True
        assert refused[-1].headers["x-ratelimit-global"] == "true"
        await other.ok("GET", "/users/@me")
        await unlimited(someone)
        for _ in range(120):
            await someone.ok("GET", "/users/@me")


async def test_buckets_are_counted_apart_for_each_channel(server: Server) -> None:
    owner = await person(server)
    one, two = await guild(owner), await guild(owner)
    for _ in range(20):
        await one.say(owner)
    assert (await owner.call("POST", f"/channels/{one.text}/messages", {"content": "x"})).status_code == 429
    await two.say(owner)
    await server.sandbox.clock(10)
    await one.say(owner)


async def test_a_banned_address_is_told_before_anything_else(server: Server) -> None:
    network = "198.51.100.0/24"
    await admin(server).ok("POST", "/admin/bans/ip/add", {"ip": network})
    someone = stranger(server)
    someone.address = "198.51.100.77"
    assert (await someone.call("GET", "/users/@me")).json()["code"] == "IP_BANNED"
    assert (await someone.call("GET", "/no/such/path")).json()["code"] == "IP_BANNED"
    await admin(server).ok("POST", "/admin/bans/ip/remove", {"ip": network})
    assert (await someone.call("GET", "/users/@me")).json()["code"] == "UNAUTHORIZED"
    bad = await admin(server).call("POST", "/admin/bans/ip/add", {"ip": "localhost"})
    assert bad.json()["errors"][0]["path"] == "ip"


async def test_admin_routes_ask_for_the_acl(server: Server) -> None:
    someone = await person(server)
    body = {"query": someone.username}
    assert (await someone.call("POST", "/admin/users/lookup", body)).json()["code"] == "MISSING_PERMISSIONS"
    await admin(server).ok("POST", "/admin/users/set-acls", {"user_id": someone.id, "acls": ["user:lookup"]})
    assert (await someone.call("POST", "/admin/users/lookup", body)).json()["code"] == "MISSING_PERMISSIONS"
    acls = ["user:lookup", "admin:authenticate"]
    await admin(server).ok("POST", "/admin/users/set-acls", {"user_id": someone.id, "acls": acls})
    found = await someone.ok("POST", "/admin/users/lookup", body)
    assert [each["id"] for each in found["users"]] == [someone.id]
    robot, _ = await bot(someone)
    assert (await robot.call("POST", "/admin/users/lookup", body)).status_code == 401
    wrong = stranger(server)
    wrong.authorization = "Admin guess"
    assert (await wrong.call("POST", "/admin/users/lookup", body)).status_code == 401
    assert (await admin(server).call("GET", "/users/@me")).json()["code"] == "ACCESS_DENIED"


# -- accounts -------------------------------------------------------------------------------------------------


async def test_registration_names_every_field_that_does_not_do(server: Server) -> None:
    body = {"email": "no address", "date_of_birth": "2020-01-01", "consent": False, "password": "long enough"}
    answer = await stranger(server).call("POST", "/auth/register", body)
    assert {each["path"] for each in answer.json()["errors"]} == {"email", "date_of_birth", "consent"}
    answer = await stranger(server).call(
        "POST", "/auth/register", {"password": "short", "username": "no spaces"}
    )
    assert [each["path"] for each in answer.json()["errors"]] == [
        "username", "password", "date_of_birth", "consent",
    ]  # fmt: skip


async def test_one_account_an_address_even_at_the_same_time(server: Server) -> None:
    someone = await person(server)
    body = {
        "email": someone.email.upper(),
        "password": PASSWORD,
        "date_of_birth": "1990-01-01",
        "consent": True,
    }
    answer = await stranger(server).call("POST", "/auth/register", body)
    assert answer.json()["errors"][0]["code"] == "EMAIL_ALREADY_IN_USE"
    body["email"] = f"race-{someone.email}"
    answers = await asyncio.gather(*(stranger(server).call("POST", "/auth/register", body) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400, 400, 400]


async def test_login_says_the_same_for_a_wrong_password_and_no_account(server: Server) -> None:
    someone = await person(server)
    wrong = await someone.login(password="not the password")
    someone.email = "nobody-" + someone.email
    nobody = await someone.login()
    assert wrong.status_code == nobody.status_code == 400
    assert wrong.json() == nobody.json()
    assert {each["code"] for each in wrong.json()["errors"]} == {"INVALID_EMAIL_OR_PASSWORD"}


async def test_the_sixth_wrong_password_in_a_quarter_hour_is_too_many(server: Server) -> None:
    someone = await person(server)
    for _ in range(5):
        assert (await someone.login(address=new_address(), password="wrong wrong")).status_code == 400
    refused = await someone.login()
    assert refused.status_code == 429
    assert refused.json()["retry_after"] > 600
    await server.sandbox.clock(900)
    assert (await someone.login()).status_code == 200


async def test_sessions_are_listed_and_ended(server: Server) -> None:
    someone = await person(server)
    token = (await someone.login()).json()["token"]
    listed = await someone.ok("GET", "/auth/sessions")
    assert [each["current"] for each in listed].count(True) == 1
    before = listed[0]["approx_last_used_at"]
    await server.sandbox.clock(400)
    after = await someone.ok("GET", "/auth/sessions")
    assert next(each for each in after if each["current"])["approx_last_used_at"] > before
    other = next(each["id_hash"] for each in listed if not each["current"])
    ended = {"session_id_hashes": [other, "nonsense!"]}
    assert (await someone.call("POST", "/auth/sessions/logout", ended)).json()["code"] == "SUDO_MODE_REQUIRED"
    await someone.ok("POST", "/auth/sessions/logout", {**ended, "password": PASSWORD})
    gone = await someone.call("GET", "/users/@me", headers={"Authorization": token})
    assert gone.status_code == 401
    await someone.ok("GET", "/users/@me")


async def test_a_new_password_ends_every_session(server: Server) -> None:
    someone = await person(server)
    assert (
        await stranger(server).call("POST", "/auth/forgot", {"email": "nobody@example.test"})
    ).status_code == 204
    await someone.ok("POST", "/auth/forgot", {"email": someone.email})
    token = await someone.mail("reset")
    await someone.ok("POST", "/auth/reset", {"token": token, "password": "another password"})
    assert (await someone.call("GET", "/users/@me")).status_code == 401
    assert (await someone.login(password="another password")).status_code == 200
    again = await someone.call("POST", "/auth/reset", {"token": token, "password": "third password"})
    assert again.json()["errors"][0]["path"] == "token"


async def test_a_verification_token_works_once_and_not_for_ever(server: Server) -> None:
    someone = await person(server, verified=False)
    token = await someone.mail("verify")
    answers = await asyncio.gather(
        *(someone.call("POST", "/auth/verify", {"token": token}) for _ in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [204, 400, 400, 400]
    other = await person(server, verified=False)
    token = await other.mail("verify")
    await server.sandbox.clock(86_401)
    assert (await other.call("POST", "/auth/verify", {"token": token})).status_code == 400


async def test_changing_names_needs_a_proof_and_other_things_do_not(server: Server) -> None:
    someone = await person(server)
    changed = await someone.ok("PATCH", "/users/@me", {"bio": "  hello \x07", "global_name": "Ada"})
    assert (changed["bio"], changed["global_name"]) == ("hello", "Ada")
    name = someone.username + "_2"
    refused = await someone.call("PATCH", "/users/@me", {"username": name})
    assert refused.json()["code"] == "SUDO_MODE_REQUIRED"
    wrong = await someone.call("PATCH", "/users/@me", {"username": name, "password": "wrong wrong"})
    assert wrong.json()["errors"][0]["path"] == "password"
    assert (await someone.ok("PATCH", "/users/@me", {"username": name, "password": PASSWORD}))[
        "username"
    ] == name
    assert (await someone.ok("PATCH", "/users/@me", {"global_name": None}))["global_name"] is None


async def test_a_self_disabled_account_comes_back_with_a_login(server: Server) -> None:
    someone = await person(server)
    await someone.ok("POST", "/users/@me/disable", {"password": PASSWORD})
    assert (await someone.call("GET", "/users/@me")).status_code == 401
    assert (await someone.login()).status_code == 200


async def test_settings_are_merged(server: Server) -> None:
    someone = await person(server)
    changed = await someone.ok(
        "PATCH", "/users/@me/settings", {"theme": "light", "restricted_guilds": [1, "2"]}
    )
    assert (changed["theme"], changed["restricted_guilds"], changed["locale"]) == (
        "light",
        ["1", "2"],
        "en-US",
    )
    assert await someone.ok("GET", "/users/@me/settings") == changed


# -- oauth2 and bots ------------------------------------------------------------------------------------------


async def test_secrets_are_shown_once(server: Server) -> None:
    owner = await person(server)
    _, application = await bot(owner)
    assert application["client_secret"]
    again = await owner.ok("GET", f"/oauth2/applications/{application['id']}")
    assert "client_secret" not in again
    assert "token" not in again["bot"]
    assert [each["id"] for each in await owner.ok("GET", "/oauth2/applications/@me")] == [application["id"]]


async def test_a_reset_bot_token_replaces_the_old_one(server: Server) -> None:
    owner = await person(server)
    robot, application = await bot(owner)
    path = f"/oauth2/applications/{application['id']}/bot/reset-token"
    assert (await owner.call("POST", path, {})).json()["code"] == "SUDO_MODE_REQUIRED"
    fresh = await owner.ok("POST", path, {"password": PASSWORD})
    assert (await robot.call("GET", "/users/@me")).status_code == 401
    robot.authorization = f"Bot {fresh['token']}"
    assert (await robot.ok("GET", "/applications/@me"))["id"] == application["id"]


async def test_a_code_works_once_and_a_refresh_token_is_replaced(server: Server) -> None:
    owner = await person(server)
    _, application = await bot(owner, redirect_uris=[URI])
    asked = {
        "client_id": application["id"],
        "scope": "identify email guilds",
        "response_type": "code",
        "redirect_uri": URI,
        "state": "a b&c",
    }
    given = await owner.ok("POST", "/oauth2/authorize/consent", asked)
    assert given["redirect_to"].startswith(URI + "&code=")
    assert given["redirect_to"].endswith("&state=a+b%26c")
    code = given["redirect_to"].split("code=")[1].split("&")[0]
    client = (application["id"], application["client_secret"])
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": URI}

    async def token(**fields: str) -> Any:
        return await server.http.post(f"{API}/oauth2/token", data=fields, auth=client)

    answers = await asyncio.gather(*(token(**form) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]
    issued = next(answer.json() for answer in answers if answer.status_code == 200)
    assert (issued["token_type"], issued["expires_in"]) == ("Bearer", 604_800)
    holder = stranger(server)
    holder.authorization = f"Bearer {issued['access_token']}"
    assert (await holder.ok("GET", "/users/@me"))["email"] == owner.email
    assert (await holder.ok("GET", "/oauth2/userinfo"))["sub"] == owner.id
    assert set((await holder.ok("GET", "/oauth2/@me"))["scopes"]) == {"identify", "email", "guilds"}
    assert await holder.ok("GET", "/users/@me/guilds") == []
    assert (await holder.call("GET", "/guilds/1")).json()["code"] == "ACCESS_DENIED"
    fresh = (await token(grant_type="refresh_token", refresh_token=issued["refresh_token"])).json()
    assert (await holder.call("GET", "/users/@me")).status_code == 401
    reused = await token(grant_type="refresh_token", refresh_token=issued["refresh_token"])
    assert reused.json()["error"] == "invalid_grant"
    looked = await server.http.post(
        f"{API}/oauth2/introspect", data={"token": fresh["access_token"]}, auth=client
    )
    assert (looked.json()["active"], looked.json()["sub"]) == (True, owner.id)
    await server.http.post(f"{API}/oauth2/token/revoke", data={"token": fresh["access_token"]}, auth=client)
    looked = await server.http.post(
        f"{API}/oauth2/introspect", data={"token": fresh["access_token"]}, auth=client
    )
    assert looked.json() == {"active": False}


async def test_a_bearer_without_email_does_not_see_it(server: Server) -> None:
    owner = await person(server)
    _, application = await bot(owner, redirect_uris=[URI])
    holder = await bearer(owner, application, "identify")
    assert (await holder.ok("GET", "/users/@me"))["email"] is None


async def test_a_bot_cannot_be_given_what_its_host_lacks(server: Server) -> None:
    owner, manager = await person(server), await person(server)
    place = await guild(owner)
    await place.admit(manager)
    _, application = await bot(manager)
    body = {"client_id": application["id"], "scope": "bot", "guild_id": place.id, "permissions": "8"}
    assert (await manager.call("POST", "/oauth2/authorize/consent", body)).json()[
        "code"
    ] == "MISSING_PERMISSIONS"
    await place.role(1 << 5, manager)
    assert (await manager.call("POST", "/oauth2/authorize/consent", body)).json()[
        "code"
    ] == "MISSING_PERMISSIONS"
    await manager.ok("POST", "/oauth2/authorize/consent", {**body, "permissions": "1024"})


async def test_deleting_an_application_takes_its_bot_away(server: Server) -> None:
    owner = await person(server)
    robot, application = await bot(owner)
    place = await guild(owner)
    await add_bot(owner, application["id"], place.id)
    said = await place.say(robot, "beep")
    await owner.ok("DELETE", f"/oauth2/applications/{application['id']}", {"password": PASSWORD})
    assert (await robot.call("GET", "/users/@me")).status_code == 401
    assert (await owner.call("GET", f"/guilds/{place.id}/members/{robot.id}")).status_code == 404
    kept = await owner.ok("GET", f"/channels/{place.text}/messages/{said['id']}")
    assert kept["author"]["id"] == robot.id


# -- guilds, channels, roles, members -------------------------------------------------------------------------


async def test_a_new_guild_has_its_first_channels_and_everyone(server: Server) -> None:
    owner = await person(server)
    place = await guild(owner)
    roles = await owner.ok("GET", f"/guilds/{place.id}/roles")
    assert [(role["id"], role["name"]) for role in roles] == [(place.id, "@everyone")]
    shown = await owner.ok("GET", f"/guilds/{place.id}")
    assert (shown["owner_id"], shown["system_channel_id"], shown["member_count"]) == (owner.id, place.text, 1)
    mine = await owner.ok("GET", "/users/@me/guilds?with_counts=true")
    assert [(each["id"], each["approximate_member_count"]) for each in mine] == [(place.id, 1)]
    assert mine[0]["permissions"] == shown["permissions"]


async def test_guilds_page_by_id(server: Server) -> None:
    owner = await person(server)
    places = [await guild(owner) for _ in range(3)]
    page = await owner.ok("GET", f"/users/@me/guilds?after={places[0].id}&limit=1")
    assert [each["id"] for each in page] == [places[1].id]
    page = await owner.ok("GET", f"/users/@me/guilds?before={places[2].id}")
    assert [each["id"] for each in page] == [places[0].id, places[1].id]


async def test_the_last_place_in_a_guild_goes_to_one(server: Server) -> None:
    owner = await person(server)
    place = await guild(owner)
    code = await place.invite(max_uses=1)
    people = [await person(server) for _ in range(4)]
    answers = await asyncio.gather(*(each.call("POST", f"/invites/{code}") for each in people))
    assert sorted(answer.status_code for answer in answers) == [200, 404, 404, 404]
    assert (await owner.ok("GET", f"/guilds/{place.id}"))["member_count"] == 2


async def test_joining_twice_at_once_counts_once(server: Server) -> None:
    owner, member = await person(server), await person(server)
    place = await guild(owner)
    code = await place.invite()
    await asyncio.gather(*(member.call("POST", f"/invites/{code}") for _ in range(4)))
    assert (await owner.ok("GET", f"/guilds/{place.id}"))["member_count"] == 2
    greetings = [
        each for each in await owner.ok("GET", f"/channels/{place.text}/messages") if each["type"] == 7
    ]
    assert len(greetings) == 1


async def test_deleting_a_guild_by_either_form(server: Server) -> None:
    owner = await person(server)
    robot, application = await bot(owner)
    one, two = await guild(owner), await guild(owner)
    assert (await owner.call("DELETE", f"/guilds/{one.id}")).json()["code"] == "SUDO_MODE_REQUIRED"
    await owner.ok("DELETE", f"/guilds/{one.id}", {"password": PASSWORD})
    await owner.ok("POST", f"/guilds/{two.id}/delete", {"password": PASSWORD})
    assert (await owner.call("GET", f"/channels/{one.text}")).json()["code"] == "UNKNOWN_CHANNEL"
    own = await robot.ok("POST", "/guilds", {"name": "The bot's"})
    await robot.ok("DELETE", f"/guilds/{own['id']}")
    assert (await robot.call("GET", f"/guilds/{own['id']}")).json()["code"] == "UNKNOWN_GUILD"
    assert application["id"] == robot.id


async def test_ownership_is_handed_over(server: Server) -> None:
    owner, heir, outsider = [await person(server) for _ in range(3)]
    place = await guild(owner)
    await place.admit(heir)
    path = f"/guilds/{place.id}/transfer-ownership"
    refused = await owner.call("POST", path, {"new_owner_id": outsider.id, "password": PASSWORD})
    assert refused.json()["code"] == "UNKNOWN_MEMBER"
    handed = await owner.ok("POST", path, {"new_owner_id": heir.id, "password": PASSWORD})
    assert handed["owner_id"] == heir.id
    assert (await owner.call("PATCH", f"/guilds/{place.id}", {"name": "x"})).status_code == 403
    assert (await heir.call("DELETE", f"/users/@me/guilds/{place.id}")).json()["errors"][0][
        "path"
    ] == "guild_id"
    await owner.ok("DELETE", f"/users/@me/guilds/{place.id}")


async def test_channels_are_made_changed_and_deleted(server: Server) -> None:
    owner = await person(server)
    place = await guild(owner)
    role = await place.role(0)
    category = await owner.ok("POST", f"/guilds/{place.id}/channels", {"name": "staff", "type": 4})
    await owner.ok("PUT", f"/channels/{category['id']}/permissions/{role}", {"type": 0, "allow": "1024"})
    body = {"name": "talk", "type": 0, "parent_id": category["id"], "topic": "t", "nsfw": True, "position": 9}
    made = await owner.ok("POST", f"/guilds/{place.id}/channels", body)
    assert made["permission_overwrites"] == [{"id": role, "type": 0, "allow": "1024", "deny": "0"}]
    assert (made["topic"], made["nsfw"], made["parent_id"]) == ("t", True, category["id"])
    changed = await owner.ok(
        "PATCH", f"/channels/{made['id']}", {"topic": None, "bitrate": 9000, "nsfw": None}
    )
    assert (changed["topic"], changed["nsfw"]) == (None, False)
    assert "bitrate" not in changed
    await owner.ok("DELETE", f"/channels/{category['id']}")
    assert (await owner.ok("GET", f"/channels/{made['id']}"))["parent_id"] is None
    other = await guild(owner)
    stranger_parent = {"name": "x", "type": 0, "parent_id": other.category}
    refused = await owner.call("POST", f"/guilds/{place.id}/channels", stranger_parent)
    assert refused.json()["errors"][0]["path"] == "parent_id"


async def test_nobody_overwrites_what_they_lack(server: Server) -> None:
    owner, member = await person(server), await person(server)
    place = await guild(owner)
    await place.admit(member)
    await place.role(1 << 28, member)
    where = f"/channels/{place.text}/permissions/{place.id}"
    assert (await member.call("PUT", where, {"type": 0, "deny": "8192"})).json()[
        "code"
    ] == "MISSING_PERMISSIONS"
    await member.ok("PUT", where, {"type": 0, "deny": "2048"})
    shown = await owner.ok("GET", f"/channels/{place.text}")
    assert shown["permission_overwrites"] == [{"id": place.id, "type": 0, "allow": "0", "deny": "2048"}]


async def test_a_new_role_stands_just_above_everyone(server: Server) -> None:
    owner = await person(server)
    place = await guild(owner)
    first = await place.role(0)
    second = await place.role(int("1" * 54, 2))
    roles = {role["id"]: role for role in await owner.ok("GET", f"/guilds/{place.id}/roles")}
    assert [roles[each]["position"] for each in (place.id, second, first)] == [0, 1, 2]
    assert int(roles[second]["permissions"]) & 1 << 19 == 0
    await owner.ok("PATCH", f"/guilds/{place.id}/roles", [{"id": second, "position": 2}])
    roles = {role["id"]: role for role in await owner.ok("GET", f"/guilds/{place.id}/roles")}
    assert [roles[each]["position"] for each in (place.id, first, second)] == [0, 1, 2]


async def test_roles_and_members_above_one_are_out_of_reach(server: Server) -> None:
    owner, low, high = [await person(server) for _ in range(3)]
    place = await guild(owner)
    await place.admit(low, high)
    top = await place.role(1 << 28 | 1 << 27, high)
    bottom = await place.role(1 << 28 | 1 << 27 | 2, low)
    for call in (
        low.call("PATCH", f"/guilds/{place.id}/roles/{top}", {"name": "x"}),
        low.call("PATCH", f"/guilds/{place.id}/roles/{bottom}", {"name": "x"}),
        low.call("DELETE", f"/guilds/{place.id}/roles/{top}"),
        low.call("PUT", f"/guilds/{place.id}/members/{low.id}/roles/{top}"),
        low.call("PATCH", f"/guilds/{place.id}/members/{high.id}", {"nick": "x"}),
        low.call("DELETE", f"/guilds/{place.id}/members/{high.id}"),
        low.call("DELETE", f"/guilds/{place.id}/members/{owner.id}"),
        low.call("POST", f"/guilds/{place.id}/roles", {"name": "x", "permissions": "8"}),
        high.call("PUT", f"/guilds/{place.id}/bans/{low.id}"),
        low.call("PATCH", f"/guilds/{place.id}/members/{low.id}", {"roles": [top]}),
    ):
        assert (await call).json()["code"] == "MISSING_PERMISSIONS"
    await high.ok("PATCH", f"/guilds/{place.id}/members/{low.id}", {"nick": "  below ", "roles": []})
    shown = await high.ok("GET", f"/guilds/{place.id}/members/{low.id}")
    assert (shown["nick"], shown["roles"]) == ("below", [])


async def test_members_page_by_user_id(server: Server) -> None:
    owner, other = await person(server), await person(server)
    place = await guild(owner)
    await place.admit(other)
    first = await owner.ok("GET", f"/guilds/{place.id}/members")
    assert [each["user"]["id"] for each in first] == [owner.id]
    rest = await owner.ok("GET", f"/guilds/{place.id}/members?limit=10&after={owner.id}")
    assert [each["user"]["id"] for each in rest] == [other.id]


async def test_a_ban_removes_messages_and_can_end(server: Server) -> None:
    owner, other = await person(server), await person(server)
    place = await guild(owner)
    await place.admit(other)
    said = await place.say(other, "spam")
    body = {"reason": "spam", "delete_message_days": 1, "ban_duration_seconds": 3600}
    await owner.ok("PUT", f"/guilds/{place.id}/bans/{other.id}", body)
    assert (await owner.call("GET", f"/channels/{place.text}/messages/{said['id']}")).status_code == 404
    listed = await owner.ok("GET", f"/guilds/{place.id}/bans")
    assert [(each["user"]["id"], each["reason"]) for each in listed] == [(other.id, "spam")]
    await server.sandbox.clock(3601)
    assert await owner.ok("GET", f"/guilds/{place.id}/bans") == []
    await place.admit(other)
    await owner.ok("PUT", f"/guilds/{place.id}/bans/{other.id}")
    await owner.ok("DELETE", f"/guilds/{place.id}/bans/{other.id}")
    assert (await owner.call("DELETE", f"/guilds/{place.id}/bans/{other.id}")).json()[
        "code"
    ] == "UNKNOWN_USER"


async def test_profiles_are_for_those_who_share_a_guild(server: Server) -> None:
    owner, member, outsider = [await person(server) for _ in range(3)]
    place = await guild(owner)
    await place.admit(member)
    await member.ok("PATCH", "/users/@me", {"bio": "hello"})
    shown = await owner.ok("GET", f"/users/{member.id}/profile?guild_id={place.id}&with_mutual_guilds=true")
    assert shown["user_profile"]["bio"] == "hello"
    assert shown["guild_member"]["user"]["id"] == member.id
    assert [each["id"] for each in shown["mutual_guilds"]] == [place.id]
    assert (await outsider.call("GET", f"/users/{member.id}/profile")).json()["code"] == "MISSING_ACCESS"
    gone = await owner.call("GET", f"/users/{owner.id}/profile?guild_id=1")
    assert gone.json()["code"] == "UNKNOWN_GUILD"
    robot, _ = await bot(owner)
    await outsider.ok("GET", f"/users/{robot.id}/profile")


# -- messages -------------------------------------------------------------------------------------------------


async def test_messages_page_both_ways_and_around(server: Server) -> None:
    owner = await unlimited(await person(server))
    place = await guild(owner)
    ids = [(await place.say(owner, str(number)))["id"] for number in range(7)]

    async def page(query: str) -> list[str]:
        found = await owner.ok("GET", f"/channels/{place.text}/messages?{query}")
        return [each["content"] for each in found]

    assert await page("") == ["6", "5", "4", "3", "2", "1", "0"]
    assert await page(f"limit=2&before={ids[3]}") == ["2", "1"]
    assert await page(f"limit=2&after={ids[3]}") == ["5", "4"]
    assert await page(f"limit=3&around={ids[3]}") == ["4", "3", "2"]
    assert await page(f"limit=50&around={ids[0]}") == ["6", "5", "4", "3", "2", "1", "0"]
    answer = await owner.call("GET", f"/channels/{place.text}/messages?limit=101")
    assert answer.json()["errors"][0]["path"] == "limit"
    answer = await owner.call("GET", f"/channels/{place.text}/messages?before=1&after=1")
    assert answer.status_code == 400


async def test_the_same_nonce_is_the_same_message_even_at_once(server: Server) -> None:
    owner = await person(server)
    place = await guild(owner)
    answers = await asyncio.gather(*(place.say(owner, "once", nonce="n-1") for _ in range(5)))
    assert len({each["id"] for each in answers}) == 1
    assert {each["nonce"] for each in answers} == {"n-1"}
    assert len(await owner.ok("GET", f"/channels/{place.text}/messages")) == 1
    await server.sandbox.clock(301)
    assert (await place.say(owner, "again", nonce="n-1"))["id"] != answers[0]["id"]


async def test_replies_and_forwards(server: Server) -> None:
    owner, other = await person(server), await person(server)
    place, elsewhere = await guild(owner), await guild(owner)
    await place.admit(other)
    said = await place.say(other, "original")
    reply = await place.say(owner, "answer", message_reference={"message_id": said["id"]})
    assert (reply["type"], reply["referenced_message"]["content"]) == (19, "original")
    assert [each["id"] for each in reply["mentions"]] == [other.id]
    quiet = await place.say(
        owner, "quiet", message_reference={"message_id": said["id"]}, allowed_mentions={"replied_user": False}
    )
    assert quiet["mentions"] == []
    wrong = {"content": "x", "message_reference": {"message_id": said["id"], "channel_id": elsewhere.text}}
    assert (await owner.call("POST", f"/channels/{place.text}/messages", wrong)).status_code == 400
    forward = {"message_reference": {"message_id": said["id"], "channel_id": place.text, "type": 1}}
    moved = await owner.ok("POST", f"/channels/{elsewhere.text}/messages", forward)
    assert moved["message_snapshots"][0]["content"] == "original"
    await other.ok("DELETE", f"/channels/{place.text}/messages/{said['id']}")
    shown = await owner.ok("GET", f"/channels/{place.text}/messages/{reply['id']}")
    assert shown["referenced_message"] is None


async def test_embeds_come_back_as_rich_and_need_the_permission(server: Server) -> None:
    owner, other = await person(server), await person(server)
    place = await guild(owner)
    await place.admit(other)
    embed = {"title": "T", "fields": [{"name": "n", "value": "v"}], "timestamp": "2026-01-02T03:04:05Z"}
    said = await place.say(other, "with", embeds=[embed])
    assert said["embeds"] == [
        {"type": "rich", **embed, "fields": [{"name": "n", "value": "v", "inline": False}]}
    ]
    await owner.ok("PUT", f"/channels/{place.text}/permissions/{place.id}", {"type": 0, "deny": str(1 << 14)})
    assert (await place.say(other, "without", embeds=[embed]))["embeds"] == []
    many = {"embeds": [{"title": "x"}] * 11}
    answer = await owner.call("POST", f"/channels/{place.text}/messages", many)
    assert answer.json()["errors"][0]["path"] == "embeds"
    bad = {"embeds": [{"title": "ok"}, {"title": "x" * 257, "fields": [{"name": "n"}]}]}
    answer = await owner.call("POST", f"/channels/{place.text}/messages", bad)
    assert [each["path"] for each in answer.json()["errors"]] == ["embeds.1.title", "embeds.1.fields.0.value"]


async def test_moderators_hide_embeds_but_do_not_edit(server: Server) -> None:
    owner, other = await person(server), await person(server)
    place = await guild(owner)
    await place.admit(other)
    said = await place.say(other, "mine", embeds=[{"title": "x"}])
    path = f"/channels/{place.text}/messages/{said['id']}"
    hidden = await owner.ok("PATCH", path, {"flags": 4})
    assert (hidden["flags"], hidden["content"], hidden["edited_timestamp"]) == (4, "mine", None)
    assert (await owner.call("PATCH", path, {"content": "yours"})).status_code == 403
    edited = await other.ok("PATCH", path, {"content": "new", "embeds": []})
    assert (edited["content"], edited["embeds"], edited["flags"]) == ("new", [], 4)


async def test_without_history_there_is_none(server: Server) -> None:
    owner, other = await person(server), await person(server)
    place = await guild(owner)
    await place.admit(other)
    said = await place.say(owner)
    await owner.ok("PUT", f"/channels/{place.text}/pins/{said['id']}")
    await owner.ok("PUT", f"/channels/{place.text}/permissions/{place.id}", {"type": 0, "deny": str(1 << 16)})
    assert await other.ok("GET", f"/channels/{place.text}/messages") == []
    assert await other.ok("GET", f"/channels/{place.text}/pins") == []
    read = await other.call("GET", f"/channels/{place.text}/messages/{said['id']}")
    assert read.json()["code"] == "MISSING_PERMISSIONS"


async def test_bulk_delete_ignores_what_is_not_there(server: Server) -> None:
    owner = await person(server)
    place, other = await guild(owner), await guild(owner)
    mine = [(await place.say(owner, str(number)))["id"] for number in range(3)]
    foreign = (await other.say(owner))["id"]
    ids = [*mine[:2], foreign, "1"]
    await owner.ok("POST", f"/channels/{place.text}/messages/bulk-delete", {"message_ids": ids})
    left = await owner.ok("GET", f"/channels/{place.text}/messages")
    assert [each["id"] for each in left] == mine[2:]
    assert len(await owner.ok("GET", f"/channels/{other.text}/messages")) == 1
    for bad in ([], [str(number) for number in range(101)]):
        answer = await owner.call(
            "POST", f"/channels/{place.text}/messages/bulk-delete", {"message_ids": bad}
        )
        assert answer.json()["errors"][0]["path"] == "message_ids"


async def test_pins_newest_first(server: Server) -> None:
    owner = await person(server)
    place = await guild(owner)
    first, second = await place.say(owner, "1"), await place.say(owner, "2")
    for said in (second, first):
        await owner.ok("PUT", f"/channels/{place.text}/pins/{said['id']}")
        await asyncio.sleep(0.01)
    pins = await owner.ok("GET", f"/channels/{place.text}/messages/pins?limit=1")
    assert ([each["message"]["content"] for each in pins["items"]], pins["has_more"]) == (["1"], True)
    older = await owner.ok(
        "GET", f"/channels/{place.text}/messages/pins?before={pins['items'][0]['pinned_at']}"
    )
    assert [each["message"]["content"] for each in older["items"]] == ["2"]
    assert [each["content"] for each in await owner.ok("GET", f"/channels/{place.text}/pins")] == ["1", "2"]
    await owner.ok("DELETE", f"/channels/{place.text}/pins/{first['id']}")
    assert not (await owner.ok("GET", f"/channels/{place.text}/messages/{first['id']}"))["pinned"]


# -- hostile input --------------------------------------------------------------------------------------------


HOSTILE = [
    b"null", b"0", b'"x"', b"[{}]", b"{}" + b" " * 100, b'{"name":1}', b'{"name":null}', b'{"name":[]}',
    b'{"name":"\\ud800"}', b'{"name":"\\u0000"}', b"{" * 200, b'{"content":{"a":1}}', b'{"embeds":[null]}',
    b'{"embeds":[{"timestamp":"yesterday"}]}', b'{"message_reference":{"message_id":"1e9"}}', b'{"nonce":""}',
    b'{"message_reference":{"message_id":"99999999999999999999"}}', b'{"permissions":1e400}', b'{"flags":-1}',
    b'{"permission_overwrites":[{"id":1,"type":7}]}', b'{"max_age":1.5}', b'{"client_id":[],"scope":1}',
]  # fmt: skip


@pytest.mark.parametrize("body", HOSTILE)
async def test_hostile_bodies_never_break_the_server(server: Server, body: bytes) -> None:
    owner = await unlimited(await person(server))
    place = await guild(owner)
    headers = {"Content-Type": "application/json"}
    for method, path in (
        ("POST", "/guilds"),
        ("PATCH", f"/guilds/{place.id}"),
        ("POST", f"/guilds/{place.id}/channels"),
        ("PATCH", f"/channels/{place.text}"),
        ("POST", f"/guilds/{place.id}/roles"),
        ("POST", f"/channels/{place.text}/messages"),
        ("POST", f"/channels/{place.text}/invites"),
        ("PUT", f"/channels/{place.text}/permissions/1"),
        ("PATCH", f"/guilds/{place.id}/members/{owner.id}"),
        ("PATCH", "/users/@me"),
        ("POST", "/oauth2/authorize/consent"),
        ("POST", "/auth/register"),
        ("POST", "/auth/login"),
    ):
        answer = await owner.call(method, path, content=body, headers=headers)
        assert answer.status_code < 500, f"{method} {path} {body!r}: {answer.text}"


@pytest.mark.parametrize(
    "address", ["javascript:alert(1)", "data:text/html,x", "//a.example", "https://", "https://a b"]
)
async def test_an_address_to_follow_leads_to_the_web(server: Server, address: str) -> None:
    owner = await person(server)
    place = await guild(owner)
    messages = f"/channels/{place.text}/messages"
    for method, path, body, field in (
        ("POST", messages, {"embeds": [{"title": "x", "url": address}]}, "embeds.0.url"),
        ("POST", messages, {"embeds": [{"title": "x", "image": {"url": address}}]}, "embeds.0.image.url"),
        ("POST", f"/guilds/{place.id}/channels", {"name": "x", "type": 998, "url": address}, "url"),
    ):
        refused = await owner.call(method, path, body)
        assert [each["path"] for each in refused.json()["errors"]] == [field], refused.text
    fine = {
        "embeds": [
            {"title": "x", "url": " HTTPS://a.example/?q=1#x ", "image": {"url": "http://a.example/b.png"}}
        ]
    }
    await owner.ok("POST", messages, fine)
