"""The letters of the auth room, and the tokens in them."""

from __future__ import annotations

from flux.community.auth import repository
from flux.community.users.records import UserRow
from flux.kernel.identity import new_token, token_hash
from flux.kernel.post.port import Letter, Post
from flux.kernel.store import Clock, Transaction

VERIFY = "verify"
RESET = "reset"
_LIFETIMES = {VERIFY: 86_400_000, RESET: 3_600_000}


class Mails:
    """Writes letters in the caller's unit of work: sent if and only if it commits."""

    def __init__(self, post: Post, clock: Clock, public_url: str) -> None:
        self._post = post
        self._clock = clock
        self._url = public_url

    async def verify(self, tx: Transaction, user: UserRow) -> None:
        token = await self._token(tx, user, VERIFY)
        await self._send(
            tx,
            user,
            "Verify your e-mail address",
            "verify",
            token,
            "Open this link to verify your e-mail address:",
        )

    async def reset(self, tx: Transaction, user: UserRow) -> None:
        token = await self._token(tx, user, RESET)
        await self._send(
            tx, user, "Reset your password", "reset", token, "Open this link to choose a new password:"
        )

    async def authorize(self, tx: Transaction, user: UserRow, token: str, address: str) -> None:
        text = f"Somebody logs in to your account from {address}. If it is you, open this link:"
        await self._send(tx, user, "Log in from a new address", "authorize-ip", token, text)

    async def _token(self, tx: Transaction, user: UserRow, purpose: str) -> str:
        assert user.email is not None
        await repository.drop_mail_tokens(tx, user.id, purpose)
        token = new_token()
        expires = self._clock.now_ms() + _LIFETIMES[purpose]
        values = {
            "hash": token_hash(token),
            "user_id": user.id,
            "purpose": purpose,
            "email": user.email,
            "expires_at": expires,
        }
        await repository.add_mail_token(tx, values)
        return token

    async def _send(
        self, tx: Transaction, user: UserRow, subject: str, page: str, token: str, text: str
    ) -> None:
        assert user.email is not None
        url = f"{self._url}/{page}#token={token}"
        body = f"Hello {user.username},\n\n{text}\n{url}\n\nIf you did not ask for this, do nothing.\n"
        await self._post.send(
            tx, Letter("mail", user.email, subject, body, {"token": token, "url": url, "kind": page})
        )
