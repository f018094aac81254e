"""Codes of the community about proving oneself: passkeys, phones, texts, new addresses. Each leaves things as they were."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
from tests.community.actors import PASSWORD, Person, new_address, person, stranger, unlimited
from tests.community.authenticator import Authenticator
from tests.community.proving import CREDENTIALS, add_phone, new_phone, with_app, with_passkey
from tests.harness.server import Server

Scenario = Callable[[Server], Awaitable[httpx.Response]]
SCENARIOS: dict[str, Scenario] = {}
SETTINGS: dict[str, dict[str, Any]] = {}
SUDO = {"password": PASSWORD}


def reaches(name: str, **settings: Any) -> Callable[[Scenario], Scenario]:
    def register(scenario: Scenario) -> Scenario:
        SCENARIOS[name] = scenario
        if settings:
            SETTINGS[name] = {key.replace("__", "."): value for key, value in settings.items()}
        return scenario

    return register


@asynccontextmanager
async def unchanged(someone: Person) -> AsyncIterator[None]:
    """What the account and its owner's sessions show stays as it was, and no mail or text leaves."""
    before = await _state(someone)
    yield
    assert await _state(someone) == before


async def _state(someone: Person) -> list[Any]:
    me = await someone.ok("GET", "/users/@me")
    letters = await someone.server.sandbox.outbox(someone.email)
    texts = await someone.server.sandbox.outbox(me["phone"]) if me["phone"] else []
    sessions = [each["id_hash"] for each in await someone.ok("GET", "/auth/sessions")]
    passkeys = await someone.call("GET", CREDENTIALS)
    return [me, len(letters), len(texts), sorted(sessions), passkeys.json()]


def key_for(server: Server) -> Authenticator:
    return Authenticator(server.origin.replace("127.0.0.1", "localhost"))


# -- passkeys -------------------------------------------------------------------------------------------------


@reaches("PASSKEYS_DISABLED@403", community__passkeys__enabled=False)
async def passkeys_disabled(server: Server) -> httpx.Response:
    someone = await person(server)
    answer = {"response": {}, "challenge": "x"}
    for method, path, body in (
        ("POST", "/auth/webauthn/authentication-options", None),
        ("POST", "/auth/webauthn/authenticate", answer),
        ("POST", "/users/@me/sudo/webauthn/authentication-options", None),
        ("POST", CREDENTIALS, {**answer, "name": "x", **SUDO}),
        ("POST", f"{CREDENTIALS}/registration-options", SUDO),
        ("PATCH", f"{CREDENTIALS}/x", {"name": "x", **SUDO}),
        ("DELETE", f"{CREDENTIALS}/x", SUDO),
    ):
        refused = await someone.call(method, path, body)
        assert refused.json()["code"] == "PASSKEYS_DISABLED", path
    async with unchanged(someone):
        return await someone.call("GET", CREDENTIALS)


@reaches("NO_PASSKEYS_REGISTERED@404")
async def no_passkeys(server: Server) -> httpx.Response:
    someone = await person(server)
    async with unchanged(someone):
        return await someone.call("POST", "/users/@me/sudo/webauthn/authentication-options")


@reaches("PASSKEY_AUTHENTICATION_FAILED@401")
async def passkey_failed(server: Server) -> httpx.Response:
    someone = await person(server)
    key = await with_passkey(someone, key_for(server))
    async with unchanged(someone):
        options = await stranger(server).ok("POST", "/auth/webauthn/authentication-options")
        body = {"response": key.sign(options), "challenge": "never given out"}
        wrong = await stranger(server).call("POST", "/auth/webauthn/authenticate", body)
        assert wrong.json()["code"] == "PASSKEY_AUTHENTICATION_FAILED"
        options = await stranger(server).ok("POST", "/auth/webauthn/authentication-options")
        body = {"response": key.sign(options, signature=b"no"), "challenge": options["challenge"]}
        return await stranger(server).call("POST", "/auth/webauthn/authenticate", body)


@reaches("UNKNOWN_WEBAUTHN_CREDENTIAL@404")
async def unknown_passkey(server: Server) -> httpx.Response:
    someone, other = await person(server), await person(server)
    key = await with_passkey(other, key_for(server))
    async with unchanged(someone), unchanged(other):
        renamed = await someone.call("PATCH", f"{CREDENTIALS}/{key.id}", {"name": "mine", **SUDO})
        assert renamed.json()["code"] == "UNKNOWN_WEBAUTHN_CREDENTIAL"
        return await someone.call("DELETE", f"{CREDENTIALS}/nope", SUDO)


@reaches("INVALID_WEBAUTHN_CREDENTIAL@400")
async def invalid_passkey(server: Server) -> httpx.Response:
    someone = await person(server)
    async with unchanged(someone):
        options = await someone.ok("POST", f"{CREDENTIALS}/registration-options", SUDO)
        response = key_for(server).register(options, attestation=b"not cbor at all")
        body = {"response": response, "challenge": options["challenge"], "name": "x", **SUDO}
        return await someone.call("POST", CREDENTIALS, body)


@reaches("WEBAUTHN_CREDENTIAL_LIMIT_REACHED@400")
async def too_many_passkeys(server: Server) -> httpx.Response:
    """The published ten, for real; the options asked for before the last one was made do not help."""
    someone = await unlimited(await person(server))
    app, _ = await with_app(someone)
    proven = await someone.call(
        "POST", f"{CREDENTIALS}/registration-options", {"mfa_method": "totp", "mfa_code": app.code()}
    )
    someone.more["X-Fluxer-Sudo-Mode-JWT"] = proven.headers["X-Fluxer-Sudo-Mode-JWT"]
    early = proven.json()
    for _ in range(10):
        await with_passkey(someone, key_for(server), name="Key")
    async with unchanged(someone):
        late = await someone.call("POST", f"{CREDENTIALS}/registration-options")
        assert late.json()["max"] == 10
        body = {"response": key_for(server).register(early), "challenge": early["challenge"], "name": "x"}
        return await someone.call("POST", CREDENTIALS, body)


# -- phones ---------------------------------------------------------------------------------------------------


@reaches("PHONE_VERIFICATION_REQUIRED@403")
async def phone_verification(server: Server) -> httpx.Response:
    someone = await person(server)
    async with unchanged(someone):
        return await someone.call("POST", "/users/@me/phone", {"phone_token": "bogus", **SUDO})


@reaches("PHONE_ALREADY_USED@400")
async def phone_used(server: Server) -> httpx.Response:
    someone, other = await person(server), await person(server)
    phone = new_phone()
    assert (await add_phone(other, phone)).status_code == 204
    async with unchanged(someone), unchanged(other):
        return await someone.call("POST", "/users/@me/phone/send-verification", {"phone": phone})


@reaches("INVALID_PHONE_NUMBER@400")
async def no_phone_number(server: Server) -> httpx.Response:
    someone = await person(server)
    async with unchanged(someone):
        for phone in ("12345", "+", "+0155501", "+1555a501234", "+1234567890123456"):
            refused = await someone.call("POST", "/users/@me/phone/send-verification", {"phone": phone})
            if refused.json()["code"] == "RATE_LIMITED":
                break
            answer = refused
        return answer


@reaches("INVALID_PHONE_VERIFICATION_CODE@400")
async def wrong_phone_code(server: Server) -> httpx.Response:
    someone = await person(server)
    phone = new_phone()
    await someone.ok("POST", "/users/@me/phone/send-verification", {"phone": phone})
    async with unchanged(someone):
        return await someone.call("POST", "/users/@me/phone/verify", {"phone": phone, "code": "wrong"})


@reaches("PHONE_RATE_LIMIT_EXCEEDED@429")
async def too_many_texts(server: Server) -> httpx.Response:
    """Five an hour, whichever number."""
    someone = await unlimited(await person(server))
    for _ in range(5):
        await someone.ok("POST", "/users/@me/phone/send-verification", {"phone": new_phone()})
    async with unchanged(someone):
        answer = await someone.call("POST", "/users/@me/phone/send-verification", {"phone": new_phone()})
    assert 0 < answer.json()["retry_after"] <= 3600
    return answer


@reaches("SMS_MFA_REQUIRES_TOTP@400")
async def texts_need_an_app(server: Server) -> httpx.Response:
    someone = await person(server)
    async with unchanged(someone):
        return await someone.call("POST", "/users/@me/mfa/sms/enable", SUDO)


@reaches("PHONE_REQUIRED_FOR_SMS_MFA@400")
async def texts_need_a_phone(server: Server) -> httpx.Response:
    someone = await person(server)
    app, _ = await with_app(someone)
    async with unchanged(someone):
        sudo = {"mfa_method": "totp", "mfa_code": app.code()}
        return await someone.call("POST", "/users/@me/mfa/sms/enable", sudo)


@reaches("SMS_MFA_NOT_ENABLED@400")
async def texts_are_off(server: Server) -> httpx.Response:
    someone = await person(server)
    async with unchanged(someone):
        sent = await someone.call("POST", "/users/@me/sudo/mfa/sms/send")
        assert sent.json()["code"] == "SMS_MFA_NOT_ENABLED"
        return await someone.call("POST", "/users/@me/mfa/sms/disable", SUDO)


# -- new addresses --------------------------------------------------------------------------------------------


async def _asked(someone: Person) -> dict[str, str]:
    answer = await someone.login(address=new_address())
    assert answer.json()["code"] == "IP_AUTHORIZATION_REQUIRED"
    return {"ticket": answer.json()["ticket"]}


@reaches("IP_AUTHORIZATION_RESEND_COOLDOWN@429")
async def resend_too_soon(server: Server) -> httpx.Response:
    someone = await person(server)
    ticket = await _asked(someone)
    async with unchanged(someone):
        answer = await stranger(server).call("POST", "/auth/ip-authorization/resend", ticket)
    assert 0 < answer.json()["resend_available_in"] <= 30
    return answer


@reaches("IP_AUTHORIZATION_RESEND_LIMIT_EXCEEDED@429")
async def resend_too_often(server: Server) -> httpx.Response:
    someone = await person(server)
    ticket = await _asked(someone)
    first = await someone.mail("authorize-ip")
    await server.sandbox.clock(31)
    await stranger(server).ok("POST", "/auth/ip-authorization/resend", ticket)
    second = await someone.mail("authorize-ip")
    stale = await stranger(server).call("POST", "/auth/authorize-ip", {"token": first})
    assert stale.status_code == 400, "the older mail's token is replaced"
    async with unchanged(someone):
        await server.sandbox.clock(31)
        answer = await stranger(server).call("POST", "/auth/ip-authorization/resend", ticket)
    await stranger(server).ok("POST", "/auth/authorize-ip", {"token": second})
    return answer
