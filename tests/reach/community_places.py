"""Scenarios of files, expressions, webhooks and guilds; test_community.py runs them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
from tests.community.actors import PASSWORD, add_bot, bot, guild, person, stranger, unlimited
from tests.community.pictures import explicit, form, moving, still, uri
from tests.harness.server import Server

Scenario = Callable[[Server], Awaitable[httpx.Response]]
SCENARIOS: dict[str, Scenario] = {}
SETTINGS: dict[str, dict[str, Any]] = {}


def reaches(name: str, **settings: Any) -> Callable[[Scenario], Scenario]:
    """`settings` are for a server of the scenario's own."""

    def register(scenario: Scenario) -> Scenario:
        assert name not in SCENARIOS
        SCENARIOS[name] = scenario
        if settings:
            SETTINGS[name] = {key.replace("__", "."): value for key, value in settings.items()}
        return scenario

    return register


@reaches(
    "FILE_SIZE_TOO_LARGE@413", community__limits__attachment_bytes=1000, community__limits__avatar_bytes=1000
)
async def file_too_large(server: Server) -> httpx.Response:
    owner = await person(server)
    place = await guild(owner)
    icon = await owner.call("PATCH", f"/guilds/{place.id}", {"icon": uri(still() + b"x" * 1000)})
    assert icon.json()["code"] == "FILE_SIZE_TOO_LARGE"
    path = f"/channels/{place.text}/messages"
    answer = await owner.call("POST", path, files=form({}, ("a", b"x" * 1001)))
    assert answer.json()["max_size"] == 1000
    assert await owner.ok("GET", path) == []
    assert (await owner.ok("GET", f"/guilds/{place.id}"))["icon"] is None
    return answer


@reaches("MESSAGE_TOTAL_ATTACHMENT_SIZE_TOO_LARGE@413", community__limits__message_attachments_bytes=1500)
async def files_too_large(server: Server) -> httpx.Response:
    owner = await person(server)
    place = await guild(owner)
    path = f"/channels/{place.text}/messages"
    answer = await owner.call("POST", path, files=form({}, ("a", b"x" * 900), ("b", b"x" * 900)))
    assert await owner.ok("GET", path) == []
    return answer


@reaches("RANGE_NOT_SATISFIABLE@416")
async def no_such_part(server: Server) -> httpx.Response:
    owner = await person(server)
    place = await guild(owner)
    sent = await owner.ok(
        "POST", f"/channels/{place.text}/messages", files=form({}, ("a.txt", b"0123456789"))
    )
    url = sent["attachments"][0]["url"]
    for part in ("bytes=10-", "bytes=10-20", "bytes=-0"):
        answer = await server.http.get(url, headers={"Range": part})
        assert answer.headers["content-range"] == "bytes */10"
    return answer


@reaches("EXPLICIT_CONTENT_CANNOT_BE_SENT@403")
async def explicit_content(server: Server) -> httpx.Response:
    owner = await person(server)
    place = await guild(owner)
    await owner.ok("PATCH", f"/guilds/{place.id}", {"explicit_content_filter": 2})
    for method, at, body in (
        ("PATCH", "/users/@me", {"avatar": uri(explicit())}),
        ("PATCH", f"/guilds/{place.id}", {"icon": uri(explicit())}),
        ("POST", f"/guilds/{place.id}/emojis", {"name": "bare", "image": uri(explicit())}),
    ):
        refused = await owner.call(method, at, body)
        assert refused.json()["code"] == "EXPLICIT_CONTENT_CANNOT_BE_SENT", at
    path = f"/channels/{place.text}/messages"
    answer = await owner.call("POST", path, files=form({"content": "look"}, ("a.png", explicit())))
    assert answer.json()["probability"] == 0.99
    assert await owner.ok("GET", path) == []
    return answer


async def _fill(server: Server, path: str, body: dict[str, Any], count: int) -> httpx.Response:
    """Make `count` of something at `/guilds/{id}/<path>`; the answer to one more, after which there are as many."""
    owner = await unlimited(await person(server))
    place = await guild(owner)
    for number in range(count):
        await owner.ok("POST", f"/guilds/{place.id}/{path}", {**body, "name": f"number_{number}"})
    answer = await owner.call("POST", f"/guilds/{place.id}/{path}", {**body, "name": "more"})
    assert answer.json()["max"] == count
    assert len(await owner.ok("GET", f"/guilds/{place.id}/{path}")) == count
    return answer


@reaches("MAX_EMOJIS@400")
async def max_emojis(server: Server) -> httpx.Response:
    return await _fill(server, "emojis", {"image": uri(still())}, 50)


@reaches("MAX_ANIMATED_EMOJIS@400")
async def max_animated_emojis(server: Server) -> httpx.Response:
    return await _fill(server, "emojis", {"image": uri(moving())}, 50)


@reaches("MAX_STICKERS@400")
async def max_stickers(server: Server) -> httpx.Response:
    return await _fill(server, "stickers", {"image": uri(still())}, 50)


@reaches("UNKNOWN_STICKER@404")
async def unknown_sticker(server: Server) -> httpx.Response:
    owner = await person(server)
    place = await guild(owner)
    return await owner.call("GET", f"/guilds/{place.id}/stickers/1")


@reaches("MAX_WEBHOOKS_PER_CHANNEL@400")
async def max_webhooks_per_channel(server: Server) -> httpx.Response:
    owner = await unlimited(await person(server))
    place = await guild(owner)
    path = f"/channels/{place.text}/webhooks"
    for _ in range(15):
        await owner.ok("POST", path, {"name": "hook"})
    other = await owner.ok("POST", f"/guilds/{place.id}/channels", {"name": "other", "type": 0})
    made = await owner.ok("POST", f"/channels/{other['id']}/webhooks", {"name": "hook"})
    moved = await owner.call("PATCH", f"/webhooks/{made['id']}", {"channel_id": place.text})
    assert moved.json()["code"] == "MAX_WEBHOOKS_PER_CHANNEL"
    answer = await owner.call("POST", path, {"name": "hook"})
    assert len(await owner.ok("GET", path)) == 15
    return answer


@reaches("MAX_WEBHOOKS_PER_GUILD@400", community__limits__max_webhooks_per_guild=1)
async def max_webhooks_per_guild(server: Server) -> httpx.Response:
    owner = await person(server)
    place = await guild(owner)
    await owner.ok("POST", f"/channels/{place.text}/webhooks", {"name": "hook"})
    answer = await owner.call("POST", f"/channels/{place.text}/webhooks", {"name": "hook"})
    assert len(await owner.ok("GET", f"/guilds/{place.id}/webhooks")) == 1
    return answer


@reaches("UNKNOWN_WEBHOOK@404")
async def unknown_webhook(server: Server) -> httpx.Response:
    owner = await person(server)
    place = await guild(owner)
    made = await owner.ok("POST", f"/channels/{place.text}/webhooks", {"name": "hook"})
    assert (await owner.call("GET", "/webhooks/1")).json()["code"] == "UNKNOWN_WEBHOOK"
    return await stranger(server).call("POST", f"/webhooks/{made['id']}/{'x' * 68}", {"content": "hi"})


@reaches("CANNOT_TRANSFER_OWNERSHIP_TO_BOT@400")
async def bot_owner(server: Server) -> httpx.Response:
    owner = await person(server)
    place = await guild(owner)
    robot, application = await bot(owner)
    await add_bot(owner, application["id"], place.id)
    body = {"new_owner_id": robot.id, "password": PASSWORD}
    return await owner.call("POST", f"/guilds/{place.id}/transfer-ownership", body)


@reaches("VANITY_URL_TAKEN@409")
async def vanity_taken(server: Server) -> httpx.Response:
    from tests.community.actors import admin

    places = []
    for _ in range(2):
        owner = await person(server)
        place = await guild(owner)
        body = {"guild_id": place.id, "add_features": ["VANITY_URL"]}
        await admin(server).ok("POST", "/admin/guilds/update-features", body)
        places.append(place)
    code = f"v{places[0].id[-12:]}"
    first, second = places
    assert (await first.owner.ok("PATCH", f"/guilds/{first.id}/vanity-url", {"code": code})) == {"code": code}
    answer = await second.owner.call("PATCH", f"/guilds/{second.id}/vanity-url", {"code": code.upper()})
    assert (await second.owner.ok("GET", f"/guilds/{second.id}/vanity-url"))["code"] is None
    return answer
