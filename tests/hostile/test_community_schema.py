"""schemathesis over the community document; see attacks.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.community.actors import API, Actor
from tests.community.pictures import form, still, uri
from tests.harness.server import Server
from tests.hostile.attacks import EMAIL, PASSWORD, no_input_makes_the_server_fail


async def places(server: Server) -> dict[str, str]:
    """A guild of whoever attacks, with one of everything in it."""
    answer = await server.http.post(f"{API}/auth/login", json={"email": EMAIL, "password": PASSWORD})
    me = Actor(server, "127.0.0.1", answer.json()["token"])
    me.id = (await me.ok("GET", "/users/@me"))["id"]
    guild = (await me.ok("POST", "/guilds", {"name": "Target"}))["id"]
    at = f"/guilds/{guild}"
    channel = next(each["id"] for each in await me.ok("GET", f"{at}/channels") if each["type"] == 0)
    said = await me.ok("POST", f"/channels/{channel}/messages", files=form({"content": "hi"}, ("a", b"x")))
    image = {"name": "dot", "image": uri(still())}
    hook = await me.ok("POST", f"/channels/{channel}/webhooks", {"name": "hook"})
    role = (await me.ok("POST", f"{at}/roles", {"name": "role"}))["id"]
    attachment = said["attachments"][0]["id"]
    application = await me.ok("POST", "/oauth2/applications", {"name": "app"})
    return {
        "guild_id": guild, "guild": guild, "channel_id": channel, "channel": channel, "message_id": said["id"],
        "user_id": me.id, "owner": me.id, "role_id": role, "overwrite_id": role, "attachment_id": attachment,
        "attachment": attachment, "emoji": "%F0%9F%91%8D", "webhook_id": hook["id"], "token": hook["token"],
        "emoji_id": (await me.ok("POST", f"{at}/emojis", image))["id"],
        "sticker_id": (await me.ok("POST", f"{at}/stickers", image))["id"],
        "invite_code": (await me.ok("POST", f"/channels/{channel}/invites", {}))["code"],
        "application_id": application["id"],
    }  # fmt: skip


async def again(
    server: Server, headers: dict[str, str], real: dict[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """The account and everything in its guild, made anew if any of it is gone."""
    guild, channel = real["guild_id"], real["channel_id"]
    for path in (
        f"/guilds/{guild}/emojis/{real['emoji_id']}",
        f"/guilds/{guild}/stickers/{real['sticker_id']}",
        f"/channels/{channel}/messages/{real['message_id']}",
        f"/webhooks/{real['webhook_id']}/{real['token']}",
        f"/invites/{real['invite_code']}",
        f"/oauth2/applications/{real['application_id']}",
    ):
        if not (await server.http.get(API + path, headers=headers)).is_success:
            break
    else:
        return headers, real
    answer = await server.http.post(f"{API}/auth/login", json={"email": EMAIL, "password": PASSWORD})
    assert answer.is_success, answer.text
    return {"Authorization": answer.json()["token"]}, await places(server)


BEARERS = frozenset(
    {
        "GET /oauth2/@me", "GET /oauth2/userinfo", "POST /oauth2/token", "POST /oauth2/token/revoke",
        "POST /oauth2/introspect",
    }
)  # fmt: skip
"""They know applications and their tokens, and no accounts."""


@pytest.mark.parametrize("known", [False, True], ids=["stranger", "known"])
async def test_no_input_makes_the_server_fail(tmp_path: Path, known: bool) -> None:
    await no_input_makes_the_server_fail(tmp_path, "community", known, places, again=again, closed=BEARERS)
