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
