"""People with second factors, for tests: authenticator apps, phones and passkeys."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import os
import secrets
import time
from dataclasses import dataclass
from typing import Any

import httpx
from tests.community.actors import PASSWORD, Person, new_address, stranger
from tests.community.authenticator import Authenticator
from tests.harness.server import Server

_phones = itertools.count(os.getpid() * 7919 % 9_000_000)


@dataclass
class App:
    """An authenticator app: RFC 6238, written apart from the server's."""

    seed: bytes
    ahead: float = 0.0
    """Seconds by which the server's clock is ahead of ours."""

    @property
    def secret(self) -> str:
        return base64.b32encode(self.seed).decode().rstrip("=")

    def code(self, steps: int = 0) -> str:
        counter = int((time.time() + self.ahead) // 30) + steps
        digest = hmac.new(self.seed, counter.to_bytes(8, "big"), hashlib.sha1).digest()
        start = digest[19] & 0xF
        return str((int.from_bytes(digest[start : start + 4], "big") & 0x7FFFFFFF) % 10**6).zfill(6)

    async def set(self, someone: Person) -> None:
        """By the server's clock, which other tests may have moved: its rate-limit headers tell the time."""
        headers = (await stranger(someone.server).call("GET", "/gateway")).headers
        now = float(headers["X-RateLimit-Reset"]) - float(headers["X-RateLimit-Reset-After"])
        self.ahead = now - time.time()

    def wrong(self) -> str:
        near = {self.code(steps) for steps in range(-3, 4)}
        return next(code for code in ("000000", "000001", "000002", "000003", "000004", "000005", "000006", "000007") if code not in near)  # fmt: skip


async def with_app(someone: Person) -> tuple[App, list[str]]:
    """One-time codes switched on: the app and the backup codes."""
    app = App(secrets.token_bytes(20))
    await app.set(someone)
    body = {"secret": app.secret, "code": app.code(), "password": PASSWORD}
    made = await someone.ok("POST", "/users/@me/mfa/totp/enable", body)
    return app, [each["code"] for each in made["backup_codes"]]


def proof(app: App) -> dict[str, str]:
    """What sudo asks of somebody with an app."""
    return {"mfa_method": "totp", "mfa_code": app.code()}


async def ticket(someone: Person) -> dict[str, Any]:
    """What a right password gives somebody with a second factor."""
    answer = (await someone.login(address=new_address())).json()
    assert answer.get("mfa") is True, answer
    return dict(answer)


def new_phone() -> str:
    return f"+1555{next(_phones):07d}"


async def text_code(server: Server, phone: str) -> str:
    """The code in the newest text to that number."""
    letters = [each for each in await server.sandbox.outbox(phone) if each["channel"] == "sms"]
    return str(letters[0]["data"]["code"])


async def add_phone(someone: Person, phone: str, **sudo: Any) -> httpx.Response:
    await someone.ok("POST", "/users/@me/phone/send-verification", {"phone": phone})
    body = {"phone": phone, "code": await text_code(someone.server, phone)}
    token = (await someone.ok("POST", "/users/@me/phone/verify", body))["phone_token"]
    proven = sudo or {"password": PASSWORD}
    return await someone.call("POST", "/users/@me/phone", {"phone_token": token, **proven})


CREDENTIALS = "/users/@me/mfa/webauthn/credentials"


async def with_passkey(someone: Person, key: Authenticator | None = None, **sudo: Any) -> Authenticator:
    """A passkey registered; `sudo` is the proof, a password unless given."""
    proven = sudo or {"password": PASSWORD}
    options = await someone.ok("POST", f"{CREDENTIALS}/registration-options", proven)
    key = key or Authenticator(someone.server.origin.replace("127.0.0.1", "localhost"))
    body = {"response": key.register(options), "challenge": options["challenge"], "name": "Key", **proven}
    await someone.ok("POST", CREDENTIALS, body)
    return key


async def passkey_proof(someone: Person, key: Authenticator) -> dict[str, Any]:
    """Sudo by passkey."""
    options = await someone.ok("POST", "/users/@me/sudo/webauthn/authentication-options")
    return {
        "mfa_method": "webauthn",
        "webauthn_response": key.sign(options),
        "webauthn_challenge": options["challenge"],
    }
