"""People, bots and guilds for tests, made through the real door.

Every person comes from an address of their own, so that nobody shares a rate-limit bucket with a neighbour.
"""

from __future__ import annotations

import itertools
import os
import secrets
from dataclasses import dataclass, field
from typing import Any

import httpx
from tests.harness.server import Server

API = "/community/v1"
PASSWORD = "correct horse battery"
SOLVED = {"X-Captcha-Token": "ok"}
"""For servers with the sandbox's captcha; others do not look at it."""
_numbers = itertools.count(os.getpid() * 1009 % 60_000)


def new_address() -> str:
    number = next(_numbers)
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


@dataclass
class Actor:
    """Somebody with a token. `call` returns the answer, `ok` its JSON after checking that it is a success."""

    server: Server
    address: str
    authorization: str | None = None
    id: str = ""
    more: dict[str, str] = field(default_factory=dict)

    async def call(self, method: str, path: str, json: Any = None, **options: Any) -> httpx.Response:
        headers = {"X-Forwarded-For": self.address, **self.more, **options.pop("headers", {})}
        if self.authorization:
            headers.setdefault("Authorization", self.authorization)
        body = {} if json is None else {"json": json}
        # Everybody here shares one client, which would keep one's sudo cookie for the next.
        self.server.http.cookies.clear()
        return await self.server.http.request(method, API + path, headers=headers, **body, **options)

    async def ok(self, method: str, path: str, json: Any = None, **options: Any) -> Any:
        answer = await self.call(method, path, json, **options)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None


@dataclass
class Person(Actor):
    email: str = ""
    username: str = ""

    async def mail(self, kind: str) -> str:
        """The token in the newest mail of that kind."""
        for letter in await self.server.sandbox.outbox(self.email):
            if letter["data"]["kind"] == kind:
                return str(letter["data"]["token"])
        raise AssertionError(f"no {kind} mail for {self.email}")

    async def login(self, *, address: str | None = None, password: str = PASSWORD) -> httpx.Response:
        body = {"email": self.email, "password": password}
        headers = {"X-Forwarded-For": address or self.address, **SOLVED}
        return await self.server.http.post(f"{API}/auth/login", json=body, headers=headers)


def stranger(server: Server) -> Actor:
    return Actor(server, new_address())


async def person(server: Server, *, verified: bool = True, **more: Any) -> Person:
    """A registered account, with its e-mail address verified."""
    name = f"user_{secrets.token_hex(4)}"
    someone = Person(server, new_address(), email=f"{name}@example.test", username=name)
    body = {
        "email": someone.email,
        "username": name,
        "password": PASSWORD,
        "date_of_birth": "1990-05-17",
        "consent": True,
        **more,
    }
    issued = await someone.ok("POST", "/auth/register", body, headers=SOLVED)
    someone.authorization, someone.id = issued["token"], issued["user_id"]
    if verified:
        await someone.ok("POST", "/auth/verify", {"token": await someone.mail("verify")})
    return someone


def admin(server: Server) -> Actor:
    """Whoever holds the instance's admin key."""
    return Actor(server, new_address(), f"Admin {server.operator['admin_token']}")


async def unlimited(someone: Person) -> Person:
    """The same person, past every rate limit."""
    body = {"user_id": someone.id, "add_flags": [str(1 << 47)]}
    await admin(someone.server).ok("POST", "/admin/users/update-flags", body)
    return someone


@dataclass
class Guild:
    id: str
    owner: Person
    text: str
    voice: str
    category: str

    async def invite(self, by: Actor | None = None, **options: Any) -> str:
        made = await (by or self.owner).ok("POST", f"/channels/{self.text}/invites", options)
        return str(made["code"])

    async def admit(self, *people: Actor) -> None:
        code = await self.invite()
        for someone in people:
            await someone.ok("POST", f"/invites/{code}")

    async def role(self, permissions: int, *members: Actor, **more: Any) -> str:
        body = {"name": "role", "permissions": str(permissions), **more}
        made = await self.owner.ok("POST", f"/guilds/{self.id}/roles", body)
        for someone in members:
            await self.owner.ok("PUT", f"/guilds/{self.id}/members/{someone.id}/roles/{made['id']}")
        return str(made["id"])

    async def say(self, by: Actor, content: str = "hello", **more: Any) -> dict[str, Any]:
        return dict(await by.ok("POST", f"/channels/{self.text}/messages", {"content": content, **more}))


async def guild(owner: Person, name: str = "Test guild") -> Guild:
    made = await owner.ok("POST", "/guilds", {"name": name})
    channels = await owner.ok("GET", f"/guilds/{made['id']}/channels")
    of = {channel["type"]: channel["id"] for channel in channels}
    return Guild(made["id"], owner, of[0], of[2], of[4])


async def bot(owner: Person, **more: Any) -> tuple[Actor, dict[str, Any]]:
    """A bot of a new application, and the application as it was answered (with its secrets)."""
    application = await owner.ok("POST", "/oauth2/applications", {"name": "Test bot", **more})
    token = application["bot"]["token"]
    return Actor(owner.server, new_address(), f"Bot {token}", application["id"]), application


async def add_bot(owner: Person, application_id: str, guild_id: str, permissions: str = "0") -> None:
    body = {"client_id": application_id, "scope": "bot", "guild_id": guild_id, "permissions": permissions}
    await owner.ok("POST", "/oauth2/authorize/consent", body)


async def bearer(user: Person, application: dict[str, Any], scope: str = "identify") -> Actor:
    """A token of that application for that user."""
    uri = application["redirect_uris"][0]
    asked = {"client_id": application["id"], "scope": scope, "response_type": "code", "redirect_uri": uri}
    given = await user.ok("POST", "/oauth2/authorize/consent", asked)
    code = httpx.URL(given["redirect_to"]).params["code"]
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": uri,
        "client_id": application["id"],
        "client_secret": application["client_secret"],
    }
    token = await stranger(user.server).ok("POST", "/oauth2/token", data=form)
    return Actor(user.server, new_address(), f"Bearer {token['access_token']}", user.id)
