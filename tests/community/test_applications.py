"""What owners do with their applications, and what of them everybody sees: over real servers on both databases."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.community.actors import PASSWORD, bearer, bot, guild, person, stranger
from tests.harness.server import Server

BASE = "/oauth2/applications"
BACK = "https://app.example/back"
SUDO = {"password": PASSWORD}


def code_of(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_an_application_belongs_to_its_owner(server: Server) -> None:
    owner, other = await person(server), await person(server)
    actor, made = await bot(owner, redirect_uris=[BACK])
    path = f"{BASE}/{made['id']}"
    for method, at, body in (
        ("GET", path, None),
        ("PATCH", path, {"name": "mine"}),
        ("PATCH", f"{path}/bot", {"bio": "mine"}),
        ("DELETE", path, SUDO),
        ("POST", f"{path}/bot/reset-token", SUDO),
        ("POST", f"{path}/client-secret/reset", SUDO),
    ):
        for whoever in (other, actor):
            assert code_of(await whoever.call(method, at, body)) == (403, "FORBIDDEN"), at
        assert code_of(await stranger(server).call(method, at, body)) == (401, "UNAUTHORIZED"), at
        missing = at.replace(made["id"], "1")
        assert code_of(await owner.call(method, missing, body)) == (404, "UNKNOWN_APPLICATION"), at
    for shown in (
        await owner.ok("GET", path),
        *await owner.ok("GET", f"{BASE}/@me"),
        *await owner.ok("GET", "/users/@me/applications"),
    ):
        assert (shown["id"], shown["name"], shown["bot"]["id"]) == (made["id"], "Test bot", actor.id)
        assert "client_secret" not in shown and "token" not in shown["bot"]
    assert await other.ok("GET", f"{BASE}/@me") == []


async def test_everybody_sees_who_would_ask_them(server: Server) -> None:
    owner = await person(server)
    actor, made = await bot(owner, redirect_uris=[BACK])
    shown = await stranger(server).ok("GET", f"{BASE}/{made['id']}/public")
    bot_ = shown.pop("bot")
    assert shown == {
        "id": made["id"],
        "name": "Test bot",
        "icon": None,
        "description": None,
        "redirect_uris": [BACK],
        "scopes": shown["scopes"],
        "bot_public": True,
    }
    assert {"identify", "guilds", "bot"} <= set(shown["scopes"])
    assert bot_["id"] == actor.id and "token" not in bot_
    missing = await stranger(server).call("GET", f"{BASE}/1/public")
    assert code_of(missing) == (404, "UNKNOWN_APPLICATION")
    me = await actor.ok("GET", "/applications/@me")
    assert (me["id"], me["bot"]["id"]) == (made["id"], actor.id)


async def test_a_new_client_secret_replaces_the_old_one(server: Server) -> None:
    owner, user = await person(server), await person(server)
    _, made = await bot(owner, redirect_uris=[BACK])
    path = f"{BASE}/{made['id']}/client-secret/reset"
    assert code_of(await owner.call("POST", path, {})) == (403, "SUDO_MODE_REQUIRED")
    wrong = await owner.call("POST", path, {"password": "not my password"})
    assert wrong.json()["errors"][0]["path"] == "password"
    granted = await bearer(user, made)
    fresh = await owner.ok("POST", path, SUDO)
    assert fresh["client_secret"] not in ("", made["client_secret"])
    form = {"token": "x", "client_id": made["id"]}
    for route in ("/oauth2/introspect", "/oauth2/token/revoke", "/oauth2/token"):
        old = {
            **form,
            "client_secret": made["client_secret"],
            "grant_type": "refresh_token",
            "refresh_token": "x",
        }
        refused = await stranger(server).call("POST", route, data=old)
        assert code_of(refused) == (401, "INVALID_CLIENT_SECRET"), route
        assert refused.json()["error"] == "invalid_client"
    right = {**form, "client_secret": fresh["client_secret"]}
    assert (await stranger(server).ok("POST", "/oauth2/introspect", data=right)) == {"active": False}
    assert (await granted.ok("GET", "/users/@me"))["id"] == user.id, "what was granted stays"


async def test_of_many_resets_at_once_the_last_one_holds(server: Server) -> None:
    owner = await person(server)
    _, made = await bot(owner)
    path = f"{BASE}/{made['id']}/bot/reset-token"
    answers = await asyncio.gather(*(owner.call("POST", path, SUDO) for _ in range(4)))
    tokens = [answer.json()["token"] for answer in answers if answer.status_code == 200]
    assert len(tokens) == 4 == len(set(tokens))
    alive = []
    for token in (*tokens, made["bot"]["token"]):
        answer = await stranger(server).call("GET", "/users/@me", headers={"Authorization": f"Bot {token}"})
        alive.append(answer.status_code)
    assert sorted(alive) == [200, 401, 401, 401, 401]


async def test_an_application_that_is_deleted_takes_all_it_held(server: Server) -> None:
    owner, user = await person(server), await person(server)
    actor, made = await bot(owner, redirect_uris=[BACK])
    granted = await bearer(user, made, "identify guilds")
    place = await guild(user)
    await user.ok(
        "POST", "/oauth2/authorize/consent", {"client_id": made["id"], "scope": "bot", "guild_id": place.id}
    )
    assert len(await user.ok("GET", "/oauth2/@me/authorizations")) == 1
    await owner.ok("DELETE", f"{BASE}/{made['id']}", SUDO)
    for gone in (granted, actor):
        assert code_of(await gone.call("GET", "/users/@me")) == (401, "UNAUTHORIZED")
    assert await user.ok("GET", "/oauth2/@me/authorizations") == []
    members = await user.ok("GET", f"/guilds/{place.id}/members?limit=10")
    assert [each["user"]["id"] for each in members] == [user.id]
    form = {"token": "x", "client_id": made["id"], "client_secret": made["client_secret"]}
    refused = await stranger(server).call("POST", "/oauth2/introspect", data=form)
    assert code_of(refused) == (401, "INVALID_CLIENT")
    asked = {"client_id": made["id"], "scope": "identify", "response_type": "code", "redirect_uri": BACK}
    assert code_of(await user.call("POST", "/oauth2/authorize/consent", asked)) == (401, "INVALID_CLIENT")
    assert code_of(await stranger(server).call("GET", f"{BASE}/{made['id']}/public")) == (
        404,
        "UNKNOWN_APPLICATION",
    )


async def test_where_an_application_may_send_people(server: Server) -> None:
    owner = await person(server)
    _, made = await bot(owner)
    path = f"{BASE}/{made['id']}"
    for uris in ([BACK, "app+x://done"], [], None):
        changed = await owner.ok("PATCH", path, {"redirect_uris": uris})
        assert changed["redirect_uris"] == (uris or [])
    for bad in (
        "javascript:alert(1)",
        "javascript://x",
        "data://x",
        "/relative",
        "https://x/#a",
        "",
        "x" * 9000,
        5,
        None,
    ):
        refused = await owner.call("PATCH", path, {"redirect_uris": [BACK, bad]})
        assert code_of(refused) == (400, "VALIDATION_ERROR"), bad
        assert refused.json()["errors"][0]["path"] == "redirect_uris.1", bad
    many = await owner.call(
        "PATCH", path, {"redirect_uris": [f"https://x{each}.example/" for each in range(11)]}
    )
    assert code_of(many) == (400, "VALIDATION_ERROR")
    assert (await owner.ok("GET", path))["redirect_uris"] == []


async def test_whether_a_tag_is_taken(server: Server) -> None:
    someone = await person(server)
    tag = (await someone.ok("GET", "/users/@me"))["discriminator"]

    async def taken(username: str, discriminator: str) -> Any:
        query = {"username": username, "discriminator": discriminator}
        return await someone.call("GET", "/users/check-tag", params=query)

    assert (await taken(someone.username, tag)).json() == {"taken": True}
    assert (await taken(someone.username.upper(), str(int(tag)))).json() == {"taken": True}
    other = f"{int(tag) % 9999 + 1:04d}"
    assert (await taken(someone.username, other)).json() == {"taken": False}
    for username, discriminator in (
        (someone.username, "x"),
        (someone.username, "12345"),
        (someone.username, "-1"),
        (someone.username, "٣"),
        ("", tag),
        ("x" * 33, tag),
    ):
        refused = await taken(username, discriminator)
        assert code_of(refused) == (400, "VALIDATION_ERROR"), (username, discriminator)


async def test_a_channel_can_be_unread_again(server: Server) -> None:
    owner, other = await person(server), await person(server)
    place = await guild(owner)
    await place.admit(other)
    said = await place.say(owner, "read me")
    path = f"/channels/{place.text}/messages"
    await other.ok("POST", f"{path}/{said['id']}/ack", {"mention_count": 0})
    assert (await other.call("DELETE", f"{path}/ack")).status_code == 204
    assert (await other.call("DELETE", f"{path}/ack")).status_code == 204
    foreign = await person(server)
    assert code_of(await foreign.call("DELETE", f"{path}/ack")) == (403, "MISSING_ACCESS")
    assert code_of(await other.call("DELETE", "/channels/1/messages/ack")) == (404, "UNKNOWN_CHANNEL")
