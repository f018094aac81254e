"""Passkeys with an authenticator that really signs, over a real server on both databases."""

from __future__ import annotations

import asyncio
import base64
import os
from typing import Any

import pytest
from tests.community.actors import PASSWORD, Person, person, stranger, unlimited
from tests.community.authenticator import EDDSA, ES256, PRESENT, RS256, VERIFIED, Authenticator
from tests.community.gateway import GatewayClient
from tests.community.proving import CREDENTIALS, passkey_proof, proof, ticket, with_app, with_passkey
from tests.harness.server import Server

from flux.community.passkeys import repository
from flux.community.plane import migrations as community_migrations
from flux.kernel.store import Database, Transaction
from flux.kernel.store.migrations import migrate

OPTIONS = "/auth/webauthn/authentication-options"
LOGIN = "/auth/webauthn/authenticate"


def code_of(answer: Any) -> str:
    return str(answer.json()["code"])


def key_for(server: Server, **more: Any) -> Authenticator:
    return Authenticator(server.origin.replace("127.0.0.1", "localhost"), **more)


async def log_in(server: Server, key: Authenticator, **lies: Any) -> Any:
    options = await stranger(server).ok("POST", OPTIONS)
    body = {"response": key.sign(options, **lies), "challenge": options["challenge"]}
    return await stranger(server).call("POST", LOGIN, body)


@pytest.mark.parametrize("algorithm", [ES256, EDDSA, RS256])
async def test_a_passkey_logs_in_steps_in_and_proves(server: Server, algorithm: int) -> None:
    someone = await person(server)
    async with GatewayClient(someone) as client:
        await client.identify()
        key = await with_passkey(someone, key_for(server, algorithm=algorithm))
        told = await client.event("USER_UPDATE")
        assert (told["mfa_enabled"], told["authenticator_types"]) == (True, [2])
    issued = (await log_in(server, key)).json()
    assert issued["user_id"] == someone.id
    assert issued["token"].startswith("flx_")
    asked = await ticket(someone)
    assert asked["allowed_methods"] == ["webauthn"]
    where = "/auth/login/mfa/webauthn"
    options = await stranger(server).ok(
        "POST", f"{where}/authentication-options", {"ticket": asked["ticket"]}
    )
    assert [each["id"] for each in options["allowCredentials"]] == [key.id]
    body = {"ticket": asked["ticket"], "response": key.sign(options), "challenge": options["challenge"]}
    assert (await stranger(server).ok("POST", where, body))["user_id"] == someone.id
    shown = (await someone.ok("GET", CREDENTIALS))[0]
    assert (shown["id"], shown["name"]) == (key.id, "Key")
    assert shown["last_used_at"]
    sudo = await passkey_proof(someone, key)
    await someone.ok("PATCH", f"{CREDENTIALS}/{key.id}", {"name": "Blue one", **sudo})
    assert (await someone.ok("GET", CREDENTIALS))[0]["name"] == "Blue one"
    gone = await _delete(someone, key.id, await passkey_proof(someone, key))
    assert gone.status_code == 204
    assert (await someone.ok("GET", "/users/@me"))["mfa_enabled"] is False
    assert code_of(await log_in(server, key)) == "PASSKEY_AUTHENTICATION_FAILED"


async def _delete(someone: Person, credential_id: str, sudo: dict[str, Any]) -> Any:
    # httpx's `delete` has no body; `request` does.
    return await someone.call("DELETE", f"{CREDENTIALS}/{credential_id}", sudo)


async def test_lies_are_seen_through(server: Server) -> None:
    someone, other = await person(server), await person(server)
    key = await with_passkey(someone, key_for(server))
    foreign = await with_passkey(other, key_for(server))
    failed = "PASSKEY_AUTHENTICATION_FAILED"
    assert code_of(await log_in(server, key_for(server))) == failed
    assert code_of(await log_in(server, key, signature=b"\x30\x06\x02\x01\x01\x02\x01\x01")) == failed
    assert code_of(await log_in(server, key, challenge="AAAA")) == failed
    assert code_of(await log_in(server, key, flags=PRESENT)) == failed, "alone it must know who holds it"
    assert code_of(await log_in(server, key, flags=VERIFIED)) == failed
    handle = base64.urlsafe_b64encode(other.id.encode()).rstrip(b"=").decode()
    assert code_of(await log_in(server, key, user_handle=handle)) == failed
    liar = key_for(server, credential_id=key.credential_id)
    assert code_of(await log_in(server, liar)) == failed
    for lie in ({"origin": "http://evil.example"}, {"rp_id": "evil.example"}):
        true = vars(key).copy()
        for name, value in lie.items():
            setattr(key, name, value)
        assert code_of(await log_in(server, key)) == failed
        vars(key).update({name: true[name] for name in lie})
    assert (await log_in(server, key)).status_code == 200
    key.sign_count -= 1
    assert code_of(await log_in(server, key)) == failed, "a counter that stands still is a copied key"
    key.sign_count += 5
    assert (await log_in(server, key)).status_code == 200
    # A second step with somebody else's passkey, and with a challenge that was made for something else.
    asked = await ticket(someone)
    where = "/auth/login/mfa/webauthn"
    options = await stranger(server).ok(
        "POST", f"{where}/authentication-options", {"ticket": asked["ticket"]}
    )
    body = {"ticket": asked["ticket"], "response": foreign.sign(options), "challenge": options["challenge"]}
    assert code_of(await stranger(server).call("POST", where, body)) == failed
    options = await stranger(server).ok("POST", OPTIONS)
    body = {"ticket": asked["ticket"], "response": key.sign(options), "challenge": options["challenge"]}
    assert code_of(await stranger(server).call("POST", where, body)) == failed


async def test_a_challenge_works_once_and_for_five_minutes(server: Server) -> None:
    someone = await person(server)
    key = await with_passkey(someone, key_for(server))
    options = await stranger(server).ok("POST", OPTIONS)
    bodies = [{"response": key.sign(options), "challenge": options["challenge"]} for _ in range(6)]
    answers = await asyncio.gather(*(stranger(server).call("POST", LOGIN, body) for body in bodies))
    assert sorted(answer.status_code for answer in answers)[1:] == [401] * 5
    options = await stranger(server).ok("POST", OPTIONS)
    await server.sandbox.clock(301)
    body = {"response": key.sign(options), "challenge": options["challenge"]}
    assert code_of(await stranger(server).call("POST", LOGIN, body)) == "PASSKEY_AUTHENTICATION_FAILED"
    assert (await log_in(server, key)).status_code == 200


async def test_registration_takes_only_what_verifies(server: Server) -> None:
    someone = await unlimited(await person(server))
    sudo = {"password": PASSWORD}

    async def attempt(key: Authenticator, **lies: Any) -> Any:
        options = await someone.ok("POST", f"{CREDENTIALS}/registration-options", sudo)
        body = {
            "response": key.register(options, **lies),
            "challenge": options["challenge"],
            "name": "x",
            **sudo,
        }
        return await someone.call("POST", CREDENTIALS, body)

    wrong = "INVALID_WEBAUTHN_CREDENTIAL"
    for lies in ({"attestation": b"\xff\x00"}, {"attestation": os.urandom(300)}, {"challenge": "AAAA"}):
        assert code_of(await attempt(key_for(server), **lies)) == wrong, lies
    assert code_of(await attempt(Authenticator("http://evil.example"))) == wrong
    assert code_of(await attempt(key_for(server, rp_id="evil.example"))) == wrong
    for response in ({}, {"id": 1}, {"id": "x", "rawId": "x", "type": "public-key", "response": []}):
        options = await someone.ok("POST", f"{CREDENTIALS}/registration-options", sudo)
        body = {"response": response, "challenge": options["challenge"], "name": "x", **sudo}
        assert code_of(await someone.call("POST", CREDENTIALS, body)) == wrong
        hostile = {"response": response, "challenge": options["challenge"]}
        assert code_of(await stranger(server).call("POST", LOGIN, hostile)) == "PASSKEY_AUTHENTICATION_FAILED"
    assert await someone.ok("GET", CREDENTIALS) == []
    key = await with_passkey(someone, key_for(server))
    # The same credential in another account.
    other = await person(server)
    options = await other.ok("POST", f"{CREDENTIALS}/registration-options", sudo)
    body = {"response": key.register(options), "challenge": options["challenge"], "name": "x", **sudo}
    assert code_of(await other.call("POST", CREDENTIALS, body)) == wrong
    assert (await other.ok("GET", "/users/@me"))["mfa_enabled"] is False


async def test_no_more_than_ten_however_many_are_made_at_once(server: Server) -> None:
    someone = await unlimited(await person(server))
    app, _ = await with_app(someone)
    made = await someone.call("POST", f"{CREDENTIALS}/registration-options", proof(app))
    token = {"X-Fluxer-Sudo-Mode-JWT": made.headers["X-Fluxer-Sudo-Mode-JWT"]}
    bodies = []
    for _ in range(14):
        options = await someone.ok("POST", f"{CREDENTIALS}/registration-options", headers=token)
        key = key_for(server)
        bodies.append({"response": key.register(options), "challenge": options["challenge"], "name": "Key"})
    answers = await asyncio.gather(
        *(someone.call("POST", CREDENTIALS, body, headers=token) for body in bodies)
    )
    assert sorted(answer.status_code for answer in answers) == [204] * 10 + [400] * 4
    refused = {code_of(answer) for answer in answers if answer.status_code == 400}
    assert refused == {"WEBAUTHN_CREDENTIAL_LIMIT_REACHED"}
    shown = await someone.ok("GET", CREDENTIALS)
    assert len(shown) == 10
    options = await someone.call("POST", f"{CREDENTIALS}/registration-options", headers=token)
    assert code_of(options) == "WEBAUTHN_CREDENTIAL_LIMIT_REACHED"
    answers = await asyncio.gather(
        *(someone.call("DELETE", f"{CREDENTIALS}/{each['id']}", headers=token) for each in shown[:3] * 2)
    )
    assert sorted(answer.status_code for answer in answers) == [204] * 3 + [404] * 3
    await someone.ok("POST", f"{CREDENTIALS}/registration-options", headers=token)


SUDO_OPTIONS = "/users/@me/sudo/webauthn/authentication-options"
CHECK = ("POST", "/auth/sessions/logout")


async def _sudo(someone: Person, key: Authenticator, **lies: Any) -> Any:
    options = await someone.ok("POST", SUDO_OPTIONS)
    return await _prove(someone, key.sign(options, **lies), options["challenge"])


async def _prove(someone: Person, response: dict[str, Any], challenge: str) -> Any:
    body = {
        "session_id_hashes": [],
        "mfa_method": "webauthn",
        "webauthn_response": response,
        "webauthn_challenge": challenge,
    }
    return await someone.call(*CHECK, body)


async def test_sudo_by_passkey_is_no_easier_than_a_login(server: Server) -> None:
    someone, other = await unlimited(await person(server)), await person(server)
    key, foreign = await with_passkey(someone, key_for(server)), await with_passkey(other, key_for(server))
    failed = "PASSKEY_AUTHENTICATION_FAILED"
    assert (await _sudo(someone, key)).status_code == 204
    assert code_of(await _sudo(someone, foreign)) == failed
    assert code_of(await _sudo(someone, key, challenge="AAAA")) == failed
    for name, value in (("origin", "http://evil.example"), ("rp_id", "evil.example")):
        true = getattr(key, name)
        setattr(key, name, value)
        assert code_of(await _sudo(someone, key)) == failed, name
        setattr(key, name, true)
    # A challenge is for one account, one purpose, one answer and five minutes.
    theirs = await other.ok("POST", SUDO_OPTIONS)
    assert code_of(await _prove(someone, key.sign(theirs), theirs["challenge"])) == failed
    login = await stranger(server).ok("POST", OPTIONS)
    assert code_of(await _prove(someone, key.sign(login), login["challenge"])) == failed
    options = await someone.ok("POST", SUDO_OPTIONS)
    answers = await asyncio.gather(
        *(_prove(someone, key.sign(options), options["challenge"]) for _ in range(4))
    )
    assert sorted(answer.status_code for answer in answers) == [204] + [401] * 3
    late = await someone.ok("POST", SUDO_OPTIONS)
    body = {"response": key.sign(late), "challenge": late["challenge"]}
    assert code_of(await stranger(server).call("POST", LOGIN, body)) == failed, "nor does it log anybody in"
    late = await someone.ok("POST", SUDO_OPTIONS)
    await server.sandbox.clock(301)
    assert code_of(await _prove(someone, key.sign(late), late["challenge"])) == failed
    # A copy of the authenticator that has fallen behind.
    assert (await _sudo(someone, key)).status_code == 204
    key.sign_count -= 1
    assert code_of(await _sudo(someone, key)) == failed


async def test_of_two_copies_of_a_passkey_one_gets_in(server: Server) -> None:
    someone = await person(server)
    key = await with_passkey(someone, key_for(server))
    bodies = []
    for _ in range(6):
        options = await stranger(server).ok("POST", OPTIONS)
        key.sign_count = 0
        bodies.append({"response": key.sign(options), "challenge": options["challenge"]})
    answers = await asyncio.gather(*(stranger(server).call("POST", LOGIN, body) for body in bodies))
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 5
    # One that does not count is believed each time.
    plain = await with_passkey(await person(server), key_for(server, counts=False))
    assert [(await log_in(server, plain)).status_code for _ in range(3)] == [200] * 3


async def test_a_passkey_registered_twice_at_once_is_there_once(server: Server) -> None:
    someone, other = await unlimited(await person(server)), await unlimited(await person(server))
    key = key_for(server)
    sudo = {"password": PASSWORD}
    asked = []
    for who in (someone, someone, other, other):
        options = await who.ok("POST", f"{CREDENTIALS}/registration-options", sudo)
        response = key.register(options)
        body = {"response": response, "challenge": options["challenge"], "name": "Key", **sudo}
        asked.append((who, body))
    # The first of each once more: a challenge takes one registration.
    answers = await asyncio.gather(
        *(who.call("POST", CREDENTIALS, body) for who, body in (*asked, asked[0], asked[2]))
    )
    codes = sorted(answer.status_code for answer in answers)
    assert codes.count(204) == 1, codes
    refused = {code_of(answer) for answer in answers if answer.status_code != 204}
    # Who has the passkey by then needs it, and no password, for the next.
    assert refused <= {"INVALID_WEBAUTHN_CREDENTIAL", "SUDO_MODE_REQUIRED"}
    shown = [await who.ok("GET", CREDENTIALS) for who in (someone, other)]
    assert sorted(len(each) for each in shown) == [0, 1]
    for who, has in zip((someone, other), shown, strict=True):
        assert (await who.ok("GET", "/users/@me"))["mfa_enabled"] is bool(has)


async def test_nobody_touches_the_passkeys_of_others(server: Server) -> None:
    someone, other = await person(server), await person(server)
    key = await with_passkey(someone, key_for(server))
    sudo = {"password": PASSWORD}
    unknown = "UNKNOWN_WEBAUTHN_CREDENTIAL"
    path = f"{CREDENTIALS}/{key.id}"
    assert code_of(await other.call("PATCH", path, {"name": "mine", **sudo})) == unknown
    assert code_of(await _delete(other, key.id, sudo)) == unknown
    assert code_of(await other.call("PATCH", path, {"name": "mine"})) == "SUDO_MODE_REQUIRED"
    assert code_of(await _delete(someone, key.id, sudo)) == "SUDO_MODE_REQUIRED", "a password is not enough"
    proven = await passkey_proof(someone, key)
    for name in ("", "x" * 500, 5, None):
        answer = await someone.call("PATCH", path, {"name": name, **proven})
        assert code_of(answer) == "VALIDATION_ERROR", name
    assert [each["name"] for each in await someone.ok("GET", CREDENTIALS)] == ["Key"]
    assert (await log_in(server, key)).status_code == 200


async def test_an_answer_of_the_other_ceremony_proves_nothing(server: Server) -> None:
    someone = await person(server)
    key = await with_passkey(someone, key_for(server))
    options = await stranger(server).ok("POST", OPTIONS)
    answer = key.sign(options, kind="webauthn.create")
    body = {"response": answer, "challenge": options["challenge"]}
    assert code_of(await stranger(server).call("POST", LOGIN, body)) == "PASSKEY_AUTHENTICATION_FAILED"
    assert code_of(await log_in(server, key, credential_type="password")) == "PASSKEY_AUTHENTICATION_FAILED"
    # An authenticator that signs with an algorithm nobody offered.
    fresh = await person(server)
    options = await fresh.ok("POST", f"{CREDENTIALS}/registration-options", {"password": PASSWORD})
    weak = key_for(server, algorithm=-65535)
    response = weak.register({**options, "pubKeyCredParams": [{"alg": -65535}]})
    body = {"response": response, "challenge": options["challenge"], "name": "x", "password": PASSWORD}
    assert code_of(await fresh.call("POST", CREDENTIALS, body)) == "INVALID_WEBAUTHN_CREDENTIAL"


async def test_the_database_lets_a_counter_only_grow(database: Database) -> None:
    """What no race can be steered to: two that were both believed before either was written down."""
    await migrate(database, [community_migrations()])
    person_ = {"id": 1, "name": "ada", "now": 5}
    passkey = {
        "credential_id": "k",
        "user_id": 1,
        "public_key": b"p",
        "name": "",
        "transports": b"[]",
        "now": 5,
    }

    async def work(tx: Transaction) -> list[bool]:
        await tx.run(
            "INSERT INTO community_users (id, username, username_folded, discriminator, created_at) "
            "VALUES (:id, :name, :name, 1, :now)",
            person_,
        )
        await repository.add(tx, passkey | {"sign_count": 4})
        return [await repository.used(tx, "k", count, 6) for count in (5, 5, 4, 0, 7)]

    assert await database.transact(work) == [True, False, False, False, True]
