"""Ids, numbers and times that no row can hold are refused or read as nobody's, wherever no type sees to it."""

from __future__ import annotations

import pytest
from tests.community.actors import Actor, admin, guild, new_address, person, stranger
from tests.harness.server import Server

LARGE = "9" * 19
"""Nineteen digits, as the largest id has, and more than 63 bits."""
BEFORE_ALL = "0001-01-01T00:00:00+14:00"
AFTER_ALL = "9999-12-31T23:59:59-14:00"


async def test_a_token_of_nobody(server: Server) -> None:
    nobody = Actor(server, new_address(), f"Bot {LARGE}.{'a' * 43}")
    assert (await nobody.call("GET", "/users/@me")).json()["code"] == "UNAUTHORIZED"


@pytest.mark.parametrize("text", [f"<@{LARGE}>", f"<@!{LARGE}>", f"<@&{LARGE}>", "<@٣>"])
async def test_whoever_cannot_be_is_not_mentioned(server: Server, text: str) -> None:
    owner = await person(server)
    said = await (await guild(owner)).say(owner, text)
    assert (said["mentions"], said["mention_roles"]) == ([], [])


async def test_an_application_that_cannot_be(server: Server) -> None:
    someone = await person(server)
    form = {"grant_type": "refresh_token", "refresh_token": "x", "client_id": LARGE, "client_secret": "x"}
    refused = await stranger(server).call("POST", "/oauth2/token", data=form)
    assert refused.json()["code"] == "INVALID_CLIENT"
    body = {"client_id": LARGE, "scope": "identify", "response_type": "code"}
    refused = await someone.call("POST", "/oauth2/authorize/consent", body)
    assert refused.json()["code"] == "INVALID_CLIENT"
    found = await admin(server).ok("POST", "/admin/users/lookup", {"query": LARGE})
    assert found["users"] == []
    for bits in (LARGE, "9" * 5000):
        body = {"user_id": someone.id, "add_flags": [bits]}
        refused = await admin(server).call("POST", "/admin/users/update-flags", body)
        assert refused.json()["errors"][0]["path"].startswith("add_flags")


async def test_times_before_and_after_all_that_can_be_shown(server: Server) -> None:
    owner, other = await person(server), await person(server)
    place = await guild(owner)
    await place.admit(other)
    path = f"/guilds/{place.id}"
    member = f"{path}/members/{other.id}"
    past = await owner.ok("PATCH", member, {"communication_disabled_until": BEFORE_ALL})
    assert past["communication_disabled_until"] == "1970-01-01T00:00:00.000Z"
    await place.say(other, "not kept silent")
    refused = await owner.call("PATCH", member, {"communication_disabled_until": AFTER_ALL})
    assert [each["path"] for each in refused.json()["errors"]] == ["communication_disabled_until"]
    for when, shown in ((BEFORE_ALL, "1970-01-01T00:00:00.000Z"), (AFTER_ALL, "9999-12-31T23:59:59.999Z")):
        changed = await owner.ok("PATCH", path, {"message_history_cutoff": when})
        assert changed["message_history_cutoff"] == shown
        params = {"before": when}
        await owner.ok("GET", f"/channels/{place.text}/messages/pins", params=params)


@pytest.mark.parametrize("place", [1 << 31, 1 << 64, -1])
async def test_a_place_among_the_hoisted_that_no_row_holds(server: Server, place: int) -> None:
    owner = await person(server)
    home = await guild(owner)
    path = f"/guilds/{home.id}/roles/{await home.role(0)}"
    refused = await owner.call("PATCH", path, {"hoist_position": place})
    assert [each["path"] for each in refused.json()["errors"]] == ["hoist_position"]


async def test_an_avatar_that_is_too_large_by_half_is_called_too_large(server: Server) -> None:
    someone = await person(server)
    image = f"data:image/png;base64,{'A' * 20_000_000}"
    refused = await someone.call("PATCH", "/users/@me", {"avatar": image})
    assert (refused.status_code, refused.json()["code"]) == (413, "FILE_SIZE_TOO_LARGE")
