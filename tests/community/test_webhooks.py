"""Webhooks: made with a login, used with a token, in three dialects; and their tokens stay secret."""

from __future__ import annotations

import json

import pytest
from tests.community.actors import API, Guild, Person, guild, person, stranger, unlimited
from tests.community.pictures import form, still, uri
from tests.harness.server import Server

from flux.community.webhooks.schemas import Foreign, SlackAttachment, SlackField, SlackMessage
from flux.community.webhooks.translating import from_github, from_sentry, from_slack


async def place(server: Server) -> tuple[Person, Guild, dict[str, str]]:
    owner = await unlimited(await person(server))
    where = await guild(owner)
    hook = await owner.ok(
        "POST", f"/channels/{where.text}/webhooks", {"name": "Hook", "avatar": uri(still())}
    )
    return owner, where, hook


async def test_who_has_the_token_speaks(server: Server) -> None:
    owner, where, hook = await place(server)
    program = stranger(server)
    path = f"/webhooks/{hook['id']}/{hook['token']}"
    assert (await program.call("POST", path, {"content": "quiet"})).status_code == 204
    said = await program.ok("POST", f"{path}?wait=true", {"content": "hi", "username": "Someone"})
    assert (said["author"]["username"], said["author"]["id"], said["webhook_id"]) == (
        "Someone",
        hook["id"],
        hook["id"],
    )
    assert said["author"]["avatar"] == hook["avatar"]
    read = await owner.ok("GET", f"/channels/{where.text}/messages")
    assert [each["author"]["username"] for each in read] == ["Someone", "Hook"]
    files = await program.call("POST", f"{path}?wait=true", files=form({}, ("a.png", still())))
    assert files.json()["attachments"][0]["filename"] == "a.png"
    edited = await program.ok("PATCH", f"{path}/messages/{said['id']}", {"content": "bye"})
    assert (edited["content"], edited["author"]["username"]) == ("bye", "Someone")
    assert (await program.ok("GET", f"{path}/messages/{said['id']}"))["content"] == "bye"
    await program.ok("DELETE", f"{path}/messages/{said['id']}")
    assert (await program.call("GET", f"{path}/messages/{said['id']}")).json()["code"] == "UNKNOWN_MESSAGE"
    empty = await program.call("POST", path, {"content": " "})
    assert empty.json()["code"] == "CANNOT_SEND_EMPTY_MESSAGE"


async def test_a_webhook_changes_only_what_it_said(server: Server) -> None:
    owner, where, hook = await place(server)
    said = await where.say(owner)
    path = f"/webhooks/{hook['id']}/{hook['token']}/messages/{said['id']}"
    for method, body in (("GET", None), ("PATCH", {"content": "x"}), ("DELETE", None)):
        answer = await stranger(server).call(method, path, body)
        assert answer.json()["code"] == "UNKNOWN_MESSAGE"


async def test_managing_with_a_login_and_with_the_token(server: Server) -> None:
    owner, where, hook = await place(server)
    program = stranger(server)
    path = f"/webhooks/{hook['id']}/{hook['token']}"
    assert "user" in await owner.ok("GET", f"/webhooks/{hook['id']}")
    assert "user" not in await program.ok("GET", path)
    other = await owner.ok("POST", f"/guilds/{where.id}/channels", {"name": "other", "type": 0})
    stayed = await program.ok("PATCH", path, {"name": "Renamed", "channel_id": other["id"]})
    assert (stayed["name"], stayed["channel_id"]) == ("Renamed", where.text)
    moved = await owner.ok("PATCH", f"/webhooks/{hook['id']}", {"channel_id": other["id"], "avatar": None})
    assert (moved["channel_id"], moved["avatar"]) == (other["id"], None)
    member = await person(server)
    await where.admit(member)
    for method, at in (("GET", f"/webhooks/{hook['id']}"), ("GET", f"/guilds/{where.id}/webhooks")):
        assert (await member.call(method, at)).json()["code"] == "MISSING_PERMISSIONS"
    wrong = await owner.call("POST", f"/channels/{where.voice}/webhooks", {"name": "x"})
    assert wrong.json()["code"] == "INVALID_CHANNEL_TYPE"
    await program.ok("DELETE", path)
    assert (await program.call("GET", path)).json()["code"] == "UNKNOWN_WEBHOOK"
    log = await owner.ok("GET", f"/guilds/{where.id}/audit-logs?action_type=51")
    assert {change["key"] for change in log["audit_log_entries"][0]["changes"]} == {"avatar", "channel_id"}


async def test_other_dialects(server: Server) -> None:
    owner, where, hook = await place(server)
    path = f"{API}/webhooks/{hook['id']}/{hook['token']}"
    slack = {
        "text": "deployed <https://example.test/2|v2>",
        "attachments": [
            {"color": "good", "title": "v2", "fields": [{"title": "a", "value": "b"}], "ts": "1500000000.5"}
        ],
    }
    answer = await server.http.post(f"{path}/slack", json=slack)
    assert (answer.status_code, answer.text) == (200, "ok")
    (said,) = await owner.ok("GET", f"/channels/{where.text}/messages?limit=1")
    assert said["content"] == "deployed [v2](https://example.test/2)"
    assert said["embeds"][0]["timestamp"].startswith("2017-07-14T02:40:00")
    answer = await server.http.post(
        f"{path}/slack", json={"attachments": [{"title": "when?", "ts": "later"}]}
    )
    assert answer.status_code == 200
    answer = await server.http.post(f"{path}/slack", data={"payload": json.dumps({"text": "form"})})
    assert answer.status_code == 200
    push = {
        "ref": "refs/heads/main", "compare": "https://example.test/c", "repository": {"full_name": "a/b"},
        "sender": {"login": "ada"}, "commits": [{"id": "0123456789", "message": "Fix\n\nmore", "url": "https://example.test/1"}],
    }  # fmt: skip
    for event, body in (("push", push), ("push", {}), ("workflow_run", {})):
        answer = await server.http.post(f"{path}/github", json=body, headers={"X-GitHub-Event": event})
        assert answer.status_code == 204
    answer = await server.http.post(f"{path}/sentry", json={"data": {"event": {"title": "Boom"}}})
    assert answer.status_code == 204
    said = await owner.ok("GET", f"/channels/{where.text}/messages")
    assert [each["embeds"][0]["title"] if each["embeds"] else each["content"] for each in said] == [
        "Boom", "[a/b] 1 new commit on main", "form", "when?", "v2",
    ]  # fmt: skip
    for dialect in ("slack", "github", "sentry"):
        answer = await server.http.post(f"{API}/webhooks/{hook['id']}/wrong/{dialect}", json={})
        assert answer.json()["code"] == "UNKNOWN_WEBHOOK"


async def test_tokens_are_not_in_the_log(server: Server) -> None:
    _, _, hook = await place(server)
    path = f"{API}/webhooks/{hook['id']}/{hook['token']}"
    await server.http.post(path, json={"content": "hi"})
    await server.http.post(path, content=b"{", headers={"Content-Type": "application/json"})
    await server.sandbox.fault("handler", "error")
    assert (await server.http.post(path, json={"content": "hi"})).status_code == 500
    await server.sandbox.clear()
    assert hook["token"] not in server.log()


def test_slack_in_our_words() -> None:
    fields = [SlackField("a", "b", True), SlackField("", "dropped")]
    one = SlackAttachment(
        title="t" * 300, color="#ff0000", text="x", fields=fields, image_url="javascript:alert(1)", ts=1e30
    )
    said = from_slack(SlackMessage(text="hello", username="u" * 100, icon_url="ftp://x", attachments=[one]))
    assert said.content == "hello" and said.username is not None and len(said.username) == 80
    assert said.avatar_url is None and said.embeds is not None
    embed = said.embeds[0]
    assert embed.title is not None and len(embed.title) == 256
    assert (embed.color, embed.image, embed.timestamp) == (0xFF0000, None, None)
    assert embed.fields is not None and len(embed.fields) == 1


@pytest.mark.parametrize(
    ("event", "body", "title"),
    [
        ("issues", {"action": "opened", "issue": {"number": 1, "title": "Bug"}}, "Issue opened: #1 Bug"),
        ("issues", {"action": "labeled", "issue": {"number": 1}}, None),
        (
            "pull_request",
            {"action": "closed", "pull_request": {"merged": True, "number": 2}},
            "Pull request merged: #2 ",
        ),
        ("release", {"action": "published", "release": {"tag_name": "v1"}}, "Release published: v1"),
        ("create", {"ref_type": "branch", "ref": "x"}, "branch created: x"),
        ("star", {"action": "created"}, "New star"),
        ("check_run", {}, None),
        ("issue_comment", {"action": "created", "issue": {"number": 1, "title": 5}}, "New comment on #1 "),
    ],
)
def test_github_in_our_words(event: str, body: dict[str, object], title: str | None) -> None:
    said = from_github(event, Foreign(**body))  # type: ignore[arg-type]
    if title is None:
        assert said is None
    else:
        assert said is not None and said.embeds
        assert said.embeds[0].title == f"[] {title}".strip()


def test_sentry_without_a_title_is_nothing() -> None:
    assert from_sentry(Foreign(data={"event": "x"})) is None
