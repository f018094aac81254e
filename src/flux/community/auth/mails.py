"""The letters about accounts, and the tokens in them."""

from __future__ import annotations

from flux.community.auth import repository
from flux.community.envelope import invalid
from flux.community.users.records import UserRow
from flux.community.users.service import UserService
from flux.kernel.identity import new_token, token_hash
from flux.kernel.post.port import Letter, Post
from flux.kernel.store import Clock, Transaction

VERIFY = "verify"
RESET = "reset"
REVERT = "email-revert"
_DAY_MS = 86_400_000
_LIFETIMES = {VERIFY: _DAY_MS, RESET: 3_600_000, REVERT: 7 * _DAY_MS}


class Mails:
    """Writes letters in the caller's unit of work: sent if and only if it commits."""

    def __init__(self, post: Post, clock: Clock, users: UserService, public_url: str) -> None:
        self._post = post
        self._clock = clock
        self._users = users
        self._url = public_url

    async def verify(self, tx: Transaction, user: UserRow) -> None:
        token = await self._token(tx, user, VERIFY)
        text = "Open this link to verify your e-mail address:"
        await self._link(tx, user, "Verify your e-mail address", VERIFY, token, text)

    async def reset(self, tx: Transaction, user: UserRow) -> None:
        token = await self._token(tx, user, RESET)
        text = "Open this link to choose a new password:"
        await self._link(tx, user, "Reset your password", RESET, token, text)

    async def authorize(self, tx: Transaction, user: UserRow, token: str, address: str) -> None:
        text = f"Somebody logs in to your account from {address}. If it is you, open this link:"
        await self._link(tx, user, "Log in from a new address", "authorize-ip", token, text)

    async def revert(self, tx: Transaction, user: UserRow) -> None:
        """To the address that `user` is about to lose."""
        token = await self._token(tx, user, REVERT)
        text = (
            "The e-mail address of your account was changed. If it was not you, take it back within a week:"
        )
        await self._link(tx, user, "Your e-mail address was changed", REVERT, token, text)

    async def code(self, tx: Transaction, user: UserRow, to: str, kind: str, code: str) -> None:
        """A short code, to the account's address or to one that is to become it."""
        body = (
            f"Hello {user.username},\n\nyour code is {code}. It works for ten minutes.\n\n"
            "If you did not ask for this, do nothing and tell it to nobody.\n"
        )
        await self._post.send(
            tx, Letter("mail", to, f"{code} is your code", body, {"code": code, "kind": kind})
        )

    async def redeem(self, tx: Transaction, token: str, purpose: str) -> UserRow:
        """Whose token it is; it is used up. Raises a validation failure on `token`, also when the account has another
        address by now (but for the one with which the old address is taken back)."""
        found = await self.take(tx, token, purpose)
        user = None if found is None else await self._users.find(found.user_id, tx)
        if found is None or user is None or user.email != found.email:
            raise invalid("token", "The token is unknown or expired.", "INVALID_OR_EXPIRED_TOKEN")
        return user

    async def take(self, tx: Transaction, token: str, purpose: str) -> repository.MailToken | None:
        """Use a token up, whatever has become of the account's address."""
        found = await repository.use_mail_token(tx, token_hash(token), purpose)
        return None if found is None or found.expires_at < self._clock.now_ms() else found

    async def forget(self, tx: Transaction, user_id: int, purpose: str) -> None:
        """The tokens of all letters of that kind. Those that take an address back stay until one of them is used: who
        changes an address twice does not take the first one from its owner."""
        await repository.drop_mail_tokens(tx, user_id, purpose)

    async def _token(self, tx: Transaction, user: UserRow, purpose: str) -> str:
        assert user.email is not None
        if purpose != REVERT:
            await self.forget(tx, user.id, purpose)
        token = new_token()
        values = {
            "hash": token_hash(token),
            "user_id": user.id,
            "purpose": purpose,
            "email": user.email,
            "expires_at": self._clock.now_ms() + _LIFETIMES[purpose],
        }
        await repository.add_mail_token(tx, values)
        return token

    async def _link(
        self, tx: Transaction, user: UserRow, subject: str, page: str, token: str, text: str
    ) -> None:
        assert user.email is not None
        url = f"{self._url}/{page}#token={token}"
        body = f"Hello {user.username},\n\n{text}\n{url}\n\nIf you did not ask for this, do nothing.\n"
        data = {"token": token, "url": url, "kind": page}
        await self._post.send(tx, Letter("mail", user.email, subject, body, data))
