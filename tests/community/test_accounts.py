"""An account's life: other addresses and passwords, sessions, new addresses, being switched off and erased."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tests.community.actors import PASSWORD, admin, guild, new_address, person, stranger, unlimited
from tests.community.gateway import GatewayClient
from tests.community.proving import add_phone, new_phone, proof, with_app
from tests.harness.server import Server, serve

SETTLE_SECONDS = 20.0


def code_of(answer: Any) -> str:
    return str(answer.json()["code"])


def path_of(answer: Any) -> str:
    return str(answer.json()["errors"][0]["path"])


async def mailed_code(server: Server, to: str, kind: str) -> str:
    return next(
        str(each["data"]["code"]) for each in await server.sandbox.outbox(to) if each["data"]["kind"] == kind
    )


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(SETTLE_SECONDS):
        while not await holds():
            await asyncio.sleep(0.05)


async def test_another_address_is_agreed_to_by_both(server: Server) -> None:
    someone, other = await person(server), await person(server)
    base = "/users/@me/email-change"
    begun = await someone.ok("POST", f"{base}/start")
    assert (begun["require_original"], begun["original_email"]) == (True, someone.email)
    assert begun["original_proof"] is None
    ticket = {"ticket": begun["ticket"]}
    wrong = await someone.call("POST", f"{base}/verify-original", {**ticket, "code": "nope"})
    assert path_of(wrong) == "code"
    foreign = await other.call("POST", f"{base}/verify-original", {**ticket, "code": "nope"})
    assert path_of(foreign) == "ticket"
    await someone.ok("POST", f"{base}/resend-original", ticket)
    code = await mailed_code(server, someone.email, "email-change-original")
    proved = await someone.ok("POST", f"{base}/verify-original", {**ticket, "code": code})
    step = {**ticket, "original_proof": proved["original_proof"]}
    used = await someone.call("POST", f"{base}/request-new", {**step, "new_email": other.email})
    assert used.json()["errors"][0]["code"] == "EMAIL_ALREADY_IN_USE"
    forged = {**step, "original_proof": "x", "new_email": "x@example.test"}
    assert path_of(await someone.call("POST", f"{base}/request-new", forged)) == "original_proof"
    fresh = f"new_{someone.email}"
    assert (await someone.ok("POST", f"{base}/request-new", {**step, "new_email": fresh}))[
        "new_email"
    ] == fresh
    code = await mailed_code(server, fresh, "email-change-new")
    assert path_of(await someone.call("POST", f"{base}/verify-new", {**step, "code": "nope"})) == "code"
    token = (await someone.ok("POST", f"{base}/verify-new", {**step, "code": code}))["email_token"]
    assert code_of(await someone.call("PATCH", "/users/@me", {"email_token": token})) == "SUDO_MODE_REQUIRED"
    body = {"email_token": token, "password": PASSWORD}
    stolen = await other.call("PATCH", "/users/@me", body)
    assert path_of(stolen) == "email_token"
    answers = await asyncio.gather(*(someone.call("PATCH", "/users/@me", body) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]
    me = await someone.ok("GET", "/users/@me")
    assert (me["email"], me["verified"]) == (fresh, True)
    # The old address can take the account back, once.
    revert = {"token": await someone.mail("email-revert"), "password": "a better password"}
    back = await stranger(server).ok("POST", "/auth/email-revert", revert)
    assert back["user_id"] == someone.id
    assert (await someone.call("GET", "/users/@me")).status_code == 401
    assert path_of(await stranger(server).call("POST", "/auth/email-revert", revert)) == "token"
    assert (await someone.login(password="a better password")).status_code == 200


async def test_an_unverified_address_is_not_asked(server: Server) -> None:
    someone = await person(server, verified=False)
    begun = await someone.ok("POST", "/users/@me/email-change/start")
    assert begun["require_original"] is False
    assert begun["original_proof"]


async def test_a_new_password_by_ticket_ends_the_other_sessions(server: Server) -> None:
    someone = await person(server)
    elsewhere = (await someone.login()).json()["token"]
    async with GatewayClient(someone) as client:
        await client.identify()
        base = "/users/@me/password-change"
        ticket = {"ticket": (await someone.ok("POST", f"{base}/start"))["ticket"]}
        await someone.ok("POST", f"{base}/resend", ticket)
        code = await mailed_code(server, someone.email, "password-change")
        proved = await someone.ok("POST", f"{base}/verify", {**ticket, "code": code})
        body = {**ticket, **proved, "new_password": "an altogether new one"}
        answers = await asyncio.gather(*(someone.call("POST", f"{base}/complete", body) for _ in range(3)))
        assert 204 in {answer.status_code for answer in answers}
        assert [answer.status_code for answer in answers].count(204) == 1
        told = await client.event("AUTH_SESSION_CHANGE")
        for token in (someone.authorization, elsewhere):
            gone = await stranger(server).call("GET", "/users/@me", headers={"Authorization": str(token)})
            assert gone.status_code == 401
        someone.authorization = told["new_token"]
        sessions = await someone.ok("GET", "/auth/sessions")
        assert [each["id_hash"] for each in sessions] == [told["new_auth_session_id_hash"]]
        # The realtime connection goes on, and ends with the session it now belongs to.
        await someone.ok("POST", "/auth/logout")
        assert await client.closed_with() == 4004
    assert (await someone.login()).status_code == 400
    assert (await someone.login(password="an altogether new one")).status_code == 200


async def test_a_forgotten_password_is_no_way_around_the_second_factor(server: Server) -> None:
    someone = await person(server)
    app, _ = await with_app(someone)
    await stranger(server).ok("POST", "/auth/forgot", {"email": someone.email})
    body = {"token": await someone.mail("reset"), "password": "another password"}
    answers = await asyncio.gather(*(stranger(server).call("POST", "/auth/reset", body) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]
    told = next(answer.json() for answer in answers if answer.status_code == 200)
    assert (told["mfa"], "token" in told) == (True, False)
    assert (await someone.call("GET", "/users/@me")).status_code == 401
    await stranger(server).ok("POST", "/auth/login/mfa/totp", {"ticket": told["ticket"], "code": app.code()})


async def test_known_addresses_are_forgotten(server: Server) -> None:
    someone = await person(server)
    elsewhere = new_address()
    told = (await someone.login(address=elsewhere)).json()
    await stranger(server).ok("POST", "/auth/authorize-ip", {"token": await someone.mail("authorize-ip")})
    answers = await asyncio.gather(
        *(
            stranger(server).call("GET", f"/auth/ip-authorization/poll?ticket={told['ticket']}")
            for _ in range(5)
        )
    )
    polled = [answer.json() for answer in answers if answer.status_code == 200]
    assert len(polled) == 1, "a ticket gives one session"
    assert (await someone.login(address=elsewhere)).status_code == 200
    sessions = [each["id_hash"] for each in await someone.ok("GET", "/auth/sessions") if not each["current"]]
    await someone.ok("POST", "/auth/sessions/logout", {"session_id_hashes": sessions, "password": PASSWORD})
    assert code_of(await someone.call("DELETE", "/users/@me/authorized-ips", {})) == "SUDO_MODE_REQUIRED"
    await someone.ok("DELETE", "/users/@me/authorized-ips", {"password": PASSWORD})
    assert code_of(await someone.login(address=elsewhere)) == "IP_AUTHORIZATION_REQUIRED"
    assert (await someone.login()).status_code == 200


async def test_suspicion_is_cleared_by_the_proof_it_asks_for(server: Server) -> None:
    someone = await person(server)
    body = {"user_id": someone.id, "flags": 4}
    await admin(server).ok("POST", "/admin/users/update-suspicious-activity-flags", body)
    assert code_of(await someone.call("GET", "/users/@me/guilds")) == "ACCOUNT_SUSPICIOUS_ACTIVITY"
    assert (await add_phone(someone, new_phone())).status_code == 204
    await someone.ok("GET", "/users/@me/guilds")


async def test_an_account_switched_off_by_its_owner_comes_back_with_a_login(server: Server) -> None:
    someone = await person(server)
    await someone.ok("POST", "/users/@me/disable", {"password": PASSWORD})
    assert (await someone.call("GET", "/users/@me")).status_code == 401
    issued = (await someone.login()).json()
    someone.authorization = issued["token"]
    await someone.ok("POST", "/users/@me/delete", {"password": PASSWORD})
    assert (await someone.login()).status_code == 200
    await server.sandbox.clock(15 * 86_400)
    assert (await someone.login()).status_code == 200, "a login called the deletion off"


async def test_an_account_is_erased_on_its_day(server: Server) -> None:
    someone, friend = await person(server), await person(server)
    await someone.ok("POST", f"/users/@me/relationships/{friend.id}")
    await friend.ok("PUT", f"/users/@me/relationships/{someone.id}", {})
    place = await guild(friend)
    await place.admit(someone)
    said = await place.say(someone, "remember me")
    app, _ = await with_app(someone)
    await someone.ok("POST", "/users/@me/delete", proof(app))
    await server.sandbox.clock(14 * 86_400 + 60)

    async def gone() -> bool:
        return bool((await friend.ok("GET", f"/users/{someone.id}"))["discriminator"] == "0000")

    await until(gone)
    shown = await friend.ok("GET", f"/users/{someone.id}")
    assert (shown["username"], shown["global_name"]) == ("DeletedUser", None)
    assert (await someone.login()).status_code == 400
    assert await friend.ok("GET", "/users/@me/relationships") == []
    assert [each["user"]["id"] for each in await friend.ok("GET", f"/guilds/{place.id}/members?limit=9")] == [
        friend.id
    ]
    kept = await friend.ok("GET", f"/channels/{place.text}/messages/{said['id']}")
    assert (kept["content"], kept["author"]["discriminator"]) == ("remember me", "0000")
    again = {"email": someone.email, "password": PASSWORD, "date_of_birth": "1990-01-01", "consent": True}
    assert (await stranger(server).call("POST", "/auth/register", again)).status_code == 200


async def test_the_day_can_be_set_and_called_off_from_above(server: Server) -> None:
    someone = await person(server)
    body = {"user_id": someone.id, "reason_code": 2, "days_until_deletion": 3}
    await admin(server).ok("POST", "/admin/users/schedule-deletion", body)
    assert code_of(await someone.login()) == "ACCOUNT_SCHEDULED_FOR_DELETION"
    await admin(server).ok("POST", "/admin/users/cancel-deletion", {"user_id": someone.id})
    await admin(server).ok("POST", "/admin/users/schedule-deletion", {**body, "days_until_deletion": 30})
    await server.sandbox.clock(4 * 86_400)
    assert code_of(await someone.login()) == "ACCOUNT_SCHEDULED_FOR_DELETION", "the later day holds"
    await admin(server).ok("POST", "/admin/users/cancel-deletion", {"user_id": someone.id})
    someone.authorization = (await someone.login()).json()["token"]
    await with_app(someone)
    assert (await someone.login()).json()["mfa"] is True
    await admin(server).ok("POST", "/admin/users/disable-mfa", {"user_id": someone.id})
    assert "token" in (await someone.login()).json()
    await admin(server).ok("POST", "/admin/users/terminate-sessions", {"user_id": someone.id})
    assert (await someone.call("GET", "/users/@me")).status_code == 401


async def test_sessions_stay_within_their_limit_however_many_log_in_at_once(tmp_path: Path) -> None:
    settings = {"community.limits.sessions_per_account": 4, "community.limits.login_per_email": "0"}
    for database in ("sqlite", "postgres"):
        async with serve(tmp_path / database, database=database, settings=settings) as server:
            someone = await unlimited(await person(server))
            server.http.headers["X-Forwarded-For"] = someone.address
            answers = await asyncio.gather(*(someone.login() for _ in range(9)))
            tokens = [answer.json()["token"] for answer in answers]
            alive = [token for token in tokens if await _lives(server, token)]
            assert len(alive) == 4 - int(await _lives(server, str(someone.authorization)))


async def _lives(server: Server, token: str) -> bool:
    answer = await stranger(server).call("GET", "/users/@me", headers={"Authorization": token})
    return answer.status_code == 200


def _flux(server: Server, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "flux.cli", "admin", "--data", str(server.data_dir), *arguments]
    environment = {**os.environ, "PYTHONPATH": server.environment["PYTHONPATH"]}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


async def test_the_operator_has_a_command_for_it(server: Server) -> None:
    someone = await person(server)

    async def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return await asyncio.to_thread(_flux, server, *arguments)

    done = await run("suspend", someone.email, "--hours", "2")
    assert (done.returncode, someone.id in done.stdout) == (0, True), done.stderr
    assert code_of(await someone.login()) == "ACCOUNT_SUSPENDED_TEMPORARILY"
    assert (await run("unsuspend", someone.id)).returncode == 0
    assert (await someone.login()).status_code == 200
    assert (await run("disable", someone.username)).returncode == 0
    assert code_of(await someone.login()) == "ACCOUNT_DISABLED"
    assert (await run("enable", someone.username)).returncode == 0
    assert '"user:lookup"' in (await run("acls", someone.id, "user:lookup")).stdout
    refused = await run("lookup", "nobody_is_called_this")
    assert (refused.returncode, refused.stderr) == (1, "flux admin: nobody is called nobody_is_called_this\n")


async def test_a_login_is_described_with_both_its_answers(server: Server) -> None:
    told = (await server.http.get("/openapi/community.json")).json()
    answer = told["paths"]["/auth/login"]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert [each["$ref"].rpartition("/")[2] for each in answer["anyOf"]] == ["Issued", "MfaRequired"]
