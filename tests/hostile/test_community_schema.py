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


@pytest.mark.parametrize("known", [False, True], ids=["stranger", "known"])
async def test_no_input_makes_the_server_fail(tmp_path: Path, known: bool) -> None:
    await no_input_makes_the_server_fail(tmp_path, "community", known, places)
