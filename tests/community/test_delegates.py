"""Applications that act for somebody, and bots as their owners dress them, over a real server."""

from __future__ import annotations

from tests.community.actors import add_bot, bearer, bot, guild, person
from tests.community.gateway import GatewayClient
from tests.community.pictures import still, uri
from tests.harness.server import Server

MINE = "/oauth2/@me/authorizations"


async def test_what_one_has_granted_is_listed_and_taken_back(server: Server) -> None:
    owner, user = await person(server), await person(server)
    _, application = await bot(owner, redirect_uris=["https://example.test/back"])
    assert await user.ok("GET", MINE) == []
    first = await bearer(user, application, "identify")
    second = await bearer(user, application, "identify guilds")
    (granted,) = await user.ok("GET", MINE)
    assert granted["application"] == {
        "id": application["id"], "name": "Test bot", "icon": None, "description": None, "bot_public": True,
    }  # fmt: skip
    assert granted["scopes"] == ["identify", "guilds"]
    assert granted["authorized_at"].endswith("Z")
    assert await owner.ok("GET", MINE) == []
    refused = await owner.call("DELETE", f"{MINE}/{application['id']}")
    assert refused.json()["code"] == "UNKNOWN_APPLICATION"
    assert (await second.call("GET", "/users/@me")).status_code == 200
    assert (await user.call("DELETE", f"{MINE}/{application['id']}")).status_code == 204
    for each in (first, second):
        assert (await each.call("GET", "/users/@me")).json()["code"] == "UNAUTHORIZED"
    assert await user.ok("GET", MINE) == []


async def test_a_bot_is_dressed_by_its_owner(server: Server) -> None:
    owner, other = await person(server), await person(server)
    robot, application = await bot(owner)
    place = await guild(other)
    await other.ok("PATCH", f"/guilds/{place.id}", {"name": "Ours"})
    await place.admit(owner)
    await add_bot(other, application["id"], place.id)
    path = f"/oauth2/applications/{application['id']}/bot"
    assert (await other.call("PATCH", path, {"bio": "mine"})).json()["code"] == "FORBIDDEN"
    assert (await owner.call("PATCH", "/oauth2/applications/1/bot", {})).json()[
        "code"
    ] == "UNKNOWN_APPLICATION"
    async with GatewayClient(other) as client:
        await client.identify()
        body = {"username": "Helper_2", "bio": "I help.", "avatar": uri(still())}
        shown = await owner.ok("PATCH", path, body)
        assert (shown["id"], shown["username"], shown["bio"]) == (robot.id, "Helper_2", "I help.")
        told = await client.event("GUILD_MEMBER_UPDATE")
    assert (told["user"]["id"], told["user"]["avatar"]) == (robot.id, shown["avatar"])
    assert (await robot.ok("GET", "/users/@me"))["username"] == "Helper_2"
    assert (await owner.ok("PATCH", path, {"avatar": None}))["avatar"] is None
    # Friendly to other bots, and nothing else that flags mean.
    await owner.ok("PATCH", path, {"bot_flags": 16 | 1 | 1 << 30})
    assert (await other.ok("GET", f"/users/{robot.id}"))["flags"] == 16
    await owner.ok("PATCH", path, {"bot_flags": 32, "bio": "I help."})
    assert (await owner.ok("GET", f"/oauth2/applications/{application['id']}"))["bot"]["flags"] == 32
    for bad in (-1, "16", 1 << 40, None):
        assert (await owner.call("PATCH", path, {"bot_flags": bad})).status_code == 400, bad
    refused = await owner.call("PATCH", path, {"username": "not a name"})
    assert [each["path"] for each in refused.json()["errors"]] == ["username"]
