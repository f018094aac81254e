"""Captchas: ALTCHA solved for real, and the remote verifiers against a peer on loopback."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from tests.community.actors import PASSWORD, stranger
from tests.harness.server import Server, serve

CHALLENGE = "/auth/captcha/challenge"


def solved(challenge: dict[str, Any], /, **lies: Any) -> str:
    """As the ALTCHA widget does it, by trying."""
    number = next(
        each
        for each in range(challenge["maxnumber"] + 1)
        if hashlib.sha256(f"{challenge['salt']}{each}".encode()).hexdigest() == challenge["challenge"]
    )
    told = {**challenge, "number": number, "took": 12, **lies}
    told.pop("maxnumber")
    return base64.b64encode(json.dumps(told).encode()).decode()


def spliced(challenge: dict[str, Any], moved: int) -> str:
    """The same solution with the first digits of its number written at the end of its salt."""
    told = json.loads(base64.b64decode(solved(challenge)))
    digits = str(told["number"])
    moved = min(moved, len(digits) - 1)
    told |= {"salt": challenge["salt"] + digits[:moved], "number": int(digits[moved:])}
    return base64.b64encode(json.dumps(told).encode()).decode()


async def try_(server: Server, token: str | None, kind: str | None = None) -> Any:
    headers = {"X-Captcha-Token": token} if token is not None else {}
    if kind is not None:
        headers["X-Captcha-Type"] = kind
    body = {"email": "nobody@example.test"}
    return await stranger(server).call("POST", "/auth/forgot", body, headers=headers)


async def test_altcha_is_solved_once_within_its_time(tmp_path: Path) -> None:
    settings = {"community.captcha.provider": "altcha", "community.captcha.altcha_work": 3000}
    async with serve(tmp_path, settings=settings) as server:
        anybody = stranger(server)
        told = (await anybody.ok("GET", "/.well-known/fluxer"))["captcha"]
        assert told["provider"] == "altcha"
        assert told["altcha_challenge_url"] == f"{server.origin}/community/v1{CHALLENGE}"
        for path, body in (
            ("/auth/login", {"email": "a@b.example", "password": PASSWORD}),
            ("/auth/register", {"date_of_birth": "1990-01-01", "consent": True}),
            ("/auth/forgot", {"email": "a@b.example"}),
        ):
            assert (await anybody.call("POST", path, body)).json()["code"] == "CAPTCHA_REQUIRED"
        challenge = await anybody.ok("GET", CHALLENGE)
        token = solved(challenge)
        answers = await asyncio.gather(*(try_(server, token) for _ in range(6)))
        assert sorted(answer.status_code for answer in answers) == [204] + [400] * 5
        respelled = base64.b64encode(b" " + base64.b64decode(token)).decode()
        assert (await try_(server, respelled)).json()["code"] == "INVALID_CAPTCHA"
        for lies in (
            {"signature": "0" * 64},
            {"number": 1 << 40},
            {"algorithm": "SHA-1"},
            {"salt": challenge["salt"].partition("?")[0] + "?expires=99999999999"},
            {"number": "1"},
            {"challenge": 5},
        ):
            fresh = await anybody.ok("GET", CHALLENGE)
            assert (await try_(server, solved(fresh, **lies))).json()["code"] == "INVALID_CAPTCHA", lies
        for nonsense in ("x", "////", base64.b64encode(b"[]").decode(), "A" * 3000, "ok"):
            assert (await try_(server, nonsense)).json()["code"] == "INVALID_CAPTCHA", nonsense
        for moved in range(1, 4):
            fresh = await anybody.ok("GET", CHALLENGE)
            await server.sandbox.clock(601)
            again = (await try_(server, spliced(fresh, moved))).json()
            assert again["code"] == "INVALID_CAPTCHA", "digits moved from the number do not lengthen its life"
        fresh = solved(await anybody.ok("GET", CHALLENGE))
        assert (await try_(server, fresh, "hcaptcha")).json()["code"] == "INVALID_CAPTCHA"
        await server.sandbox.clock(601)
        assert (await try_(server, fresh)).json()["code"] == "INVALID_CAPTCHA"
        assert (await try_(server, solved(await anybody.ok("GET", CHALLENGE)), "altcha")).status_code == 204


async def test_without_altcha_there_are_no_challenges(server: Server) -> None:
    assert (await stranger(server).call("GET", CHALLENGE)).json()["code"] == "NOT_IMPLEMENTED"


PIECE_SECONDS = 0.2
LONG = b'{"success": true, "cdata": "' + b"x" * 100_000 + b'"}'
REFUSED = b'{"success": false, "error-codes": ["invalid-input-response"]}'
ANSWERS = {
    "good": (
        "200 OK",
        b'{"success": true, "hostname": "x", "challenge_ts": "2026-01-01T00:00:00Z", "error-codes": []}',
    ),
    "split": ("200 OK", b'{"success": true}'),
    "drip": ("200 OK", b'{"success": true}'),
    "broken": ("500 Oops", b"no"),
    "overloaded": ("503 Busy", b'{"success": true}'),
    "limited": ("429 Slow down", b'{"success": true}'),
    "nonsense": ("200 OK", b"<html>"),
    "empty": ("200 OK", b""),
    "text": ("200 OK", b'{"success": "true"}'),
    "number": ("200 OK", b'{"success": 1}'),
    "list": ("200 OK", b'[{"success": true}]'),
    "bytes": ("200 OK", b'\xff\xfe{"success": true}'),
    "deep": ("200 OK", b'{"success": true, "a": ' + b"[" * 5000 + b"]" * 5000 + b"}"),
    "long": ("200 OK", LONG),
    "secret": ("200 OK", b'{"success": false, "error-codes": ["invalid-input-secret"]}'),
    "moved": ("302 Found", b""),
    "head": ("200 OK\r\nX-Long: " + "x" * 20_000, b'{"success": true}'),
    "packed": ("200 OK\r\nContent-Encoding: gzip", b"not gzip at all"),
}
BECOMES = {
    "broken": 502, "overloaded": 502, "limited": 502, "nonsense": 502, "empty": 502, "text": 502, "number": 502, "list": 502,
    "bytes": 502, "deep": 502, "long": 502, "secret": 502, "moved": 502, "head": 503, "packed": 503, "gone": 503,
    "cut": 503, "silent": 504, "drip": 504,
}  # fmt: skip


class Verifier:
    """A siteverify peer: the token says what it answers."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.url = ""
        self.over = asyncio.Event()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(head.partition("content-length:")[2].split("\r\n")[0])
        form = {
            name: values[0] for name, values in parse_qs((await reader.readexactly(length)).decode()).items()
        }
        self.asked.append(form)
        try:
            await self._say(form["response"], writer)
        except OSError:
            pass  # who asked did not want to wait
        writer.close()

    async def _say(self, token: str, writer: asyncio.StreamWriter) -> None:
        if token == "silent":
            await self.over.wait()
        status, body = ANSWERS.get(token, ("200 OK", REFUSED))
        pieces = [body[at : at + 1] for at in range(len(body))] if token == "drip" else [body]
        if token == "split":
            pieces = [body[:7], body[7:]]
        if token != "gone":
            missing = 1000 if token == "cut" else 0
            writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body) + missing}\r\n\r\n".encode())
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
                if len(pieces) > 1:
                    await asyncio.sleep(PIECE_SECONDS)


@asynccontextmanager
async def verifier() -> AsyncIterator[Verifier]:
    peer = Verifier()
    listening = await asyncio.start_server(peer.answer, "127.0.0.1", 0)
    peer.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/siteverify"
    yield peer
    peer.over.set()
    listening.close()


@pytest.mark.parametrize("kind", ["hcaptcha", "turnstile"])
async def test_a_remote_verifier_is_asked_and_believed(tmp_path: Path, kind: str) -> None:
    async with verifier() as peer:
        settings = {
            "community.captcha.provider": kind,
            f"community.captcha.{kind}_secret": "the-secret",
            f"community.captcha.{kind}_site_key": "the-site",
            f"community.captcha.{kind}_url": peer.url,
            "server.port_deadline_seconds": 1.5,
        }
        async with serve(tmp_path, settings=settings) as server:
            assert (await try_(server, None)).json()["code"] == "CAPTCHA_REQUIRED"
            assert (await try_(server, "good")).status_code == 204
            assert (await try_(server, "bad", kind)).json()["code"] == "INVALID_CAPTCHA"
            asked = peer.asked[0]
            assert (asked["secret"], asked["response"]) == ("the-secret", "good")
            assert asked["remoteip"].startswith("10.")
            assert asked.get("sitekey") == ("the-site" if kind == "hcaptcha" else None)
            count = len(peer.asked)
            assert (await try_(server, "good", "altcha")).json()["code"] == "INVALID_CAPTCHA"
            assert len(peer.asked) == count
            assert (await try_(server, "split")).status_code == 204, "an answer may come in pieces"
            codes = {502: "BAD_GATEWAY", 503: "SERVICE_UNAVAILABLE", 504: "GATEWAY_TIMEOUT"}
            for token, status in BECOMES.items():
                refused = await try_(server, token)
                assert (refused.status_code, refused.json()["code"]) == (status, codes[status]), token
                assert "the-secret" not in refused.text
            assert (await try_(server, "good")).status_code == 204, "and afterwards all is well"
            assert "the-secret" not in server.log()
