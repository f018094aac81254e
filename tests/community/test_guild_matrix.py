"""The matrix: every route of a guild, asked by everybody there is.

Owner, administrator, a member with exactly what is needed, with each single permission, with everything but what is
needed, a plain member, a bot, somebody outside, somebody banned, nobody at all.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.community.actors import Actor, guild, person, stranger
from tests.community.guild_matrix import BASE, MEMBER, OWNER, Case, Grounds, grounds, table, unheard_of
from tests.harness.server import serve

from flux.community.standing import rules as bits

SINGLE = [1 << number for number in range(64) if 1 << number & bits.ALL & ~bits.ADMINISTRATOR]


@pytest.fixture(scope="module")
async def here(server_database: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Grounds]:
    directory: Path = tmp_path_factory.mktemp(f"matrix-{server_database}")
    settings = {
        "community.rate_limits.enabled": False,
        "community.limits.max_webhooks_per_channel": 500,
        "community.limits.max_emojis": 500,
        "community.limits.max_stickers": 500,
    }
    async with serve(directory, database=server_database, settings=settings) as server:
        yield await grounds(server)


def test_every_route_of_a_guild_is_in_the_matrix() -> None:
    assert unheard_of(table().values()) == [], "write a case for it in guild_matrix.py"


async def test_every_guild_route_of_the_document_is_in_the_matrix(here: Grounds) -> None:
    paths = (await here.owner.server.http.get("/openapi/community.json")).json()["paths"]
    names = [f"{method.upper()} {path}" for path in paths for method in paths[path]]
    assert unheard_of(names) == []
    assert {name.partition(" ")[2] for name in names} > {
        route.partition(" ")[2] for route in table().values()
    }


async def ask(here: Grounds, case: Case, who: Actor) -> httpx.Response:
    """Call the case's route as `who`. What a success uses up is made anew before the next call."""
    if case.values is None:
        case.values = await case.make(here) if case.make is not None else {}
    values = here.values | case.values
    if case.need == OWNER and who is not here.owner:
        values["guild_id"] = here.place.id
    body = case.body
    if body is not None:
        names = {
            "target": here.target.id,
            "text": here.place.text,
            "voice": here.place.voice,
            "low_role": here.low_role,
            "far_sticker": here.far_sticker,
        }
        text = json.dumps(body)
        for name, value in names.items():
            text = text.replace("{" + name + "}", value)
        body = json.loads(text)
    answer = await who.call(case.method, case.path.format(**values) + case.query, body)
    if answer.is_success and case.make is not None:
        case.values = None
    return answer


def verdict(case: Case, answer: httpx.Response) -> bool:
    """Whether the caller was let through; anything but a success or the expected refusal is an error."""
    if answer.is_success:
        return True
    code = answer.json()["code"]
    if code in case.instead:
        return True
    assert answer.status_code == 403, f"{case.name}: {answer.status_code} {answer.text}"
    assert code == case.unless, f"{case.name}: {answer.text}"
    return False


async def wrong(here: Grounds, who: Actor, expected: Any) -> list[str]:
    """The cases whose verdict for `who` differs from `expected(case)`."""
    found = []
    for case in here.cases:
        let_through = verdict(case, await ask(here, case, who))
        if let_through != expected(case):
            found.append(f"{case.name}: {'allowed' if let_through else 'refused'}")
    return found


async def test_the_owner_may_do_everything(here: Grounds) -> None:
    assert await wrong(here, here.owner, lambda case: True) == []


async def test_an_administrator_may_do_everything_but_what_is_the_owners(here: Grounds) -> None:
    assert await wrong(here, here.chief, lambda case: case.need != OWNER) == []


async def test_a_plain_member_may_what_every_member_may(here: Grounds) -> None:
    assert await wrong(here, here.plain, lambda case: case.need == MEMBER) == []


@pytest.mark.parametrize("kind", ["person", "bot"])
async def test_exactly_what_is_needed_is_enough(here: Grounds, kind: str) -> None:
    who, role = (here.probe, here.probe_role) if kind == "person" else (here.robot, here.robot_role)
    await here.grant(role, 0)
    assert await wrong(here, who, lambda case: case.need == MEMBER) == []
    found = []
    for need in sorted({case.need for case in here.cases if case.need > 0}):
        await here.grant(role, need)
        for case in here.cases:
            if case.need == need and not verdict(case, await ask(here, case, who)):
                found.append(case.name)
    await here.grant(role, 0)
    assert found == []


async def test_everything_but_what_is_needed_is_not_enough(here: Grounds) -> None:
    """For each needed permission: all others together, whatever they are, do not replace it."""
    found = []
    for bit in SINGLE:
        concerned = [case for case in here.cases if case.need > 0 and case.need & bit]
        if concerned:
            await here.grant(here.probe_role, bits.ALL & ~bits.ADMINISTRATOR & ~bit)
            found += [case.name for case in concerned if verdict(case, await ask(here, case, here.probe))]
    await here.grant(here.probe_role, 0)
    assert found == []


async def test_each_single_permission_gives_what_it_says_and_nothing_else(here: Grounds) -> None:
    found = []
    for bit in SINGLE:
        await here.grant(here.probe_role, bit)
        held = bit | BASE
        for mistake in await wrong(
            here, here.probe, lambda case, held=held: case.need >= 0 and not case.need & ~held
        ):
            found.append(f"{bit}: {mistake}")
    await here.grant(here.probe_role, 0)
    assert found == []


async def test_who_does_not_see_a_channel_may_do_nothing_in_it(here: Grounds) -> None:
    """Whatever else they hold; what is the guild's own stays theirs."""
    await here.grant(here.place.id, BASE & ~bits.VIEW_CHANNEL)
    await here.grant(here.probe_role, bits.ALL & ~bits.ADMINISTRATOR & ~bits.VIEW_CHANNEL)
    found = []
    try:
        for case in here.cases:
            if not case.of_channel:
                continue
            answer = await ask(here, case, here.probe)
            if answer.status_code != 403 or answer.json()["code"] != "MISSING_ACCESS":
                found.append(f"{case.name}: {answer.status_code} {answer.text[:80]}")
        channels = await here.probe.ok("GET", f"/guilds/{here.place.id}/channels")
    finally:
        await here.grant(here.place.id, BASE)
        await here.grant(here.probe_role, 0)
    assert found == []
    assert channels == []


@pytest.mark.parametrize("who", ["outsider", "banned"])
async def test_who_is_not_in_the_guild_may_nothing(here: Grounds, who: str) -> None:
    found = []
    for case in here.cases:
        answer = await ask(here, case, getattr(here, who))
        if answer.status_code != 403 or answer.json()["code"] != "MISSING_ACCESS":
            found.append(f"{case.name}: {answer.status_code} {answer.text[:80]}")
    assert found == []


async def test_nobody_gets_in_without_a_token(here: Grounds) -> None:
    nobody = stranger(here.owner.server)
    for case in here.cases:
        answer = await ask(here, case, nobody)
        assert (answer.status_code, answer.json()["code"]) == (401, "UNAUTHORIZED"), case.name


async def test_either_manager_takes_an_invite_back(here: Grounds) -> None:
    managing = bits.MANAGE_GUILD | bits.MANAGE_CHANNELS
    found = []
    for bit in SINGLE:
        code = await here.place.invite(unique=True)
        await here.grant(here.probe_role, bit)
        answer = await here.probe.call("DELETE", f"/invites/{code}")
        if answer.is_success != bool(bit & managing):
            found.append(f"{bit}: {answer.status_code} {answer.text}")
        await here.owner.call("DELETE", f"/invites/{code}")
    await here.grant(here.probe_role, 0)
    assert found == []
    for who in (here.plain, here.robot, here.outsider, here.banned):
        code = await here.place.invite(unique=True)
        refused = await who.call("DELETE", f"/invites/{code}")
        assert refused.json()["code"] == "MISSING_PERMISSIONS"
        await here.owner.ok("GET", f"/invites/{code}")
    await here.chief.ok("DELETE", f"/invites/{code}")


async def test_leaving(here: Grounds) -> None:
    owner, member, outsider = [await person(here.owner.server) for _ in range(3)]
    place = await guild(owner)
    await place.admit(member)
    where = f"/users/@me/guilds/{place.id}"
    assert (await outsider.call("DELETE", where)).json()["code"] == "MISSING_ACCESS"
    assert (await member.call("DELETE", where)).status_code == 204
    assert (await member.call("DELETE", where)).json()["code"] == "MISSING_ACCESS"
    assert not (await owner.call("DELETE", where)).is_success, "an owner hands over or deletes"
