"""Sudo: proving again who one is, before what cannot be undone.

The proof is in the body: a password (accounts without a second factor), or a code or passkey (accounts with one); or it
is a token from an earlier proof, in a header or cookie: a JWT (HS256, claims `type`, `sub`, `iat`, `exp`) that
lives five minutes.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Awaitable, Callable
from hashlib import sha256
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from flux.community import faults
from flux.community.auth.schemas import SudoProof
from flux.community.envelope import invalid
from flux.community.factors.service import FactorService, wrong_code
from flux.community.passkeys.schemas import PasskeyAnswer
from flux.community.passkeys.service import PasskeyService
from flux.community.users.records import UserRow
from flux.kernel.identity import Vault, password_matches, same
from flux.kernel.quota import Quota, Rate
from flux.kernel.store import Clock, Database, Transaction
from flux.kernel.wire import Call

REFUSALS = (
    faults.SUDO_MODE_REQUIRED,
    faults.INVALID_SUDO_TOKEN,
    faults.PASSKEY_AUTHENTICATION_FAILED,
    faults.PASSKEYS_DISABLED,
)
"""What a route that asks for sudo can answer."""
HEADER = "X-Fluxer-Sudo-Mode-JWT"
COOKIE = "__flx_sudo_"
SECONDS = 300
Ask = Callable[[], Awaitable[None]]
GUESSES = Rate(10, 300)
"""Wrong proofs an account may try in a row; a right one wipes them out."""


class SudoService:
    def __init__(
        self,
        db: Database,
        vault: Vault,
        clock: Clock,
        quota: Quota,
        factors: FactorService,
        passkeys: PasskeyService,
    ) -> None:
        self._db = db
        self._key = vault.key("community.sudo")
        self._clock = clock
        self._quota = quota
        self._factors = factors
        self._passkeys = passkeys

    async def prove_call(self, call: Call, body: SudoProof) -> None:
        """The caller of a request, by its body, header or cookie; a fresh token goes back in both. Raises as `prove`."""
        user: UserRow = call.principal.user
        name = f"{COOKIE}{user.id}"
        token = call.header(HEADER.lower())
        if not token and (kept := call.cookie(name)) and self._holds(kept, user.id):
            # Browsers send a cookie unasked, so a stale one is no failure.
            return
        fresh = await self.prove(user, token, body)
        if fresh is not None:
            call.reply_headers[HEADER] = fresh
            secure = "; Secure" if call.scope.get("scheme") == "https" else ""
            call.reply_headers["Set-Cookie"] = (
                f"{name}={fresh}; Path=/; Max-Age={SECONDS}; HttpOnly; SameSite=Strict{secure}"
            )

    def asked(self, call: Call, body: SudoProof | None) -> Ask:
        """For services that ask for sudo after checks of their own: what they await then. Raises as `prove`."""

        async def ask() -> None:
            await self.prove_call(call, body or SudoProof())

        return ask

    async def prove(self, user: UserRow, token: str | None, body: SudoProof) -> str | None:
        """A fresh token after a proof with a second factor. Bots and unclaimed accounts always pass.

        Raises SUDO_MODE_REQUIRED, INVALID_SUDO_TOKEN, PASSKEY_AUTHENTICATION_FAILED, PASSKEYS_DISABLED,
        RATE_LIMITED, or a validation failure on `password`, `mfa_code` or `mfa_method`.
        """
        if user.bot or not user.claimed:
            return None
        if token and self._holds(token, user.id):
            return None
        if body.password is not UNSET and not user.has_mfa:
            await self._password(user, body.password)
            self._quota.forget(_guesses(user))
            return None
        if body.mfa_method is not UNSET and user.has_mfa:
            await self._factor(user, body.mfa_method, body)
            self._quota.forget(_guesses(user))
            return self.issue(user.id)
        if token:
            raise faults.INVALID_SUDO_TOKEN()
        raise faults.SUDO_MODE_REQUIRED(has_mfa=user.has_mfa)

    async def _password(self, user: UserRow, password: str) -> None:
        self._count(user)
        if not await password_matches(password, user.password_hash):
            raise invalid("password", "The password is wrong.", "INVALID_PASSWORD")

    async def _factor(self, user: UserRow, method: str, body: SudoProof) -> None:
        self._count(user)
        if method == "webauthn":
            proof = await self._passkeys.authenticate(_answer(body), "sudo", user.id)
            await self._db.transact(lambda tx: self._passkeys.record(tx, proof))
            return
        code = _given(body.mfa_code, "mfa_code")

        async def work(tx: Transaction) -> bool:
            if method == "totp":
                return await self._factors.check(tx, user, code, login=False)
            return await self._factors.check_text(tx, user, "sudo", code)

        if method not in ("totp", "sms"):
            raise invalid("mfa_method", "Expected totp, sms or webauthn.", "INVALID_CHOICE")
        if not await self._db.transact(work):
            raise wrong_code("mfa_code")

    def _count(self, user: UserRow) -> None:
        verdict = self._quota.count(_guesses(user), GUESSES)
        if not verdict.allowed:
            raise faults.rate_limited(verdict.retry_after)

    # -- tokens -----------------------------------------------------------------------------------------------

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


def _guesses(user: UserRow) -> str:
    return f"sudo:{user.id}"


def _answer(body: SudoProof) -> PasskeyAnswer:
    if body.webauthn_response is UNSET:
        raise invalid("webauthn_response", "This field is required.", "REQUIRED")
    return PasskeyAnswer(body.webauthn_response, _given(body.webauthn_challenge, "webauthn_challenge"))


def _given(value: str | UnsetType, path: str) -> str:
    if value is UNSET:
        raise invalid(path, "This field is required.", "REQUIRED")
    return value


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
