"""Everything that has a published length, count or size: the most there may be is taken, one more is refused by name.

Limits that a code of its own tells (`MAX_…`) and that can be raced for are in test_limits.py.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tests.community.actors import Guild, Person, admin, guild, person, unlimited
from tests.community.pictures import form, still, uri
from tests.harness.rows import write
from tests.harness.server import Server

KIB, MIB = 1024, 1_048_576
SAY = "POST /channels/{text}/messages"


@dataclass
class World:
    server: Server
    owner: Person
    friend: Person
    place: Guild
    names: dict[str, str] = field(default_factory=dict)


@pytest.fixture(scope="module")
async def world(server: Server) -> AsyncIterator[World]:
    owner, friend = [await unlimited(await person(server)) for _ in range(2)]
    place = await guild(owner)
    await place.admit(friend)
    features = {"guild_id": place.id, "add_features": ["VANITY_URL"]}
    await admin(server).ok("POST", "/admin/guilds/update-features", features)
    hook = await owner.ok("POST", f"/channels/{place.text}/webhooks", {"name": "hook"})
    said = await place.say(owner)
    image = {"image": uri(still())}
    names = {
        "guild": place.id, "text": place.text, "voice": place.voice, "friend": friend.id, "hook": hook["id"],
        "outlaw": (await person(server)).id,
        "message": said["id"], "role": await place.role(0),
        "emoji": (await owner.ok("POST", f"/guilds/{place.id}/emojis", {"name": "dot", **image}))["id"],
        "sticker": (await owner.ok("POST", f"/guilds/{place.id}/stickers", {"name": "dot", **image}))["id"],
    }  # fmt: skip
    yield World(server, owner, friend, place, names)


@dataclass
class Edge:
    """`body` makes a request's body of a number; `most` fits and `most + 1` does not, or `least` and `least - 1`."""

    route: str
    body: Callable[[int], Any]
    most: int
    path: str
    least: int | None = None


def text(name: str, /, **more: Any) -> Callable[[int], Any]:
    return lambda count: {**more, name: "x" * count}


def number(name: str, /, **more: Any) -> Callable[[int], Any]:
    return lambda count: {**more, name: count}


def embed(**made: Callable[[int], Any]) -> Callable[[int], Any]:
    return lambda count: {"embeds": [{"title": "t"} | {name: make(count) for name, make in made.items()}]}


def fields(name: str) -> Callable[[int], Any]:
    return embed(fields=lambda count: [{"name": "n", "value": "v"} | {name: "x" * count}])


def later(**span: int) -> str:
    return (datetime.now(UTC) + timedelta(**span)).isoformat()


EDGES = [
    Edge(SAY, text("content"), 2000, "content"),
    Edge(SAY, lambda count: {"content": "x", "nonce": f"{'n' * count}"}, 32, "nonce"),
    Edge(SAY, lambda count: {"embeds": [{"title": "t"}] * count}, 10, "embeds"),
    Edge(SAY, embed(title=lambda count: "x" * count), 256, "embeds"),
    Edge(SAY, embed(description=lambda count: "x" * count), 4096, "embeds"),
    Edge(SAY, embed(footer=lambda count: {"text": "x" * count}), 2048, "embeds"),
    Edge(SAY, embed(author=lambda count: {"name": "x" * count}), 256, "embeds"),
    Edge(SAY, embed(fields=lambda count: [{"name": "n", "value": "v"}] * count), 25, "embeds"),
    Edge(SAY, fields("name"), 256, "embeds"),
    Edge(SAY, fields("value"), 1024, "embeds"),
    Edge(SAY, embed(color=lambda count: count), 0xFFFFFF, "embeds", 0),
    Edge(
        SAY, lambda count: {"content": "x", "allowed_mentions": {"users": [str(each) for each in range(count)]}}, 100,
        "allowed_mentions",
    ),
    Edge("PATCH /channels/{text}/messages/{message}", text("content"), 2000, "content"),
    Edge(
        "POST /channels/{text}/messages/bulk-delete", lambda count: {"message_ids": [str(1 + each) for each in range(count)]},
        100, "message_ids", 1,
    ),
    Edge("POST /guilds", text("name"), 100, "name", 1),
    Edge("PATCH /guilds/{guild}", text("name"), 100, "name", 1),
    Edge("PATCH /guilds/{guild}", number("afk_timeout"), 3600, "afk_timeout", 60),
    Edge("POST /guilds/{guild}/channels", text("name", type=0), 100, "name", 1),
    Edge("PATCH /channels/{text}", text("name"), 100, "name", 1),
    Edge("PATCH /channels/{text}", text("topic"), 1024, "topic"),
    Edge("PATCH /channels/{text}", number("rate_limit_per_user"), 21_600, "rate_limit_per_user", 0),
    Edge("PATCH /channels/{voice}", number("bitrate"), 320_000, "bitrate", 8000),
    Edge("PATCH /channels/{voice}", number("user_limit"), 99, "user_limit", 0),
    Edge(
        "PATCH /channels/{voice}",
        lambda count: {"permission_overwrites": [{"id": str(1 + each), "type": 1, "deny": "64"} for each in range(count)]},
        500, "permission_overwrites",
    ),
    Edge("POST /guilds/{guild}/roles", text("name"), 100, "name", 1),
    Edge("POST /guilds/{guild}/roles", number("color", name="r"), 0xFFFFFF, "color", 0),
    Edge("PATCH /guilds/{guild}/members/{friend}", text("nick"), 32, "nick"),
    Edge("PATCH /guilds/{guild}/members/@me", text("bio"), 320, "bio"),
    Edge("PATCH /guilds/{guild}/members/@me", text("pronouns"), 40, "pronouns"),
    Edge("PUT /guilds/{guild}/bans/{outlaw}", text("reason"), 512, "reason"),
    Edge("PUT /guilds/{guild}/bans/{outlaw}", number("delete_message_days"), 7, "delete_message_days", 0),
    Edge("POST /channels/{text}/invites", number("max_age"), 604_800, "max_age", 0),
    Edge("POST /channels/{text}/invites", number("max_uses"), 100, "max_uses", 0),
    Edge("POST /guilds/{guild}/emojis", text("name", image=uri(still())), 32, "name", 2),
    Edge("PATCH /guilds/{guild}/emojis/{emoji}", text("name"), 32, "name", 2),
    Edge("POST /guilds/{guild}/stickers", text("name", image=uri(still())), 30, "name", 2),
    Edge("PATCH /guilds/{guild}/stickers/{sticker}", text("description", name="dot"), 500, "description"),
    Edge("PATCH /guilds/{guild}/stickers/{sticker}", lambda count: {"name": "dot", "tags": ["t"] * count}, 10, "tags"),
    Edge("PATCH /guilds/{guild}/stickers/{sticker}", lambda count: {"name": "dot", "tags": ["t" * count]}, 30, "tags"),
    Edge("POST /channels/{text}/webhooks", text("name"), 80, "name", 1),
    Edge("PATCH /webhooks/{hook}", text("name"), 80, "name", 1),
    Edge("PATCH /guilds/{guild}/vanity-url", lambda count: {"code": "v" * count}, 32, "code", 2),
    Edge("PATCH /users/@me", text("global_name"), 32, "global_name"),
    Edge("PATCH /users/@me", text("bio"), 320, "bio"),
    Edge("PATCH /users/@me", text("pronouns"), 40, "pronouns"),
    Edge("PATCH /users/@me", number("accent_color"), 0xFFFFFF, "accent_color", 0),
    Edge("PATCH /users/@me/settings", lambda count: {"custom_status": {"text": "x" * count}}, 128, "custom_status"),
    Edge("PUT /users/@me/notes/{friend}", text("note"), 256, "note"),
    Edge(
        "POST /read-states/ack-bulk",
        lambda count: {"read_states": [{"channel_id": "{text}", "message_id": "{message}"}] * count}, 100, "read_states", 1,
    ),
    Edge("POST /users/@me/preload-messages", lambda count: {"channels": ["{text}"] * count}, 100, "channels"),
    Edge("GET /channels/{text}/messages?limit=%d", lambda count: None, 100, "limit", 1),
    Edge("GET /guilds/{guild}/members?limit=%d", lambda count: None, 1000, "limit", 1),
    Edge("GET /users/@me/guilds?limit=%d", lambda count: None, 200, "limit", 1),
    Edge("GET /channels/{text}/messages/pins?limit=%d", lambda count: None, 50, "limit", 1),
    Edge("GET /guilds/{guild}/audit-logs?limit=%d", lambda count: None, 100, "limit", 1),
]  # fmt: skip


def _filled(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled(each, names) for key, each in value.items()}
    if isinstance(value, list):
        return [_filled(each, names) for each in value]
    if isinstance(value, str) and value.startswith("{"):
        return value.format(**names)
    return value


async def _ask(world: World, edge: Edge, count: int) -> tuple[bool, str, list[str]]:
    """Whether it was taken, else its code and the paths that are named."""
    method, _, path = edge.route.partition(" ")
    at = path.format(**world.names)
    answer = await world.owner.call(
        method, at % count if "%" in at else at, _filled(edge.body(count), world.names)
    )
    if answer.is_success:
        return True, "", []
    told = answer.json()
    return False, told["code"], [each["path"] for each in told.get("errors", [])]


@pytest.mark.parametrize("edge", EDGES, ids=lambda edge: f"{edge.route} {edge.path}")
async def test_the_most_is_taken_and_one_more_is_not(world: World, edge: Edge) -> None:
    assert await _ask(world, edge, edge.most) == (True, "", [])
    taken, code, paths = await _ask(world, edge, edge.most + 1)
    assert (taken, code) == (False, "VALIDATION_ERROR")
    assert paths[0].startswith(edge.path)
    if edge.least is not None:
        assert (await _ask(world, edge, edge.least))[0]
        taken, code, paths = await _ask(world, edge, edge.least - 1)
        assert (taken, code) == (False, "VALIDATION_ERROR")
        assert paths[0].startswith(edge.path)


async def test_only_the_published_spans_of_bans_and_a_year_of_silence(world: World) -> None:
    owner, guild_id = world.owner, world.place.id
    spans = (0, 3600, 43_200, 86_400, 259_200, 432_000, 604_800, 1_209_600, 2_592_000)
    for seconds in spans:
        await owner.ok(
            "PUT", f"/guilds/{guild_id}/bans/{world.names['outlaw']}", {"ban_duration_seconds": seconds}
        )
    for seconds in (-1, 1, 3601, 2_592_001):
        refused = await owner.call(
            "PUT", f"/guilds/{guild_id}/bans/{world.names['outlaw']}", {"ban_duration_seconds": seconds}
        )
        assert refused.json()["errors"][0]["path"] == "ban_duration_seconds"
    member = f"/guilds/{guild_id}/members/{world.friend.id}"
    await owner.ok("PATCH", member, {"communication_disabled_until": later(days=364, hours=23)})
    far = await owner.call("PATCH", member, {"communication_disabled_until": later(days=365, hours=1)})
    assert far.json()["errors"][0]["path"] == "communication_disabled_until"
    await owner.ok("PATCH", member, {"communication_disabled_until": None})


# -- bytes ----------------------------------------------------------------------------------------------------


def picture_of(size: int) -> bytes:
    """An image of exactly so many bytes."""
    begun = still()
    return begun + b"\0" * (size - len(begun))


@pytest.mark.parametrize(
    ("route", "name", "most"),
    [
        ("POST /guilds/{guild}/emojis", "image", 384 * KIB),
        ("POST /guilds/{guild}/stickers", "image", 512 * KIB),
        ("PATCH /users/@me", "avatar", 10 * MIB),
        ("PATCH /users/@me", "banner", 10 * MIB),
        ("PATCH /guilds/{guild}", "icon", 10 * MIB),
        ("PATCH /channels/{text}/webhook", "avatar", 10 * MIB),
    ],
)
async def test_images_have_their_published_sizes(world: World, route: str, name: str, most: int) -> None:
    method, _, path = route.partition(" ")
    at = path.format(**world.names)
    if at.endswith("/webhook"):
        at = f"/webhooks/{world.names['hook']}"
    more = {"name": "sized"} if method == "POST" else {}
    await world.owner.ok(method, at, {**more, name: uri(picture_of(most))})
    refused = await world.owner.call(method, at, {**more, name: uri(picture_of(most + 1))})
    assert (refused.status_code, refused.json()["code"]) == (413, "FILE_SIZE_TOO_LARGE")


async def test_files_have_their_published_sizes(world: World) -> None:
    """25 MiB each and 100 MiB together, without any setting."""
    owner, path = world.owner, f"/channels/{world.place.text}/messages"
    one = b"\0" * (25 * MIB)
    large = await owner.call("POST", path, files=form({}, ("a", one + b"x")), timeout=120)
    assert (large.status_code, large.json()["code"], large.json()["max_size"]) == (
        413,
        "FILE_SIZE_TOO_LARGE",
        len(one),
    )
    whole = await owner.call("POST", path, files=form({}, *[("a", one)] * 4), timeout=120)
    assert whole.status_code == 200, whole.text
    assert sum(each["size"] for each in whole.json()["attachments"]) == 100 * MIB
    too_much = await owner.call("POST", path, files=form({}, *[("a", one)] * 4, ("b", b"x")), timeout=120)
    assert (too_much.status_code, too_much.json()["code"]) == (413, "MESSAGE_TOTAL_ATTACHMENT_SIZE_TOO_LARGE")
    await owner.ok("DELETE", f"{path}/{whole.json()['id']}")


# -- who has more ---------------------------------------------------------------------------------------------


async def test_premium_accounts_write_longer(world: World) -> None:
    someone = await unlimited(await person(world.server))
    await write(
        world.server, "UPDATE community_users SET premium_type = $1 WHERE id = $2", [(1, int(someone.id))]
    )
    await world.place.admit(someone)
    path = f"/channels/{world.place.text}/messages"
    await someone.ok("POST", path, {"content": "x" * 4000})
    refused = await someone.call("POST", path, {"content": "x" * 4001})
    assert refused.json()["errors"][0]["path"] == "content"


@pytest.mark.parametrize(
    ("feature", "kind", "most", "code"),
    [
        ("MORE_EMOJI", "emojis", 250, "MAX_EMOJIS"),
        ("MORE_STICKERS", "stickers", 250, "MAX_STICKERS"),
        ("UNLIMITED_EMOJI", "emojis", None, ""),
        ("UNLIMITED_STICKERS", "stickers", None, ""),
    ],
)
async def test_guilds_with_more_room(
    world: World, feature: str, kind: str, most: int | None, code: str
) -> None:
    """Filled past the server from one that was made through the door."""
    owner = world.owner
    place = await guild(owner)
    await admin(world.server).ok(
        "POST", "/admin/guilds/update-features", {"guild_id": place.id, "add_features": [feature]}
    )
    at, body = f"/guilds/{place.id}/{kind}", {"name": "dot", "image": uri(still())}
    first = await owner.ok("POST", at, body)
    there = 260 if most is None else most - 1
    columns = {
        "emojis": "guild_id, name, creator_id, animated", "stickers": "guild_id, name, creator_id, animated, description, tags",
    }[kind]  # fmt: skip
    copied = f"INSERT INTO community_{kind} (id, hash, {columns}) SELECT $1, hash, {columns} FROM community_{kind} WHERE id = $2"
    await write(
        world.server, copied, [(int(first["id"]) - 1 - each, int(first["id"])) for each in range(there - 1)]
    )
    assert len(await owner.ok("GET", at)) == there
    await owner.ok("POST", at, body)
    refused = await owner.call("POST", at, body)
    assert (refused.json().get("code", "")) == code
    assert len(await owner.ok("GET", at)) == (there + 2 if most is None else most)


# -- raced for ------------------------------------------------------------------------------------------------


async def test_of_many_words_at_once_slowmode_lets_one_through(world: World) -> None:
    room = await world.owner.ok("POST", f"/guilds/{world.place.id}/channels", {"name": "slow", "type": 0})
    await world.owner.ok("PATCH", f"/channels/{room['id']}", {"rate_limit_per_user": 60})
    path = f"/channels/{room['id']}/messages"
    answers = await asyncio.gather(*(world.friend.call("POST", path, {"content": "x"}) for _ in range(12)))
    codes = sorted(answer.json().get("code", "") for answer in answers)
    assert codes == ["", *["SLOWMODE_RATE_LIMITED"] * 11]
    assert len(await world.owner.ok("GET", path)) == 1


async def test_an_invite_is_used_as_often_as_it_says(world: World) -> None:
    people = [await unlimited(await person(world.server)) for _ in range(8)]
    place = await guild(world.owner)
    code = await place.invite(max_uses=3)
    answers = await asyncio.gather(*(each.call("POST", f"/invites/{code}") for each in people))
    assert sorted(answer.json().get("code") for answer in answers) == sorted(
        [code] * 3 + ["UNKNOWN_INVITE"] * 5
    )
    assert (await world.owner.ok("GET", f"/guilds/{place.id}"))["member_count"] == 4


async def test_of_many_guilds_at_once_one_gets_the_code(world: World) -> None:
    places = []
    for _ in range(5):
        place = await guild(world.owner)
        body = {"guild_id": place.id, "add_features": ["VANITY_URL"]}
        await admin(world.server).ok("POST", "/admin/guilds/update-features", body)
        places.append(place)
    code = {"code": f"r{places[0].id[-14:]}"}
    calls = [world.owner.call("PATCH", f"/guilds/{each.id}/vanity-url", code) for each in places]
    answers = await asyncio.gather(*calls)
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409, 409]
