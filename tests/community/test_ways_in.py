"""The ways into an account and out of it, answer by answer as the wire contract has them: new addresses, accounts switched
off or leaving, and proofs that are owed. Over real servers on both databases."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.community.actors import (
    PASSWORD,
    Actor,
    Person,
    admin,
    bearer,
    bot,
    guild,
    new_address,
    person,
    stranger,
    unlimited,
)
from tests.community.gateway import GatewayClient
from tests.community.proving import add_phone, new_phone, passkey_proof, proof, ticket, with_app, with_passkey
from tests.harness.rows import held_back
from tests.harness.server import Server

DAY = 86_400
DISABLED = 1 << 38
RESEND = "/auth/ip-authorization/resend"
TICKET = ("ticket", "INVALID_OR_EXPIRED_TICKET")
TOKEN = ("token", "INVALID_OR_EXPIRED_TOKEN")


def code_of(answer: Any) -> str:
    return str(answer.json()["code"])


def entry_of(answer: Any) -> tuple[str, str]:
    assert (answer.status_code, code_of(answer)) == (400, "VALIDATION_ERROR"), answer.text
    (told,) = answer.json()["errors"]
    return told["path"], told["code"]


async def ask(someone: Person, address: str) -> dict[str, Any]:
    """A right password from an address that the account does not know."""
    refused = await someone.login(address=address)
    assert refused.status_code == 403
    return dict(refused.json())


async def poll(server: Server, told: dict[str, Any]) -> Any:
    return await stranger(server).call("GET", f"/auth/ip-authorization/poll?ticket={told['ticket']}")


async def authorize(someone: Person) -> Any:
    token = await someone.mail("authorize-ip")
    return await stranger(someone.server).call("POST", "/auth/authorize-ip", {"token": token})


# -- new addresses ------------------------------------------------------------------------------------------------


async def test_a_new_address_is_confirmed_by_mail(server: Server) -> None:
    someone, elsewhere = await person(server), new_address()
    told = await ask(someone, elsewhere)
    assert told.pop("message")
    assert told.pop("ticket") not in ("", None)
    assert told == {
        "code": "IP_AUTHORIZATION_REQUIRED",
        "ip_authorization_required": True,
        "email": someone.email,
        "resend_available_in": 30,
    }
    told = await ask(someone, elsewhere)
    waiting = await poll(server, told)
    assert (waiting.status_code, waiting.json()["completed"]) == (200, False)
    assert waiting.json().get("token") is None
    first = await someone.mail("authorize-ip")
    soon = await stranger(server).call("POST", RESEND, {"ticket": told["ticket"]})
    assert (soon.status_code, code_of(soon)) == (429, "IP_AUTHORIZATION_RESEND_COOLDOWN")
    assert 0 < soon.json()["resend_available_in"] <= 30
    await server.sandbox.clock(31)
    bodies = [{"ticket": told["ticket"]}] * 4
    answers = await asyncio.gather(*(stranger(server).call("POST", RESEND, body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [204] + [429] * 3
    await server.sandbox.clock(31)
    last = await stranger(server).call("POST", RESEND, {"ticket": told["ticket"]})
    assert (last.status_code, code_of(last)) == (429, "IP_AUTHORIZATION_RESEND_LIMIT_EXCEEDED")
    stale = await stranger(server).call("POST", "/auth/authorize-ip", {"token": first})
    assert entry_of(stale) == TOKEN, "the newer mail replaces the older"
    assert (await authorize(someone)).status_code == 204
    done = (await poll(server, told)).json()
    assert (done["completed"], done["user_id"]) == (True, someone.id)
    me = await stranger(server).ok("GET", "/users/@me", headers={"Authorization": done["token"]})
    assert me["id"] == someone.id
    assert entry_of(await poll(server, told)) == TICKET
    assert (await someone.login(address=elsewhere)).status_code == 200
    assert code_of(await someone.login(address=new_address())) == "IP_AUTHORIZATION_REQUIRED"


async def test_what_the_mail_begins_ends_after_a_quarter_of_an_hour(server: Server) -> None:
    someone = await person(server)
    told = await ask(someone, new_address())
    await server.sandbox.clock(901)
    assert entry_of(await poll(server, told)) == TICKET
    assert entry_of(await authorize(someone)) == TOKEN
    assert entry_of(await stranger(server).call("POST", RESEND, {"ticket": told["ticket"]})) == TICKET
    for body in ({}, {"token": ""}, {"token": 5}, {"token": "x" * 9000}):
        assert (await stranger(server).call("POST", "/auth/authorize-ip", body)).status_code == 400, body


async def test_a_second_factor_stands_for_the_address(server: Server) -> None:
    someone = await person(server)
    app, _ = await with_app(someone)
    told = (await someone.login(address=new_address())).json()
    assert told["mfa"] is True
    body = {"ticket": told["ticket"], "code": app.code(1)}
    assert (await stranger(server).call("POST", "/auth/login/mfa/totp", body)).status_code == 200


async def test_a_new_password_ends_what_the_old_one_began(server: Server) -> None:
    """Somebody who knew it had a ticket, and perhaps even a link that was opened by mistake."""
    someone = await person(server)
    opened = await ask(someone, new_address())
    assert (await authorize(someone)).status_code == 204
    waiting = await ask(someone, new_address())
    await stranger(server).ok("POST", "/auth/forgot", {"email": someone.email})
    changed = {"token": await someone.mail("reset"), "password": "another password"}
    someone.authorization = (await stranger(server).ok("POST", "/auth/reset", changed))["token"]
    assert entry_of(await poll(server, opened)) == TICKET
    assert entry_of(await authorize(someone)) == TOKEN
    assert entry_of(await poll(server, waiting)) == TICKET
    # The same for the second step, and for a password that is changed from within.
    app = (await _with_app(someone, "another password"))[0]
    asked = (await someone.login(password="another password")).json()["ticket"]
    body = {"new_password": "a third password", **proof(app)}
    await someone.ok("PATCH", "/users/@me", body)
    redeemed = {"ticket": asked, "code": app.code(1)}
    assert entry_of(await stranger(server).call("POST", "/auth/login/mfa/totp", redeemed)) == TICKET


async def _with_app(someone: Person, password: str) -> tuple[Any, list[str]]:
    from tests.community.proving import App

    app = App(b"12345678901234567890")
    await app.set(someone)
    body = {"secret": app.secret, "code": app.code(), "password": password}
    made = await someone.ok("POST", "/users/@me/mfa/totp/enable", body)
    return app, [each["code"] for each in made["backup_codes"]]


# -- switched off, and leaving ------------------------------------------------------------------------------------


@pytest.mark.parametrize("verb", ["disable", "delete"])
async def test_an_account_goes_and_a_login_brings_it_back(server: Server, verb: str) -> None:
    someone, builder = await person(server), await person(server)
    _, application = await bot(builder, redirect_uris=["https://app.example/back"])
    shown = await bearer(someone, application)
    await shown.ok("GET", "/users/@me")
    path = f"/users/@me/{verb}"
    refused = await someone.call("POST", path, {})
    assert (refused.status_code, code_of(refused), refused.json()["has_mfa"]) == (
        403,
        "SUDO_MODE_REQUIRED",
        False,
    )
    assert entry_of(await someone.call("POST", path, {"password": "not my password"}))[0] == "password"
    async with GatewayClient(someone) as client:
        await client.identify()
        gone = await someone.call("POST", path, {"password": PASSWORD})
        assert (gone.status_code, gone.content) == (204, b"")
        assert await client.closed_with() == 4004
    assert (await someone.call("GET", "/users/@me")).status_code == 401
    assert (await shown.call("GET", "/users/@me")).status_code == 401, "nor does an application act for it"
    assert (await someone.login(password="not my password")).status_code == 400
    assert (await shown.call("GET", "/users/@me")).status_code == 401
    await server.sandbox.clock(5 * DAY)
    back = await someone.login()
    assert back.status_code == 200
    someone.authorization = back.json()["token"]
    assert (await someone.ok("GET", "/users/@me"))["id"] == someone.id
    assert (await shown.ok("GET", "/users/@me"))["id"] == someone.id
    await server.sandbox.clock(10 * DAY)
    assert (await someone.login()).status_code == 200, "the day of its deletion passed without it"


async def test_who_owns_guilds_stays_until_they_have_none(server: Server) -> None:
    someone = await person(server)
    place = await guild(someone)
    for verb in ("disable", "delete"):
        refused = await someone.call("POST", f"/users/@me/{verb}", {"password": PASSWORD})
        assert (refused.status_code, code_of(refused)) == (400, "USER_OWNS_GUILDS")
    await someone.ok("GET", "/users/@me")
    await someone.ok("POST", f"/guilds/{place.id}/delete", {"password": PASSWORD})
    assert (await someone.call("POST", "/users/@me/delete", {"password": PASSWORD})).status_code == 204


async def test_a_second_step_brings_it_back_and_its_first_does_not(server: Server) -> None:
    someone = await person(server)
    app, backup = await with_app(someone)
    await someone.ok("POST", "/users/@me/delete", proof(app))
    told = await ticket(someone)
    looked = await admin(server).ok("POST", "/admin/users/lookup", {"user_ids": [someone.id]})
    assert looked["users"][0]["pending_deletion_at"] is not None
    body = {"ticket": told["ticket"], "code": backup[0]}
    await stranger(server).ok("POST", "/auth/login/mfa/totp", body)
    looked = await admin(server).ok("POST", "/admin/users/lookup", {"user_ids": [someone.id]})
    assert looked["users"][0]["pending_deletion_at"] is None


async def test_what_an_admin_does_no_login_undoes(server: Server) -> None:
    someone = await person(server)
    key = await with_passkey(someone)
    flags = {"user_id": someone.id, "add_flags": [str(DISABLED)]}
    undone = {"user_id": someone.id, "remove_flags": [str(DISABLED)]}
    lookups = (
        ("update-flags", flags, "ACCOUNT_DISABLED", ("update-flags", undone)),
        ("temp-ban", {"user_id": someone.id, "duration_hours": 24}, "ACCOUNT_SUSPENDED_TEMPORARILY", None),
        ("temp-ban", {"user_id": someone.id, "duration_hours": 0}, "ACCOUNT_SUSPENDED_PERMANENTLY", None),
        (
            "schedule-deletion",
            {"user_id": someone.id, "reason_code": 2, "days_until_deletion": 14},
            "ACCOUNT_SCHEDULED_FOR_DELETION",
            ("cancel-deletion", {"user_id": someone.id}),
        ),
    )
    await server.sandbox.clock(1)
    for route, body, code, undo in lookups:
        begun = (await someone.login()).json()
        await admin(server).ok("POST", f"/admin/users/{route}", body)
        refused = await someone.login()
        assert (refused.status_code, code_of(refused)) == (403, code)
        options = await stranger(server).ok("POST", "/auth/webauthn/authentication-options")
        alone = {"response": key.sign(options), "challenge": options["challenge"]}
        refused = await stranger(server).call("POST", "/auth/webauthn/authenticate", alone)
        assert (refused.status_code, code_of(refused)) == (403, code), "a passkey is no way around it"
        where = "/auth/login/mfa/webauthn/authentication-options"
        late = await stranger(server).call("POST", where, {"ticket": begun["ticket"]})
        assert entry_of(late) == TICKET, "what was begun before is over"
        await stranger(server).ok("POST", "/auth/forgot", {"email": someone.email})
        route, body = undo or ("unban", {"user_id": someone.id})
        await admin(server).ok("POST", f"/admin/users/{route}", body)
        await server.sandbox.clock(1800)
        assert (await someone.login()).json()["mfa"] is True


async def test_an_admin_and_its_owner_at_once(server: Server) -> None:
    """However they cross, nobody is in who was put out, and no login undoes what an admin did. Of a change of flags the worst
    crossing is made: it has read the account, then the admin has."""
    body: dict[str, Any] = {"add_flags": [str(DISABLED)]}
    for verb in ("login", "disable", "patch", "login", "disable", "patch"):
        someone = await person(server)
        disabled = admin(server).ok("POST", "/admin/users/update-flags", {**body, "user_id": someone.id})
        if verb == "login":
            answer, _ = await asyncio.gather(someone.login(), disabled)
            token = answer.json().get("token", "")
        elif verb == "disable":
            await asyncio.gather(someone.call("POST", "/users/@me/disable", {"password": PASSWORD}), disabled)
            token = someone.authorization or ""
        else:
            async with held_back(server, "community_users"):
                disabling = asyncio.create_task(disabled)
                await asyncio.sleep(0.3)
                patching = asyncio.create_task(
                    someone.call("PATCH", "/users/@me", {"used_mobile_client": True})
                )
            await asyncio.gather(disabling, patching)
            token = someone.authorization or ""
        me = await stranger(server).call("GET", "/users/@me", headers={"Authorization": token})
        assert me.status_code == 401, verb
        assert code_of(await someone.login()) == "ACCOUNT_DISABLED", verb


# -- proofs that are owed -----------------------------------------------------------------------------------------

OWED = {
    1: [{"email"}], 2: [{"email"}], 4: [{"phone"}], 8: [{"phone"}], 16: [{"email"}, {"phone"}], 32: [{"email"}, {"phone"}],
    64: [{"email"}, {"phone"}], 128: [{"email"}, {"phone"}], 1 | 4: [{"email", "phone"}], 2 | 8 | 16: [{"email", "phone"}],
}  # fmt: skip
"""Flags, and the sets of proofs of which each is enough."""


async def suspect(someone: Person, flags: int) -> None:
    body = {"user_id": someone.id, "flags": flags}
    await admin(someone.server).ok("POST", "/admin/users/update-suspicious-activity-flags", body)


async def give(someone: Person, kind: str) -> None:
    if kind == "email":
        await someone.ok("POST", "/auth/verify/resend")
        token = {"token": await someone.mail("verify")}
        await stranger(someone.server).ok("POST", "/auth/verify", token)
    else:
        assert (await add_phone(someone, new_phone())).status_code == 204


async def owes(someone: Actor) -> int:
    answer = await someone.call("GET", "/users/@me/guilds")
    if answer.status_code == 200:
        return 0
    assert (answer.status_code, code_of(answer)) == (403, "ACCOUNT_SUSPICIOUS_ACTIVITY")
    return int(answer.json()["data"]["suspicious_activity_flags"])


async def test_each_suspicion_asks_for_its_own_proofs(server: Server) -> None:
    for flags, enough in OWED.items():
        for proofs in enough:
            someone = await unlimited(await person(server))
            await suspect(someone, flags)
            assert await owes(someone) == flags
            me = await someone.ok("GET", "/users/@me")
            assert len(me["required_actions"]) == flags.bit_count(), me["required_actions"]
            for kind in sorted(proofs):
                assert await owes(someone), (flags, proofs)
                await give(someone, kind)
            assert await owes(someone) == 0, (flags, proofs)
            assert (await someone.ok("GET", "/users/@me"))["required_actions"] is None
    for flags in (1, 2):
        someone = await unlimited(await person(server))
        await suspect(someone, flags)
        await give(someone, "phone")
        assert await owes(someone) == flags
    for flags in (4, 8):
        someone = await unlimited(await person(server, verified=False))
        await suspect(someone, flags)
        await give(someone, "email")
        assert await owes(someone) == flags


async def test_whoever_owes_a_proof_can_still_give_it_and_leave(server: Server) -> None:
    someone = await unlimited(await person(server))
    key = await with_passkey(someone)
    await suspect(someone, 4)
    for method, path, body in (
        ("POST", "/guilds", {"name": "x"}),
        ("GET", "/users/@me/settings", None),
        ("GET", "/auth/sessions", None),
        ("POST", "/users/@me/delete", {}),
        ("GET", "/users/@me/relationships", None),
    ):
        assert code_of(await someone.call(method, path, body)) == "ACCOUNT_SUSPICIOUS_ACTIVITY", path
    await someone.ok("PATCH", "/users/@me", {"global_name": "Ada"})
    await someone.ok("GET", "/users/@me/sudo/mfa-methods")
    # A phone asks for sudo, and sudo for the passkey.
    phone = new_phone()
    assert (await add_phone(someone, phone, **await passkey_proof(someone, key))).status_code == 204
    assert await owes(someone) == 0
    # The same number once more is a proof, too.
    await suspect(someone, 8)
    await server.sandbox.clock(31)
    assert (await add_phone(someone, phone, **await passkey_proof(someone, key))).status_code == 204
    assert await owes(someone) == 0
    await suspect(someone, 1)
    await someone.ok("POST", "/auth/logout")
    assert (await someone.call("GET", "/users/@me")).status_code == 401
