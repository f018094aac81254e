"""Letters about accounts that must not fail their owner, and what registration takes, over a real server."""

from __future__ import annotations

import secrets

import pytest
from tests.community.actors import PASSWORD, person, stranger
from tests.harness.server import Server


async def test_who_changes_an_address_twice_does_not_take_the_first_from_its_owner(server: Server) -> None:
    owner = await person(server)
    for _ in range(2):
        thief = f"thief_{secrets.token_hex(4)}@example.test"
        await owner.ok("PATCH", "/users/@me", {"email": thief, "password": PASSWORD})
    body = {"token": await owner.mail("email-revert"), "password": "mine and only mine"}
    back = await stranger(server).ok("POST", "/auth/email-revert", body)
    owner.authorization = back["token"]
    assert (await owner.ok("GET", "/users/@me"))["email"] == owner.email


async def test_an_address_taken_back_stays(server: Server) -> None:
    owner = await person(server)
    first, second = (f"thief_{secrets.token_hex(4)}@example.test" for _ in range(2))
    for address in (first, second):
        await owner.ok("PATCH", "/users/@me", {"email": address, "password": PASSWORD})
    (theirs,) = [
        each["data"]["token"]
        for each in await server.sandbox.outbox(first)
        if each["data"]["kind"] == "email-revert"
    ]
    mine = await owner.mail("email-revert")
    await stranger(server).ok("POST", "/auth/email-revert", {"token": mine, "password": "mine and only mine"})
    refused = await stranger(server).call(
        "POST", "/auth/email-revert", {"token": theirs, "password": "no, mine!"}
    )
    assert [each["path"] for each in refused.json()["errors"]] == ["token"]


async def test_a_forgotten_password_needs_an_address(server: Server) -> None:
    refused = await stranger(server).call("POST", "/auth/forgot", {"email": "nobody"})
    assert [each["path"] for each in refused.json()["errors"]] == ["email"]
    assert (
        await stranger(server).call("POST", "/auth/forgot", {"email": "nobody@example.test"})
    ).status_code == 204


@pytest.mark.parametrize("written", ["2000-W01-1", "20000-1-01", "٢٠٠٠-٠١-٠١"])
async def test_a_date_of_birth_is_a_plain_date(server: Server, written: str) -> None:
    body = {"email": f"x{secrets.token_hex(4)}@example.test", "password": PASSWORD, "consent": True}
    refused = await stranger(server).call("POST", "/auth/register", {**body, "date_of_birth": written})
    assert [each["path"] for each in refused.json()["errors"]] == ["date_of_birth"]
