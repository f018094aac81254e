"""An environment on a server, and talking to its Management API."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import msgspec

ANSWER_SECONDS = 120.0
PAGE = 100


class PortingError(Exception):
    """Why it cannot go on; a line for the person at the terminal."""


class Refused(PortingError):
    """The server refused a request."""

    def __init__(self, method: str, path: str, status: int, body: Any) -> None:
        self.status = status
        self.code = body.get("error_code") if isinstance(body, dict) else None
        self.detail = body.get("detail") if isinstance(body, dict) else None
        told = "" if self.detail is None else f" {json.dumps(self.detail, ensure_ascii=False)[:2000]}"
        super().__init__(f"{method} {path}: {status} {self.code or body}{told}")


@dataclass(frozen=True, slots=True)
class Access:
    """Where and as whom. `environment` None: the one of the operator's file."""

    url: str
    environment: str
    authorization: str


class Target:
    """One environment. Paths are below `/v1/{environment}`."""

    def __init__(self, session: aiohttp.ClientSession, access: Access) -> None:
        self._session = session
        self._access = access

    @property
    def environment(self) -> str:
        return self._access.environment

    async def get(self, path: str, **params: str | int) -> Any:
        return await self._ask("GET", path, None, params)

    async def post(self, path: str, body: Any = None, **params: str | int) -> Any:
        return await self._ask("POST", path, body, params)

    async def put(self, path: str, body: Any, **params: str | int) -> Any:
        return await self._ask("PUT", path, body, params)

    async def delete(self, path: str, **params: str | int) -> None:
        await self._ask("DELETE", path, None, params)

    async def all(self, path: str) -> list[Any]:
        """Every entry of a list, over all its pages."""
        found: list[Any] = []
        while True:
            page = await self.get(path, limit=PAGE, offset=len(found))
            if isinstance(page, list):
                return page
            found += page["results"]
            if page["next"] is None:
                return found

    async def _ask(self, method: str, path: str, body: Any, params: dict[str, Any]) -> Any:
        url = f"{self._access.url}/v1/{self.environment}{path}"
        headers = {"Authorization": self._access.authorization, "Content-Type": "application/json"}
        data = None if body is None else msgspec.json.encode(body)
        try:
            async with self._session.request(
                method, url, data=data, params=params, headers=headers
            ) as answer:
                raw = await answer.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise PortingError(
                f"{self._access.url} does not answer: {error or type(error).__name__}"
            ) from None
        if answer.status >= 300:
            raise Refused(method, path, answer.status, _decoded(raw))
        return _decoded(raw) if raw else None


def _decoded(raw: bytes) -> Any:
    try:
        return msgspec.json.decode(raw)
    except msgspec.DecodeError:
        return raw.decode("utf-8", "replace")


@asynccontextmanager
async def reaching(
    data_dir: Path, url: str | None, environment: str | None, authorization: str | None
) -> AsyncIterator[Target]:
    """By what the command line says, and for the rest by the operator's file of an instance on this machine."""
    timeout = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    async with aiohttp.ClientSession(timeout=timeout, trust_env=False) as session:
        if authorization is None:
            known = _operator(data_dir)
            base = (url or known["management_url"]).rstrip("/")
            authorization = await _signed_in(session, base, known)
            environment = environment or known["environment"]
        elif url is None or environment is None:
            raise PortingError("with a token of your own, say --url and --env too")
        else:
            base = url.rstrip("/")
        yield Target(session, Access(base, environment, authorization))


def _operator(data_dir: Path) -> dict[str, str]:
    path = data_dir / "operator.json"
    try:
        found: dict[str, str] = json.loads(path.read_text("utf-8"))["content"]
        return found
    except (OSError, ValueError, KeyError):
        raise PortingError(
            f"{path} cannot be read: say --data where the instance is, or --url, --env and FLUX_CONTENT_TOKEN"
        ) from None


async def _signed_in(session: aiohttp.ClientSession, base: str, known: dict[str, str]) -> str:
    body = {"email": known.get("email"), "password": known.get("password")}
    try:
        async with session.post(f"{base}/account/auth/", json=body) as answer:
            told = await answer.json(content_type=None)
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError):
        raise PortingError(f"{base} does not answer: is the server running?") from None
    if answer.status != 200:
        raise PortingError(f"{base} does not let the operator in ({answer.status}): set FLUX_CONTENT_TOKEN")
    return f"Bearer {told['access']}"
