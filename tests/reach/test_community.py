"""Every code of the community, through a real door: one scenario a code, run against a sandbox server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from tests.community.actors import (
    API,
    Person,
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
from tests.community.pictures import form, uri
from tests.gates.observed import ALLOW
from tests.harness.server import Server, serve
from tests.reach import community_places, community_proofs
from tests.reach.witness import LEAVES, Witness, witness

from flux.community.envelope import CommunityEnvelope
from flux.community.faults import community
from flux.kernel.bus import EmbeddedNats

Scenario = Callable[[Server], Awaitable[httpx.Response]]
SCENARIOS: dict[str, Scenario] = dict(community_proofs.SCENARIOS)
SETTINGS: dict[str, dict[str, Any]] = dict(community_proofs.SETTINGS)
"""Scenarios that need a server of their own, with these settings."""

URI = "https://example.test/back"
VIEW_CHANNEL = 1 << 10
MANAGE_ROLES = 1 << 28
MUTE_MEMBERS = 1 << 22
KICK_MEMBERS = 1 << 1


def reaches(name: str, **settings: Any) -> Callable[[Scenario], Scenario]:
    def register(scenario: Scenario) -> Scenario:
        assert name not in SCENARIOS
        SCENARIOS[name] = scenario
        if settings:
            SETTINGS[name] = {key.replace("__", "."): value for key, value in settings.items()}
        return scenario

    return register


# -- identity and access --------------------------------------------------------------------------------------


@reaches("UNAUTHORIZED@401")
async def unauthorized(server: Server) -> httpx.Response:
    for header in ("garbage", "flx_" + "a" * 36, "Bot 1." + "a" * 43, "Bearer nothing", "Bot x.y.z"):
        answer = await stranger(server).call("GET", "/users/@me", headers={"Authorization": header})
        assert answer.status_code == 401
    someone = await person(server)
    await someone.ok("POST", "/auth/logout")
    return await someone.call("GET", "/users/@me")


@reaches("FORBIDDEN@403")
async def forbidden(server: Server) -> httpx.Response:
    owner, other = await person(server), await person(server)
    _, application = await bot(owner)
    return await other.call("GET", f"/oauth2/applications/{application['id']}")


@reaches("MISSING_PERMISSIONS@403")
async def missing_permissions(server: Server) -> httpx.Response:
    owner, member = await person(server), await person(server)
    place = await guild(owner)
    await place.admit(member)
    return await member.call("PATCH", f"/guilds/{place.id}", {"name": "mine"})


@reaches("MISSING_ACCESS@403")
async def missing_access(server: Server) -> httpx.Response:
    owner, member, outsider = await person(server), await person(server), await person(server)
    place = await guild(owner)
    assert (await outsider.call("GET", f"/guilds/{place.id}")).json()["code"] == "MISSING_ACCESS"
    await place.admit(member)
    hidden = {"type": 0, "deny": str(VIEW_CHANNEL)}
    await owner.ok("PUT", f"/channels/{place.text}/permissions/{place.id}", hidden)
    return await member.call("GET", f"/channels/{place.text}")


@reaches("ACCESS_DENIED@403")
async def access_denied(server: Server) -> httpx.Response:
    robot, _ = await bot(await person(server))
    return await robot.call("GET", "/auth/sessions")


@reaches("IP_BANNED@403")
async def ip_banned(server: Server) -> httpx.Response:
    banned = stranger(server)
    await admin(server).ok("POST", "/admin/bans/ip/add", {"ip": banned.address + "/32"})
    answer = await banned.call("GET", "/.well-known/fluxer")
    await admin(server).ok("POST", "/admin/bans/ip/remove", {"ip": banned.address})
    assert (await banned.call("GET", "/.well-known/fluxer")).status_code == 200
    return answer


# -- resources ------------------------------------------------------------------------------------------------


@reaches("UNKNOWN_USER@404")
async def unknown_user(server: Server) -> httpx.Response:
    someone = await person(server)
    begun = await someone.call("POST", "/users/@me/channels", {"recipient_id": "1"})
    assert begun.json()["code"] == "UNKNOWN_USER"
    return await someone.call("GET", "/users/1")


@reaches("UNKNOWN_GUILD@404")
async def unknown_guild(server: Server) -> httpx.Response:
    return await (await person(server)).call("GET", "/guilds/1")


@reaches("UNKNOWN_CHANNEL@404")
async def unknown_channel(server: Server) -> httpx.Response:
    one, other, outsider = [await person(server) for _ in range(3)]
    await _friends(one, other)
    between = await _direct(one, other)
    for method, path in (("GET", ""), ("GET", "/messages"), ("POST", "/typing")):
        refused = await outsider.call(method, f"/channels/{between}{path}")
        assert refused.json()["code"] == "UNKNOWN_CHANNEL", path
    return await outsider.call("GET", "/channels/1")


@reaches("UNKNOWN_MESSAGE@404")
async def unknown_message(server: Server) -> httpx.Response:
    owner = await person(server)
    place = await guild(owner)
    said = await place.say(owner)
    at = f"/channels/{place.text}/messages/{said['id']}"
    await owner.ok("DELETE", at)
    saved = {"channel_id": place.text, "message_id": said["id"]}
    for method, path, body in (
        ("GET", at, None),
        ("PATCH", at, {"content": "x"}),
        ("PUT", f"/channels/{place.text}/pins/{said['id']}", None),
        ("PUT", f"{at}/reactions/%F0%9F%91%8D/@me", None),
        ("POST", "/users/@me/saved-messages", saved),
    ):
        refused = await owner.call(method, path, body)
        assert refused.json()["code"] == "UNKNOWN_MESSAGE", path
    answer = {"content": "what?", "message_reference": {"message_id": said["id"]}}
    return await owner.call("POST", f"/channels/{place.text}/messages", answer)


@reaches("UNKNOWN_MEMBER@404")
async def unknown_member(server: Server) -> httpx.Response:
    owner, other = await person(server), await person(server)
    place = await guild(owner)
    return await owner.call("GET", f"/guilds/{place.id}/members/{other.id}")


@reaches("UNKNOWN_ROLE@404")
async def unknown_role(server: Server) -> httpx.Response:
    owner = await person(server)
    place = await guild(owner)
    given = await owner.call("PATCH", f"/guilds/{place.id}/members/{owner.id}", {"roles": ["1"]})
    assert given.json()["code"] == "UNKNOWN_ROLE"
    return await owner.call("DELETE", f"/guilds/{place.id}/roles/1")


@reaches("UNKNOWN_APPLICATION@404")
async def unknown_application(server: Server) -> httpx.Response:
    return await (await person(server)).call("GET", "/oauth2/applications/1")


# -- rate limits ----------------------------------------------------------------------------------------------


@reaches("RATE_LIMITED@429")
async def rate_limited(server: Server) -> httpx.Response:
    owner = await person(server)
    tries = [await owner.login(password="wrong") for _ in range(6)]
    assert [each.json()["code"] for each in tries] == ["VALIDATION_ERROR"] * 5 + ["RATE_LIMITED"]
    place = await guild(owner)
    for _ in range(20):
        await place.say(owner)
    answer = await owner.call("POST", f"/channels/{place.text}/messages", {"content": "one more"})
    assert answer.json()["global"] is False
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.headers["x-ratelimit-global"] == "false"
    assert answer.headers["x-ratelimit-remaining"] == "0"
    return answer


@reaches("SLOWMODE_RATE_LIMITED@429")
async def slowmode(server: Server) -> httpx.Response:
    owner, member = await person(server), await person(server)
    place = await guild(owner)
    await place.admit(member)
    await owner.ok("PATCH", f"/channels/{place.text}", {"rate_limit_per_user": 60})
    await place.say(member)
    answer = await member.call("POST", f"/channels/{place.text}/messages", {"content": "again"})
    assert 0 < answer.json()["retry_after"] <= 60
    return answer


# -- account status -------------------------------------------------------------------------------------------


@reaches("ACCOUNT_DISABLED@403")
async def account_disabled(server: Server) -> httpx.Response:
    themselves = await person(server)
    await themselves.ok("POST", "/users/@me/disable", {"password": "correct horse battery"})
    assert (await themselves.login()).status_code == 200, "who did it may undo it"
    someone = await person(server)
    body = {"user_id": someone.id, "add_flags": [str(1 << 38)]}
    await admin(server).ok("POST", "/admin/users/update-flags", body)
    assert (await someone.call("GET", "/users/@me")).status_code == 401
    return await someone.login()


@reaches("ACCOUNT_SUSPENDED_TEMPORARILY@403")
async def suspended_for_a_while(server: Server) -> httpx.Response:
    someone = await person(server)
    await admin(server).ok("POST", "/admin/users/temp-ban", {"user_id": someone.id, "duration_hours": 24})
    return await someone.login()


@reaches("ACCOUNT_SUSPENDED_PERMANENTLY@403")
async def suspended_for_good(server: Server) -> httpx.Response:
    someone = await person(server)
    await admin(server).ok("POST", "/admin/users/temp-ban", {"user_id": someone.id, "duration_hours": 0})
    flagged = await person(server)
    body = {"user_id": flagged.id, "add_flags": [str(1 << 34)]}
    await admin(server).ok("POST", "/admin/users/update-flags", body)
    assert (await flagged.login()).json()["code"] == "ACCOUNT_SUSPENDED_PERMANENTLY"
    return await someone.login()


@reaches("ACCOUNT_SCHEDULED_FOR_DELETION@403")
async def scheduled_for_deletion(server: Server) -> httpx.Response:
    someone = await person(server)
    body = {"user_id": someone.id, "reason_code": 2, "days_until_deletion": 14}
    await admin(server).ok("POST", "/admin/users/schedule-deletion", body)
    return await someone.login()


@reaches("ACCOUNT_SUSPICIOUS_ACTIVITY@403")
async def suspicious(server: Server) -> httpx.Response:
    someone = await person(server)
    body = {"user_id": someone.id, "flags": 1}
    await admin(server).ok("POST", "/admin/users/update-suspicious-activity-flags", body)
    assert (await someone.ok("GET", "/users/@me"))["required_actions"] == ["REQUIRE_VERIFIED_EMAIL"]
    answer = await someone.call("GET", "/users/@me/guilds")
    assert answer.json()["data"] == {"suspicious_activity_flags": 1}
    await someone.ok("POST", "/auth/verify/resend")
    await someone.ok("POST", "/auth/verify", {"token": await someone.mail("verify")})
    await someone.ok("GET", "/users/@me/guilds")
    return answer


@reaches("EMAIL_VERIFICATION_REQUIRED@403")
async def email_verification(server: Server) -> httpx.Response:
    owner, member = await person(server), await person(server, verified=False)
    place = await guild(owner)
    await owner.ok("PATCH", f"/guilds/{place.id}", {"verification_level": 1})
    await place.admit(member)
    return await member.call("POST", f"/channels/{place.text}/messages", {"content": "hi"})


async def _at_level(server: Server, level: int, minutes: int = 0) -> httpx.Response:
    owner, member = await person(server), await person(server)
    place = await guild(owner)
    await owner.ok("PATCH", f"/guilds/{place.id}", {"verification_level": level})
    if level == 3:
        await server.sandbox.clock(minutes * 60)
    await place.admit(member)
    if level == 4:
        await server.sandbox.clock(minutes * 60)
    return await member.call("POST", f"/channels/{place.text}/messages", {"content": "hi"})


@reaches("ACCOUNT_TOO_NEW_FOR_GUILD@403")
async def too_new(server: Server) -> httpx.Response:
    return await _at_level(server, 2)


@reaches("GUILD_VERIFICATION_REQUIRED@403")
async def not_long_enough(server: Server) -> httpx.Response:
    return await _at_level(server, 3, 6)


@reaches("GUILD_PHONE_VERIFICATION_REQUIRED@403")
async def guild_phone(server: Server) -> httpx.Response:
    return await _at_level(server, 4, 11)


@reaches("COMMUNICATION_DISABLED@403")
async def timed_out(server: Server) -> httpx.Response:
    owner, member = await person(server), await person(server)
    place = await guild(owner)
    await place.admit(member)
    until = {"communication_disabled_until": "2099-01-01T00:00:00Z"}
    far = await owner.call("PATCH", f"/guilds/{place.id}/members/{member.id}", until)
    assert far.json()["errors"][0]["code"] == "TIMEOUT_TOO_LONG"
    from datetime import UTC, datetime, timedelta

    until = {"communication_disabled_until": (datetime.now(UTC) + timedelta(days=2)).isoformat()}
    said = await place.say(owner)
    await owner.ok("PATCH", f"/guilds/{place.id}/members/{member.id}", until)
    thumb = f"/channels/{place.text}/messages/{said['id']}/reactions/%F0%9F%91%8D/@me"
    assert (await member.call("PUT", thumb)).json()["code"] == "COMMUNICATION_DISABLED"
    return await member.call("POST", f"/channels/{place.text}/messages", {"content": "hi"})


@reaches("IP_AUTHORIZATION_REQUIRED@403")
async def new_address_asked(server: Server) -> httpx.Response:
    someone = await person(server)
    elsewhere = new_address()
    answer = await someone.login(address=elsewhere)
    told = answer.json()
    assert (told["ip_authorization_required"], told["email"], told["resend_available_in"]) == (
        True,
        someone.email,
        30,
    )
    await stranger(server).ok("POST", "/auth/authorize-ip", {"token": await someone.mail("authorize-ip")})
    polled = await stranger(server).ok("GET", f"/auth/ip-authorization/poll?ticket={told['ticket']}")
    assert polled["completed"]
    assert polled["user_id"] == someone.id
    assert (await someone.login(address=elsewhere)).status_code == 200
    return answer


@reaches("TWO_FACTOR_REQUIRED@403")
async def two_factor(server: Server) -> httpx.Response:
    owner, member = await person(server), await person(server)
    place = await guild(owner)
    await place.admit(member)
    await place.role(KICK_MEMBERS, member)
    body = {"mfa_level": 1, "password": "correct horse battery"}
    await owner.ok("PATCH", f"/guilds/{place.id}", body)
    off = {"code": "000000", "password": "correct horse battery"}
    assert (await member.call("POST", "/users/@me/mfa/totp/disable", off)).json()[
        "code"
    ] == "TWO_FACTOR_REQUIRED"
    return await member.call("DELETE", f"/guilds/{place.id}/members/{member.id}")


# -- oauth2 ---------------------------------------------------------------------------------------------------


async def _token(server: Server, **form: str) -> httpx.Response:
    return await stranger(server).call("POST", "/oauth2/token", data=form)


@reaches("INVALID_CLIENT@401")
async def invalid_client(server: Server) -> httpx.Response:
    answer = await _token(server, grant_type="refresh_token", client_id="1", client_secret="x")
    assert answer.json()["error"] == "invalid_client"
    return answer


@reaches("INVALID_CLIENT_SECRET@401")
async def invalid_client_secret(server: Server) -> httpx.Response:
    _, application = await bot(await person(server))
    missing = await _token(server, grant_type="refresh_token", client_id=application["id"])
    assert missing.json()["code"] == "INVALID_CLIENT_SECRET"
    return await _token(server, grant_type="refresh_token", client_id=application["id"], client_secret="x")


@reaches("INVALID_GRANT@400")
async def invalid_grant(server: Server) -> httpx.Response:
    user = await person(server)
    _, application = await bot(user, redirect_uris=[URI, URI + "/other"])
    secrets = {"client_id": application["id"], "client_secret": application["client_secret"]}
    _, another = await bot(user, redirect_uris=[URI])
    theirs = {"client_id": another["id"], "client_secret": another["client_secret"]}
    given = {"grant_type": "authorization_code", "code": await _code(user, application), "redirect_uri": URI}
    elsewhere = await _token(server, **{**given, "redirect_uri": URI + "/other"}, **secrets)
    assert elsewhere.json()["code"] == "INVALID_GRANT"
    given["code"] = await _code(user, application)
    tokens = (await _token(server, **given, **secrets)).json()
    for again in (
        {**given, **secrets},
        {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"], **theirs},
    ):
        assert (await _token(server, **again)).json()["code"] == "INVALID_GRANT", again
    return await _token(server, grant_type="authorization_code", code="bogus", redirect_uri=URI, **secrets)


async def _code(user: Person, application: dict[str, Any]) -> str:
    asked = {
        "client_id": application["id"],
        "scope": "identify",
        "response_type": "code",
        "redirect_uri": URI,
    }
    given = await user.ok("POST", "/oauth2/authorize/consent", asked)
    return str(httpx.URL(given["redirect_to"]).params["code"])


@reaches("UNSUPPORTED_GRANT_TYPE@400")
async def unsupported_grant_type(server: Server) -> httpx.Response:
    return await _token(server, grant_type="password")


async def _consent(server: Server, **body: Any) -> httpx.Response:
    user = await person(server)
    _, application = await bot(user, redirect_uris=[URI])
    asked = {
        "client_id": application["id"],
        "response_type": "code",
        "redirect_uri": URI,
        "scope": "identify",
    }
    return await user.call("POST", "/oauth2/authorize/consent", {**asked, **body})


@reaches("INVALID_SCOPE@400")
async def invalid_scope(server: Server) -> httpx.Response:
    for scope in ("", "admin"):
        assert (await _consent(server, scope=scope)).json()["code"] == "INVALID_SCOPE"
    return await _consent(server, scope="identify teleport")


@reaches("INVALID_REDIRECT_URI@400")
async def invalid_redirect_uri(server: Server) -> httpx.Response:
    return await _consent(server, redirect_uri=URI + "/")


@reaches("UNSUPPORTED_RESPONSE_TYPE@400")
async def unsupported_response_type(server: Server) -> httpx.Response:
    return await _consent(server, response_type="token")


@reaches("INVALID_PERMISSIONS_INTEGER@400")
async def invalid_permissions(server: Server) -> httpx.Response:
    assert (await _consent(server, permissions="1.5")).json()["code"] == "INVALID_PERMISSIONS_INTEGER"
    owner = await person(server)
    place = await guild(owner)
    for value in ("abc", "", 1.5, True, [], str(1 << 63)):
        body = {"name": "role", "permissions": value}
        answer = await owner.call("POST", f"/guilds/{place.id}/roles", body)
        assert answer.json()["code"] == "INVALID_PERMISSIONS_INTEGER", value
    return await owner.call(
        "PUT", f"/channels/{place.text}/permissions/{place.id}", {"type": 0, "allow": "x"}
    )


@reaches("INVALID_PERMISSIONS_NEGATIVE@400")
async def negative_permissions(server: Server) -> httpx.Response:
    owner = await person(server)
    place = await guild(owner)
    return await owner.call("POST", f"/guilds/{place.id}/roles", {"name": "role", "permissions": "-1"})


@reaches("MISSING_OAUTH_SCOPE@403")
async def missing_scope(server: Server) -> httpx.Response:
    user = await person(server)
    _, application = await bot(user, redirect_uris=[URI])
    holder = await bearer(user, application, "identify")
    answer = await holder.call("GET", "/users/@me/guilds")
    assert answer.json()["required_scope"] == "guilds"
    return answer


@reaches("MISSING_OAUTH_ADMIN_SCOPE@403")
async def missing_admin_scope(server: Server) -> httpx.Response:
    user = await person(server)
    await admin(server).ok("POST", "/admin/users/set-acls", {"user_id": user.id, "acls": ["*"]})
    _, application = await bot(user, redirect_uris=[URI])
    holder = await bearer(user, application, "identify")
    return await holder.call("POST", "/admin/users/lookup", {"query": "x"})


@reaches("BOT_IS_PRIVATE@403")
async def private_bot(server: Server) -> httpx.Response:
    owner, other = await person(server), await person(server)
    _, application = await bot(owner, bot_public=False)
    place = await guild(other)
    body = {"client_id": application["id"], "scope": "bot", "guild_id": place.id}
    return await other.call("POST", "/oauth2/authorize/consent", body)


@reaches("BOT_ALREADY_IN_GUILD@400")
async def bot_twice(server: Server) -> httpx.Response:
    owner = await person(server)
    _, application = await bot(owner)
    place = await guild(owner)
    await add_bot(owner, application["id"], place.id)
    body = {"client_id": application["id"], "scope": "bot", "guild_id": place.id}
    return await owner.call("POST", "/oauth2/authorize/consent", body)


@reaches("UNCLAIMED_ACCOUNT_CANNOT_CREATE_APPLICATIONS@400")
async def unclaimed(server: Server) -> httpx.Response:
    someone = stranger(server)
    body = {"username": "nobody", "date_of_birth": "1990-01-01", "consent": True}
    someone.authorization = (await someone.ok("POST", "/auth/register", body))["token"]
    return await someone.call("POST", "/oauth2/applications", {"name": "mine"})


# -- validation -----------------------------------------------------------------------------------------------


@reaches("VALIDATION_ERROR@400")
async def validation(server: Server) -> httpx.Response:
    owner = await person(server)
    for body in (b"{", b"[]", b'{"name":"\xff"}', b'{"name":"a","name":"b"}', b'{"name":"   "}', b""):
        answer = await owner.call(
            "POST", "/guilds", content=body, headers={"Content-Type": "application/json"}
        )
        assert answer.json()["code"] == "VALIDATION_ERROR", body
    assert (await owner.call("GET", "/guilds/abc")).json()["code"] == "VALIDATION_ERROR"
    tree = await owner.call("POST", "/guilds", {}, headers={"X-Error-Format": "tree"})
    assert tree.json()["errors"]["name"]["_errors"][0]["code"] == "REQUIRED"
    return await owner.call("POST", "/guilds", {})


# -- limits ---------------------------------------------------------------------------------------------------


@reaches("MAX_GUILDS@400", community__limits__max_guilds=2)
async def max_guilds(server: Server) -> httpx.Response:
    owner, other = await person(server), await person(server)
    place = await guild(other)
    await guild(owner)
    await guild(owner)
    assert (await owner.call("POST", f"/invites/{await place.invite()}")).json()["code"] == "MAX_GUILDS"
    return await owner.call("POST", "/guilds", {"name": "third"})


@reaches("MAX_GUILD_MEMBERS@400", community__limits__max_guild_members=2)
async def max_guild_members(server: Server) -> httpx.Response:
    owner, second, third = [await person(server) for _ in range(3)]
    place = await guild(owner)
    await place.admit(second)
    return await third.call("POST", f"/invites/{await place.invite()}")


@reaches("MAX_GUILD_CHANNELS@400", community__limits__max_guild_channels=5)
async def max_guild_channels(server: Server) -> httpx.Response:
    owner = await person(server)
    place = await guild(owner)
    await owner.ok("POST", f"/guilds/{place.id}/channels", {"name": "fifth", "type": 0})
    return await owner.call("POST", f"/guilds/{place.id}/channels", {"name": "sixth", "type": 0})


@reaches("MAX_GUILD_ROLES@400", community__limits__max_guild_roles=2)
async def max_guild_roles(server: Server) -> httpx.Response:
    owner = await person(server)
    place = await guild(owner)
    await place.role(0)
    return await owner.call("POST", f"/guilds/{place.id}/roles", {"name": "third"})


@reaches("MAX_CATEGORY_CHANNELS@400", community__limits__max_category_channels=1)
async def max_category_channels(server: Server) -> httpx.Response:
    owner = await person(server)
    place = await guild(owner)
    body = {"name": "second", "type": 0, "parent_id": place.category}
    (inside,) = [
        each["id"]
        for each in await owner.ok("GET", f"/guilds/{place.id}/channels")
        if each.get("parent_id") == place.category
    ][:1]
    outside = place.voice if inside == place.text else place.text
    await owner.ok("PATCH", f"/channels/{outside}", {"parent_id": None})
    for method, path, moved in (
        ("PATCH", f"/channels/{outside}", {"parent_id": place.category}),
        ("PATCH", f"/guilds/{place.id}/channels", [{"id": outside, "parent_id": place.category}]),
    ):
        refused = await owner.call(method, path, moved)
        assert refused.json()["code"] == "MAX_CATEGORY_CHANNELS", path
    return await owner.call("POST", f"/guilds/{place.id}/channels", body)


@reaches("MAX_PINS_PER_CHANNEL@400", community__limits__max_pins_per_channel=1)
async def max_pins(server: Server) -> httpx.Response:
    owner = await person(server)
    place = await guild(owner)
    first, second = await place.say(owner), await place.say(owner)
    for _ in range(2):
        await owner.ok("PUT", f"/channels/{place.text}/pins/{first['id']}")
    return await owner.call("PUT", f"/channels/{place.text}/pins/{second['id']}")


@reaches("MAX_INVITES@400", community__limits__max_invites=1)
async def max_invites(server: Server) -> httpx.Response:
    owner = await person(server)
    place = await guild(owner)
    assert await place.invite() == await place.invite()
    return await owner.call("POST", f"/channels/{place.text}/invites", {"unique": True})


# -- messages and channels ------------------------------------------------------------------------------------


@reaches("CANNOT_SEND_EMPTY_MESSAGE@400")
async def empty_message(server: Server) -> httpx.Response:
    owner = await person(server)
    place = await guild(owner)
    said = await place.say(owner)
    edit = await owner.call("PATCH", f"/channels/{place.text}/messages/{said['id']}", {"content": " "})
    assert edit.json()["code"] == "CANNOT_SEND_EMPTY_MESSAGE"
    return await owner.call("POST", f"/channels/{place.text}/messages", {"content": " \n "})


@reaches("CANNOT_SEND_MESSAGES_IN_NON_TEXT_CHANNEL@400")
async def non_text(server: Server) -> httpx.Response:
    owner = await person(server)
    place = await guild(owner)
    link = {"name": "link", "type": 998, "url": "https://example.test/"}
    link["id"] = (await owner.ok("POST", f"/guilds/{place.id}/channels", link))["id"]
    for channel in (place.category, link["id"]):
        for path, body in (("typing", None), ("messages", {"content": "hi"})):
            answer = await owner.call("POST", f"/channels/{channel}/{path}", body)
            assert answer.json()["code"] == "CANNOT_SEND_MESSAGES_IN_NON_TEXT_CHANNEL", path
    return await owner.call("POST", f"/channels/{place.voice}/messages", {"content": "hi"})


@reaches("CANNOT_EDIT_OTHER_USER_MESSAGE@403")
async def edit_other(server: Server) -> httpx.Response:
    owner, member = await person(server), await person(server)
    place = await guild(owner)
    await place.admit(member)
    said = await place.say(member)
    return await owner.call("PATCH", f"/channels/{place.text}/messages/{said['id']}", {"content": "x"})


@reaches("CONTENT_BLOCKED@403", community__blocked_words=["forbidden fruit"])
async def content_blocked(server: Server) -> httpx.Response:
    owner = await person(server)
    place = await guild(owner)
    answer = await owner.call("PATCH", f"/guilds/{place.id}", {"name": "Forbidden Fruit"})
    assert answer.json()["code"] == "CONTENT_BLOCKED"
    sample = b"FLUX-BLOCKED-CONTENT-SAMPLE\n"
    for method, path, body in (
        ("PATCH", "/users/@me", {"avatar": uri(sample)}),
        ("PATCH", f"/guilds/{place.id}", {"icon": uri(sample)}),
        ("POST", f"/guilds/{place.id}/emojis", {"name": "blocked", "image": uri(sample)}),
    ):
        refused = await owner.call(method, path, body)
        assert refused.json()["code"] == "CONTENT_BLOCKED", path
    said = await owner.call("POST", f"/channels/{place.text}/messages", files=form({}, ("x", sample)))
    assert said.json()["code"] == "CONTENT_BLOCKED"
    embed = {"embeds": [{"title": "FORBIDDEN fruit"}]}
    return await owner.call("POST", f"/channels/{place.text}/messages", embed)


@reaches("INVALID_CHANNEL_TYPE@400")
async def invalid_channel_type(server: Server) -> httpx.Response:
    owner = await person(server)
    place = await guild(owner)
    refused = await owner.call("PUT", f"/channels/{place.text}/recipients/{owner.id}")
    assert refused.json()["code"] == "INVALID_CHANNEL_TYPE"
    return await owner.call("POST", f"/guilds/{place.id}/channels", {"name": "news", "type": 5})


@reaches("UNKNOWN_VOICE_REGION@404")
async def unknown_voice_region(server: Server) -> httpx.Response:
    owner = await person(server)
    place = await guild(owner)
    return await owner.call("PATCH", f"/channels/{place.voice}", {"rtc_region": "nope"})


@reaches("USER_NOT_IN_VOICE@400")
async def user_not_in_voice(server: Server) -> httpx.Response:
    owner, member = await person(server), await person(server)
    place = await guild(owner)
    await place.admit(member)
    return await owner.call("PATCH", f"/guilds/{place.id}/members/{member.id}", {"channel_id": place.voice})


@reaches("CANNOT_MODIFY_VOICE_STATE@403")
async def cannot_modify_voice_state(server: Server) -> httpx.Response:
    owner, member = await person(server), await person(server)
    place = await guild(owner)
    await place.admit(member)
    await place.role(MUTE_MEMBERS, member)
    return await member.call("PATCH", f"/guilds/{place.id}/members/{owner.id}", {"mute": True})


# -- people -----------------------------------------------------------------------------------------------------


async def _friends(one: Person, *others: Person) -> None:
    for other in others:
        await one.ok("POST", f"/users/@me/relationships/{other.id}")
        await other.ok("PUT", f"/users/@me/relationships/{one.id}", {})


async def _direct(one: Person, other: Person) -> str:
    made = await one.ok("POST", "/users/@me/channels", {"recipient_id": other.id})
    return str(made["id"])


@reaches("CANNOT_SEND_MESSAGES_TO_USER@403")
async def cannot_write(server: Server) -> httpx.Response:
    one, other, outsider = [await person(server) for _ in range(3)]
    await _friends(one, other)
    channel = await _direct(one, other)
    await one.ok("POST", f"/channels/{channel}/messages", {"content": "hi"})
    await other.ok("PUT", f"/users/@me/relationships/{one.id}", {"type": 2})
    answer = await one.call("POST", "/users/@me/channels", {"recipient_id": outsider.id})
    assert answer.json()["code"] == "CANNOT_SEND_MESSAGES_TO_USER"
    return await one.call("POST", f"/channels/{channel}/messages", {"content": "hello?"})


@reaches("CANNOT_EXECUTE_ON_DM@400")
async def not_in_conversations(server: Server) -> httpx.Response:
    one, other = await person(server), await person(server)
    await _friends(one, other)
    channel = await _direct(one, other)
    bulk = await one.call("POST", f"/channels/{channel}/messages/bulk-delete", {"message_ids": ["1"]})
    assert bulk.json()["code"] == "CANNOT_EXECUTE_ON_DM"
    for method, path, body in (
        ("PUT", f"permissions/{other.id}", {"type": 1, "allow": "0", "deny": "0"}),
        ("POST", "webhooks", {"name": "hook"}),
    ):
        refused = await one.call(method, f"/channels/{channel}/{path}", body)
        assert refused.json()["code"] == "CANNOT_EXECUTE_ON_DM", path
    return await one.call("DELETE", f"/channels/{one.id}")


@reaches("MAX_FRIENDS@400", community__limits__max_friends=1)
async def max_friends(server: Server) -> httpx.Response:
    one, two, three = [await person(server) for _ in range(3)]
    await one.ok("POST", f"/users/@me/relationships/{two.id}")
    answer = await one.call("POST", f"/users/@me/relationships/{three.id}")
    assert answer.json()["max_relationships"] == 1
    return await three.call("POST", f"/users/@me/relationships/{two.id}")


@reaches("MAX_GROUP_DMS@400", community__limits__max_group_dms=1)
async def max_groups(server: Server) -> httpx.Response:
    one = await person(server)
    await one.ok("POST", "/users/@me/channels", {"recipients": []})
    return await one.call("POST", "/users/@me/channels", {"recipients": []})


@reaches("MAX_GROUP_DM_RECIPIENTS@400")
async def max_group_recipients(server: Server) -> httpx.Response:
    one = await person(server)
    return await one.call("POST", "/users/@me/channels", {"recipients": [str(each) for each in range(10)]})


@reaches("MAX_REACTIONS@400", community__limits__max_reactions=1)
async def max_reactions(server: Server) -> httpx.Response:
    owner = await person(server)
    place = await guild(owner)
    said = await place.say(owner)
    where = f"/channels/{place.text}/messages/{said['id']}/reactions"
    for _ in range(2):
        await owner.ok("PUT", f"{where}/%F0%9F%91%8D/@me")
    return await owner.call("PUT", f"{where}/%F0%9F%91%8E/@me")


@reaches("MAX_BOOKMARKS@400", community__limits__max_bookmarks=1)
async def max_bookmarks(server: Server) -> httpx.Response:
    owner = await person(server)
    place = await guild(owner)
    first, second = await place.say(owner), await place.say(owner)
    for _ in range(2):
        await owner.ok(
            "POST", "/users/@me/saved-messages", {"channel_id": place.text, "message_id": first["id"]}
        )
    body = {"channel_id": place.text, "message_id": second["id"]}
    return await owner.call("POST", "/users/@me/saved-messages", body)


@reaches("UNKNOWN_EMOJI@404")
async def unknown_emoji(server: Server) -> httpx.Response:
    owner = await person(server)
    place = await guild(owner)
    said = await place.say(owner)
    where = f"/channels/{place.text}/messages/{said['id']}/reactions"
    assert (await owner.call("PUT", f"{where}/party:123/@me")).status_code == 404
    return await owner.call("PUT", f"{where}/x/@me")


@reaches("ALREADY_FRIENDS@400")
async def already_friends(server: Server) -> httpx.Response:
    one, other = await person(server), await person(server)
    await _friends(one, other)
    return await one.call("POST", f"/users/@me/relationships/{other.id}")


@reaches("FRIEND_REQUEST_BLOCKED@400")
async def request_blocked(server: Server) -> httpx.Response:
    one, other = await person(server), await person(server)
    await other.ok("PUT", f"/users/@me/relationships/{one.id}", {"type": 2})
    return await one.call("POST", f"/users/@me/relationships/{other.id}")


@reaches("CANNOT_SEND_FRIEND_REQUEST_TO_BLOCKED_USER@400")
async def request_to_blocked(server: Server) -> httpx.Response:
    one, other = await person(server), await person(server)
    await one.ok("PUT", f"/users/@me/relationships/{other.id}", {"type": 2})
    return await one.call("POST", f"/users/@me/relationships/{other.id}")


@reaches("CANNOT_SEND_FRIEND_REQUEST_TO_SELF@400")
async def request_to_self(server: Server) -> httpx.Response:
    one = await person(server)
    return await one.call("POST", f"/users/@me/relationships/{one.id}")


@reaches("BOTS_CANNOT_SEND_FRIEND_REQUESTS@400")
async def request_to_bot(server: Server) -> httpx.Response:
    one = await person(server)
    robot, _ = await bot(one)
    return await one.call("POST", f"/users/@me/relationships/{robot.id}")


@reaches("NO_USERS_WITH_FLUXERTAG_EXIST@400")
async def request_to_nobody(server: Server) -> httpx.Response:
    body = {"username": "nobody_has_this", "discriminator": "0001"}
    return await (await person(server)).call("POST", "/users/@me/relationships", body)


@reaches("NOT_FRIENDS_WITH_USER@400")
async def not_friends(server: Server) -> httpx.Response:
    one, other = await person(server), await person(server)
    return await one.call("POST", "/users/@me/channels", {"recipients": [other.id]})


# -- invites --------------------------------------------------------------------------------------------------


@reaches("UNKNOWN_INVITE@404")
async def unknown_invite(server: Server) -> httpx.Response:
    owner, one, two = [await person(server) for _ in range(3)]
    place = await guild(owner)
    code = await place.invite(max_uses=1)
    await one.ok("POST", f"/invites/{code}")
    assert (await two.call("POST", f"/invites/{code}")).json()["code"] == "UNKNOWN_INVITE"
    return await stranger(server).call("GET", "/invites/doesnotexist")


@reaches("INVITES_DISABLED@403")
async def invites_disabled(server: Server) -> httpx.Response:
    owner, other = await person(server), await person(server)
    place = await guild(owner)
    code = await place.invite()
    await owner.ok("PATCH", f"/guilds/{place.id}", {"features": ["INVITES_DISABLED", "VERIFIED"]})
    assert (await owner.ok("GET", f"/guilds/{place.id}"))["features"] == ["INVITES_DISABLED"]
    return await other.call("POST", f"/invites/{code}")


@reaches("USER_BANNED_FROM_GUILD@403")
async def banned_from_guild(server: Server) -> httpx.Response:
    owner, other = await person(server), await person(server)
    place = await guild(owner)
    await place.admit(other)
    await owner.ok("PUT", f"/guilds/{place.id}/bans/{other.id}")
    return await other.call("POST", f"/invites/{await place.invite()}")


@reaches("USER_IP_BANNED_FROM_GUILD@403")
async def address_banned_from_guild(server: Server) -> httpx.Response:
    owner, other, friend = [await person(server) for _ in range(3)]
    place = await guild(owner)
    await owner.ok("PUT", f"/guilds/{place.id}/bans/{other.id}", {"reason": "noise"})
    friend.address = other.address
    return await friend.call("POST", f"/invites/{await place.invite()}")


@reaches("TEMPORARY_INVITE_REQUIRES_PRESENCE@400")
async def temporary_invite(server: Server) -> httpx.Response:
    owner, other = await person(server), await person(server)
    place = await guild(owner)
    return await other.call("POST", f"/invites/{await place.invite(temporary=True)}")


# -- security -------------------------------------------------------------------------------------------------


async def _register(server: Server, **headers: str) -> httpx.Response:
    body = {"username": "nobody", "date_of_birth": "1990-01-01", "consent": True}
    return await stranger(server).call("POST", "/auth/register", body, headers=headers)


@reaches("CAPTCHA_REQUIRED@400", community__captcha__provider="sandbox")
async def captcha_required(server: Server) -> httpx.Response:
    return await _register(server)


@reaches("INVALID_CAPTCHA@400", community__captcha__provider="sandbox")
async def invalid_captcha(server: Server) -> httpx.Response:
    assert (await _register(server, **{"X-Captcha-Token": "ok"})).status_code == 200
    return await _register(server, **{"X-Captcha-Token": "not ok"})


@reaches("SUDO_MODE_REQUIRED@403")
async def sudo_required(server: Server) -> httpx.Response:
    answer = await (await person(server)).call("POST", "/users/@me/delete", {})
    assert answer.json()["has_mfa"] is False
    return answer


@reaches("INVALID_SUDO_TOKEN@401")
async def invalid_sudo_token(server: Server) -> httpx.Response:
    someone = await person(server)
    return await someone.call("POST", "/users/@me/delete", {}, headers={"X-Fluxer-Sudo-Mode-JWT": "x.y.z"})


@reaches("TAG_ALREADY_TAKEN@400")
async def tag_taken(server: Server) -> httpx.Response:
    one, two = await person(server), await person(server)
    tag = await one.ok("GET", "/users/@me")
    body = {"username": tag["username"].upper(), "discriminator": tag["discriminator"]}
    return await two.call("PATCH", "/users/@me", {**body, "password": "correct horse battery"})


@reaches("USER_OWNS_GUILDS@400")
async def owns_guilds(server: Server) -> httpx.Response:
    someone = await person(server)
    await guild(someone)
    return await someone.call("POST", "/users/@me/disable", {"password": "correct horse battery"})


# -- the server and the wire ----------------------------------------------------------------------------------


async def _with_fault(server: Server, port: str, mode: str) -> httpx.Response:
    owner = await unlimited(await person(server))
    place = await guild(owner)
    await server.sandbox.fault(port, mode, seconds=0.1)
    return await owner.call("GET", f"/guilds/{place.id}")


@reaches("INTERNAL_SERVER_ERROR@500")
async def internal_error(server: Server) -> httpx.Response:
    return await _with_fault(server, "handler", "error")


@reaches("SERVICE_UNAVAILABLE@503")
async def service_unavailable(server: Server) -> httpx.Response:
    answer = await _with_fault(server, "realtime", "unavailable")
    assert answer.headers["retry-after"] == "5"
    return answer


@reaches("BAD_GATEWAY@502")
async def bad_gateway(server: Server) -> httpx.Response:
    return await _with_fault(server, "realtime", "garbage")


@reaches("GATEWAY_TIMEOUT@504")
async def gateway_timeout(server: Server) -> httpx.Response:
    return await _with_fault(server, "realtime", "timeout")


@reaches("NOT_IMPLEMENTED@501")
async def not_implemented(server: Server) -> httpx.Response:
    return await (await person(server)).call("GET", "/tenor/search?q=cat")


@reaches("NOT_FOUND@404")
async def not_found(server: Server) -> httpx.Response:
    return await stranger(server).call("GET", "/no/such/path")


@reaches("METHOD_NOT_ALLOWED@405")
async def method_not_allowed(server: Server) -> httpx.Response:
    answer = await stranger(server).call("DELETE", "/auth/login")
    assert answer.headers["allow"] == "POST"
    return answer


@reaches("REQUEST_BODY_TOO_LARGE@413")
async def body_too_large(server: Server) -> httpx.Response:
    owner = await person(server)
    headers = {"Content-Type": "application/json"}
    return await owner.call("POST", "/read-states/ack-bulk", content=b" " * 1_100_000, headers=headers)


@reaches("URI_TOO_LONG@414")
async def uri_too_long(server: Server) -> httpx.Response:
    return await stranger(server).call("GET", "/gateway?" + "x" * 9000)


@reaches("HEADERS_TOO_LARGE@431")
async def headers_too_large(server: Server) -> httpx.Response:
    return await stranger(server).call("GET", "/gateway", headers={"X-Long": "x" * 40_000})


@reaches("SIMULATION_REFUSED@400")
async def simulation_refused(server: Server) -> httpx.Response:
    return await stranger(server).call("GET", "/gateway", headers={"X-Flux-Simulate": "NO_SUCH_CODE"})


SCENARIOS |= community_places.SCENARIOS
SETTINGS |= community_places.SETTINGS

ELSEWHERE = {"REQUEST_TIMEOUT@408"}
"""Reached below by a client that stalls, on a server of less patience."""


def fits(name: str, status: int, body: bytes) -> None:
    assert f"{json.loads(body)['code']}@{status}" == name
    assert CommunityEnvelope().fits(status, body) is None


@asynccontextmanager
async def _witnessed(directory: Path, database: str, settings: dict[str, Any]) -> AsyncIterator[Witness]:
    with EmbeddedNats.start(directory / "nats") as nats:
        settings = {**settings, "bus.url": nats.url}
        async with (
            serve(directory / "server", database=database, settings=settings) as running,
            witness(running, nats.url) as seen,
        ):
            yield seen


@pytest.fixture(scope="module")
async def seen(server_database: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Witness]:
    async with _witnessed(tmp_path_factory.mktemp(server_database), server_database, {}) as seen:
        yield seen


@pytest.fixture(scope="module")
async def small(server_database: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Witness]:
    """On a server with the settings of all scenarios that ask for some."""
    settings: dict[str, Any] = {}
    for name, wanted in SETTINGS.items():
        assert all(settings.get(key, value) == value for key, value in wanted.items()), name
        settings |= wanted
    async with _witnessed(tmp_path_factory.mktemp(server_database), server_database, settings) as seen:
        yield seen


@pytest.fixture(scope="module")
def server(seen: Witness) -> Server:
    return seen.server


async def leaves_by_a_real_door(name: str, seen: Witness) -> None:
    before = seen.refusals
    try:
        answer = await SCENARIOS[name](seen.server)
    finally:
        await seen.server.sandbox.clear()
    fits(name, answer.status_code, answer.content)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"]
    assert seen.refusals > before
    code = name.partition("@")[0]
    assert (code in LEAVES) == (code in seen.left), "LEAVES names what is left, and nothing that is not"


@pytest.mark.parametrize("name", sorted(SCENARIOS.keys() - SETTINGS.keys()))
async def test_the_code_leaves_by_a_real_door_and_nothing_changes(seen: Witness, name: str) -> None:
    await leaves_by_a_real_door(name, seen)


@pytest.mark.parametrize("name", sorted(SETTINGS))
async def test_the_code_of_a_small_limit_does_too(small: Witness, name: str) -> None:
    await leaves_by_a_real_door(name, small)


async def test_a_row_that_a_refusal_left_would_be_noticed(seen: Witness) -> None:
    with pytest.raises(AssertionError, match=r"UNKNOWN_GUILD and yet changed \['community_notes'"):
        await _refused_meanwhile(seen, "PUT", "/users/@me/notes/{0.id}", {"note": "hm"})


async def test_an_event_that_a_refusal_told_would_be_noticed(seen: Witness) -> None:
    with pytest.raises(
        AssertionError, match=r"UNKNOWN_GUILD and yet told \['TYPING_START on community\.guild"
    ):
        await _refused_meanwhile(seen, "POST", "/channels/{1.text}/typing", None)


async def _refused_meanwhile(seen: Witness, method: str, path: str, body: Any) -> None:
    """Somebody does that while another is refused."""
    owner = await person(seen.server)
    place = await guild(owner)
    async with seen.server.client() as http:
        request = http.build_request("GET", f"{API}/guilds/1", headers={"Authorization": owner.authorization})
        await seen.asked(request)
        url, headers = API + path.format(owner, place), {"Authorization": owner.authorization}
        done = await http.request(method, url, json=body, headers=headers)
        assert done.status_code == 204, done.text
        answer = await http.send(request)
        assert answer.json()["code"] == "UNKNOWN_GUILD"
        await seen.answered(answer)


async def test_a_client_that_stalls_is_told_and_let_go(tmp_path: Path) -> None:
    async with serve(tmp_path, settings={"server.body_seconds": 0.3}) as server:
        url = urlsplit(server.origin)
        reader, writer = await asyncio.open_connection(url.hostname, url.port)
        writer.write(f"POST {API}/auth/login HTTP/1.1\r\nHost: flux\r\nContent-Length: 50\r\n\r\n{{".encode())
        async with asyncio.timeout(30):
            status = await reader.readline()
            length = 0
            while (line := await reader.readline()).strip():
                if line.lower().startswith(b"content-length:"):
                    length = int(line.partition(b":")[2])
            fits("REQUEST_TIMEOUT@408", int(status.split()[1]), await reader.readexactly(length))
        writer.close()


def test_every_code_is_reached_or_owed() -> None:
    owed = set((ALLOW / "community.txt").read_text("utf-8").split())
    declared = {f"{fault.code}@{fault.status}" for fault in community}
    assert SCENARIOS.keys() | ELSEWHERE | owed == declared
    assert not owed & (SCENARIOS.keys() | ELSEWHERE)


async def test_each_code_is_simulated_on_request(server: Server) -> None:
    for fault in community:
        name = f"{fault.code}@{fault.status}"
        answer = await stranger(server).call("GET", "/gateway", headers={"X-Flux-Simulate": name})
        fits(name, answer.status_code, answer.content)
