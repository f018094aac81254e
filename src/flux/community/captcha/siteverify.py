"""Asking hCaptcha or Turnstile whether a token is good. Both take the same form and give the same answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from flux.kernel.faults import Mode, PortFailure

if TYPE_CHECKING:
    import aiohttp

PORT = "captcha"
ANSWER_BYTES = 65_536


OURS = frozenset({"missing-input-secret", "invalid-input-secret"})
"""What a verifier says of the instance and not of the token."""


class Answer(Struct, rename="kebab"):
    success: bool
    error_codes: list[str] = []


class SiteVerify:
    """One verifier. `secret` never leaves but to `url`."""

    def __init__(self, url: str, secret: str, site_key: str, timeout_seconds: float) -> None:
        self._url = url
        self._secret = secret
        self._site_key = site_key
        self._seconds = timeout_seconds

    async def good(self, token: str, address: str) -> bool:
        """Raises `PortFailure` when the verifier cannot be asked or answers nonsense."""
        import aiohttp  # here, as it costs a fifth of a second which most instances need not pay

        form = {"secret": self._secret, "response": token, "remoteip": address}
        if self._site_key:
            form["sitekey"] = self._site_key
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=self._seconds)) as session,
                session.post(self._url, data=form, allow_redirects=False) as reply,
            ):
                body = await _whole(reply)
                status = reply.status
        except TimeoutError:
            raise PortFailure(PORT, Mode.TIMEOUT, "timeout") from None
        except (aiohttp.ClientError, OSError):
            raise PortFailure(PORT, Mode.UNAVAILABLE, "connect") from None
        if not reply.ok:
            raise PortFailure(PORT, Mode.ERROR, f"http-{status}")
        try:
            answer = msgspec.json.decode(body, type=Answer)
        except (msgspec.DecodeError, RecursionError):
            raise PortFailure(PORT, Mode.GARBAGE, "answer") from None
        if not answer.success and OURS.intersection(answer.error_codes):
            raise PortFailure(PORT, Mode.ERROR, "secret")
        return answer.success


async def _whole(reply: aiohttp.ClientResponse) -> bytes:
    """The answer in however many pieces it comes; one that is far too long is not read to its end, and fits nothing."""
    body = bytearray()
    async for piece in reply.content.iter_any():
        body += piece
        if len(body) > ANSWER_BYTES:
            return b""
    return bytes(body)
