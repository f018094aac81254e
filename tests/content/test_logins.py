"""Guessing a password, over the wire: so many wrong ones, at the same time or one after another, and no more."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import httpx
import pytest

from tests.harness.server import Server, serve

pytestmark = pytest.mark.asyncio
WRONG = "not the password"


async def log_in(server: Server, email: str, password: str) -> httpx.Response:
    return await server.http.post("/content/account/auth/", json={"email": email, "password": password})


async def test_wrong_passwords_are_counted_by_address_and_e_mail(tmp_path: Path) -> None:
    settings = {"content.failed_login_rate_limit": "3/600s"}
    async with serve(tmp_path, settings=settings) as server:
        content = server.operator["content"]
        email, right = content["email"], content["password"]
        for _ in range(5):
            assert (await log_in(server, email, right)).status_code == 200
        assert (await log_in(server, email, WRONG)).status_code == 401
        # Who comes in begins anew.
        assert (await log_in(server, email, right)).status_code == 200
        answers = await asyncio.gather(*(log_in(server, email, WRONG) for _ in range(8)))
        assert Counter(answer.status_code for answer in answers) == {401: 3, 429: 5}
        for told in (await log_in(server, email.upper(), right), await log_in(server, email, right)):
            assert (told.status_code, told.json()["error_code"]) == (429, "rate_limited")
            assert int(told.headers["retry-after"]) >= 1
        assert (await log_in(server, "else@flux.test", WRONG)).status_code == 401


async def test_an_address_logs_in_so_often(tmp_path: Path) -> None:
    async with serve(tmp_path, settings={"content.login_rate_limit": "4/600s"}) as server:
        answers = [await log_in(server, f"{number}@flux.test", WRONG) for number in range(6)]
        assert [answer.status_code for answer in answers] == [401, 401, 401, 401, 429, 429]
