"""Sudo: proving again who one is, before what cannot be undone.

The proof is a password in the body (accounts without a second factor), or a token from an earlier proof: a JWT
(HS256, claims `type`, `sub`, `iat`, `exp`) that lives five minutes.
"""

from __future__ import annotations

import base64
import hmac
from hashlib import sha256
from typing import Any

import msgspec

from flux.community import faults
from flux.community.envelope import invalid
from flux.community.users.records import UserRow
from flux.kernel.identity import Vault, password_matches, same
from flux.kernel.store import Clock

REFUSALS = (faults.SUDO_MODE_REQUIRED, faults.INVALID_SUDO_TOKEN)
"""What a route that asks for sudo can answer."""
HEADER = "X-Fluxer-Sudo-Mode-JWT"
SECONDS = 300


class SudoService:
    def __init__(self, vault: Vault, clock: Clock) -> None:
        self._key = vault.key("community.sudo")
        self._clock = clock

    async def demand(self, user: UserRow, token: str | None, password: str | None) -> None:
        """Bots and unclaimed accounts always pass.

        Raises SUDO_MODE_REQUIRED, INVALID_SUDO_TOKEN, or a validation failure on `password`.
        """
        if user.bot or not user.claimed:
            return
        if token and self._holds(token, user.id):
            return
        if password is not None and not user.has_mfa:
            if await password_matches(password, user.password_hash):
                return
            raise invalid("password", "The password is wrong.", "INVALID_PASSWORD")
        if token:
            raise faults.INVALID_SUDO_TOKEN()
        raise faults.SUDO_MODE_REQUIRED(has_mfa=user.has_mfa)

    def issue(self, user_id: int) -> str:
        now = self._clock.now_ms() // 1000
        claims = {"type": "sudo", "sub": str(user_id), "iat": now, "exp": now + SECONDS}
        head = _encode(msgspec.json.encode({"alg": "HS256", "typ": "JWT"}))
        body = _encode(msgspec.json.encode(claims))
        return f"{head}.{body}.{_encode(self._sign(f'{head}.{body}'))}"

    def _holds(self, token: str, user_id: int) -> bool:
        head, _, rest = token.partition(".")
        body, _, signature = rest.partition(".")
        if not same(_encode(self._sign(f"{head}.{body}")), signature):
            return False
        claims: dict[str, Any] = msgspec.json.decode(_decode(body))
        return (
            claims.get("type") == "sudo"
            and claims.get("sub") == str(user_id)
            and claims.get("exp", 0) > self._clock.now_ms() / 1000
        )

    def _sign(self, text: str) -> bytes:
        return hmac.new(self._key, text.encode("utf-8", "surrogatepass"), sha256).digest()


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
