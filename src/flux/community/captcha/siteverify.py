"""Asking hCaptcha or Turnstile whether a token is good. Both take the same form and give the same answer."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from flux.kernel.faults import Mode, PortFailure

PORT = "captcha"
ANSWER_BYTES = 65_536


class Answer(Struct):
    success: bool


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
                body = await reply.content.read(ANSWER_BYTES)
                status = reply.status
        except TimeoutError:
            raise PortFailure(PORT, Mode.TIMEOUT, "timeout") from None
        except (aiohttp.ClientError, OSError):
            raise PortFailure(PORT, Mode.UNAVAILABLE, "connect") from None
        if not reply.ok:
            raise PortFailure(PORT, Mode.ERROR, f"http-{status}")
        try:
            return msgspec.json.decode(body, type=Answer).success
        except msgspec.DecodeError:
            raise PortFailure(PORT, Mode.GARBAGE, "answer") from None
