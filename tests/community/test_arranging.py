"""How places and people look, and in which order they stand."""

from __future__ import annotations

import io

from PIL import Image
from tests.community.actors import API, Guild, Person, guild, person, unlimited
from tests.community.pictures import moving, still, uri
from tests.community.test_files import until
from tests.harness.server import Server


async def place(server: Server) -> tuple[Person, Guild]:
    owner = await unlimited(await person(server))
    return owner, await guild(owner)


async def test_pictures_of_accounts_guilds_and_members(server: Server) -> None:
    owner, where = await place(server)
    me = await owner.ok("PATCH", "/users/@me", {"avatar": uri(still("png", 64, 64)), "banner": uri(moving())})
    assert me["banner"].startswith("a_") and not me["avatar"].startswith("a_")
    shown = await server.http.get(f"{API}/avatars/{owner.id}/{me['avatar']}.webp?size=32")
    assert Image.open(io.BytesIO(shown.content)).size == (32, 32)
    assert (await server.http.get(f"{API}/banners/{owner.id}/{me['banner']}.gif")).content == moving()
    assert (await server.http.get(f"{API}/avatars/1/{me['avatar']}.webp")).status_code == 404
    made = await owner.ok(
        "PATCH",
        f"/guilds/{where.id}",
        {name: uri(still()) for name in ("icon", "banner", "splash", "embed_splash")},
    )
    for kind, name in (
        ("icons", "icon"),
        ("banners", "banner"),
        ("splashes", "splash"),
        ("embed-splashes", "embed_splash"),
    ):
        answer = await server.http.get(f"{API}/{kind}/{where.id}/{made[name]}.png")
        assert answer.content == still(), kind
    fresh = await owner.ok("POST", "/guilds", {"name": "with icon", "icon": uri(still())})
    assert (await server.http.get(f"{API}/icons/{fresh['id']}/{fresh['icon']}.png")).status_code == 200
    seen = await owner.ok("PATCH", f"/guilds/{where.id}/members/@me", {"avatar": uri(still()), "nick": "n"})
    path = f"{API}/guilds/{where.id}/users/{owner.id}/avatars/{seen['avatar']}.png"
    assert (seen["nick"], (await server.http.get(path)).content) == ("n", still())
    assert (await owner.ok("PATCH", "/users/@me", {"avatar": None}))["avatar"] is None
    bad = await owner.call("PATCH", "/users/@me", {"avatar": "nonsense"})
    assert bad.json()["errors"][0]["path"] == "avatar"


async def test_a_replaced_picture_is_swept(server: Server) -> None:
    owner, _ = await place(server)
    old = await owner.ok("PATCH", "/users/@me", {"avatar": uri(still())})
    new = await owner.ok("PATCH", "/users/@me", {"avatar": uri(still("gif"))})
    paths = [
        server.data_dir / "blobs" / "assets" / "avatar" / owner.id / each["avatar"] for each in (old, new)
    ]
    assert all(path.exists() for path in paths)
    await server.sandbox.clock(90_100)
    await until(lambda: not paths[0].exists())
    assert paths[1].exists()


async def test_channels_change_places_together(server: Server) -> None:
    owner, where = await place(server)
    made = [
        (await owner.ok("POST", f"/guilds/{where.id}/channels", {"name": f"c{number}", "type": 0}))["id"]
        for number in range(2)
    ]
    await owner.ok("PUT", f"/channels/{where.category}/permissions/{where.id}", {"type": 0, "deny": "2048"})
    wanted = [
        {"id": made[0], "position": 9},
        {"id": made[1], "position": 8, "parent_id": where.category, "lock_permissions": True},
    ]
    await owner.ok("PATCH", f"/guilds/{where.id}/channels", wanted)
    shown = {each["id"]: each for each in await owner.ok("GET", f"/guilds/{where.id}/channels")}
    assert (shown[made[0]]["position"], shown[made[1]]["position"]) == (9, 8)
    assert shown[made[1]]["parent_id"] == where.category
    assert shown[made[1]]["permission_overwrites"][0]["deny"] == "2048"
    for wrong in (
        {"id": "1", "position": 1},
        {"id": made[0], "parent_id": where.voice},
        {"id": where.category, "parent_id": where.category},
    ):
        refused = await owner.call(
            "PATCH", f"/guilds/{where.id}/channels", [{"id": made[1], "position": 1}, wrong]
        )
        assert refused.json()["code"] == "VALIDATION_ERROR"
    shown = {each["id"]: each for each in await owner.ok("GET", f"/guilds/{where.id}/channels")}
    assert shown[made[1]]["position"] == 8, "all or none"
    member = await person(server)
    await where.admit(member)
    assert (await member.call("PATCH", f"/guilds/{where.id}/channels", [])).json()[
        "code"
    ] == "MISSING_PERMISSIONS"


async def test_roles_are_hoisted_in_an_order_of_their_own(server: Server) -> None:
    owner, where = await place(server)
    one, two = [await where.role(0, hoist=True) for _ in range(2)]
    at = f"/guilds/{where.id}/roles"
    await owner.ok(
        "PATCH", f"{at}/hoist-positions", [{"id": one, "hoist_position": 5}, {"id": two, "hoist_position": 1}]
    )
    assert {each["id"]: each["hoist_position"] for each in await owner.ok("GET", at)} == {
        where.id: None,
        one: 5,
        two: 1,
    }
    unknown = await owner.call("PATCH", f"{at}/hoist-positions", [{"id": "1", "hoist_position": 5}])
    assert unknown.json()["code"] == "UNKNOWN_ROLE"
    await owner.ok("DELETE", f"{at}/hoist-positions")
    assert {each["hoist_position"] for each in await owner.ok("GET", at)} == {None}


async def test_members_are_found(server: Server) -> None:
    owner, where = await place(server)
    one, two = await person(server), await person(server)
    await where.admit(one, two)
    role = await where.role(0, one)
    await owner.ok("PATCH", f"/guilds/{where.id}/members/{two.id}", {"nick": "Zebra"})

    async def found(**body: object) -> list[str]:
        told = await owner.ok("POST", f"/guilds/{where.id}/members-search", body)
        assert told["page_result_count"] == len(told["members"]) <= told["total_result_count"]
        return [each["user_id"] for each in told["members"]]

    assert await found(sort_order="asc") == [owner.id, one.id, two.id]
    assert await found(query="zEB") == [two.id]
    assert await found(query=one.username[:12].upper()) == [one.id]
    assert await found(query=one.id) == [one.id]
    assert await found(role_ids=[role]) == [one.id]
    assert await found(is_bot=True) == []
    assert await found(limit=1, offset=1, sort_order="asc") == [one.id]
    assert await found(joined_at_lte=1) == []
    assert await found(query="%") == []
    refused = await one.call("POST", f"/guilds/{where.id}/members-search", {})
    assert refused.json()["code"] == "MISSING_PERMISSIONS"


async def test_a_group_has_an_icon(server: Server) -> None:
    owner, where = await place(server)
    group = await owner.ok("POST", "/users/@me/channels", {"recipients": []})
    changed = await owner.ok("PATCH", f"/channels/{group['id']}", {"name": "us", "icon": uri(still())})
    shown = await server.http.get(f"{API}/icons/{group['id']}/{changed['icon']}.png")
    assert shown.content == still()
    assert (await owner.ok("PATCH", f"/channels/{group['id']}", {"icon": None}))["icon"] is None
    assert "icon" not in await owner.ok(
        "PATCH", f"/channels/{where.text}", {"icon": uri(still()), "name": "c"}
    )


async def test_without_the_history_only_what_came_after_the_cutoff(server: Server) -> None:
    owner, where = await place(server)
    member = await unlimited(await person(server))
    await where.admit(member)
    path = f"/channels/{where.text}/messages"
    said = [await where.say(owner, str(number)) for number in range(3)]
    await owner.ok("PUT", f"/channels/{where.text}/permissions/{where.id}", {"type": 0, "deny": str(1 << 16)})
    assert await member.ok("GET", path) == []
    await owner.ok("PATCH", f"/guilds/{where.id}", {"message_history_cutoff": said[1]["timestamp"]})
    assert [each["content"] for each in await member.ok("GET", path)] == ["2", "1"]
    assert len(await owner.ok("GET", path)) == 4, "and the joining"
