"""Users and their tokens: log in, refresh, and who a token belongs to."""

from __future__ import annotations

from flux.content.accounts import repository
from flux.content.accounts.attempts import Attempts
from flux.content.accounts.rows import User
from flux.content.accounts.rules import Claims, Kind, read, sign
from flux.content.accounts.schemas import TokenPair
from flux.content.faults import AUTHENTICATION_FAILED
from flux.kernel.house import House
from flux.kernel.identity import hash_password, new_token, password_matches
from flux.kernel.store import LOWER, Transaction, random_key


class Accounts:
    def __init__(self, house: House) -> None:
        self._db = house.db
        self._clock = house.clock
        self._settings = house.settings.content
        self._signing_key = house.vault.key("content access tokens")
        self._attempts = Attempts(house)

    async def login(self, email: str, password: str, address: str) -> TokenPair:
        """From a client at `address`. Raises `AUTHENTICATION_FAILED` for a wrong e-mail or password alike, after the same
        work; `RATE_LIMITED`."""
        email = email.strip().lower()
        self._attempts.begin(address, email)
        user = await repository.by_email(self._db, email)
        if not await password_matches(password, user.password_hash if user else None) or user is None:
            raise AUTHENTICATION_FAILED()
        self._attempts.succeeded(address, email)
        return await self.issue(user.key)

    async def refresh(self, token: str) -> TokenPair:
        """A new pair for a refresh token, which is spent. One that was spent before is in two hands: all that came of the same
        login end, unless it was spent just now, by whoever lost the answer and asks again. Raises `AUTHENTICATION_FAILED`."""
        claims = read(token, "refresh", self._signing_key, self._now_s())
        if claims is None:
            raise AUTHENTICATION_FAILED()
        access, again = self._pair(claims.sub)

        async def exchange(tx: Transaction) -> bool:
            now = self._clock.now_ms()
            await repository.forget_refresh(tx, now)
            family = await repository.use_refresh(tx, claims.jti, now)
            if family is None:
                pause = self._settings.refresh_retry_seconds * 1000
                await repository.end_family(tx, claims.jti, now - pause)
                return False
            await repository.insert_refresh(tx, again.jti, claims.sub, again.exp * 1000, family)
            return True

        if not await self._db.transact(exchange):
            raise AUTHENTICATION_FAILED()
        return TokenPair(sign(access, self._signing_key), sign(again, self._signing_key))

    async def issue(self, user_key: str) -> TokenPair:
        access, again = self._pair(user_key)

        async def keep(tx: Transaction) -> None:
            await repository.forget_refresh(tx, self._clock.now_ms())
            await repository.insert_refresh(tx, again.jti, user_key, again.exp * 1000, again.jti)

        await self._db.transact(keep)
        return TokenPair(sign(access, self._signing_key), sign(again, self._signing_key))

    def _pair(self, user_key: str) -> tuple[Claims, Claims]:
        """For access and for refreshing."""
        return (
            self._claims(user_key, "access", self._settings.access_token_seconds),
            self._claims(user_key, "refresh", self._settings.refresh_token_seconds),
        )

    async def access_for(self, email: str) -> str | None:
        """A fresh access token without a password, for the operator's file; None when nobody has that e-mail."""
        user = await repository.by_email(self._db, email.strip().lower())
        if user is None:
            return None
        claims = self._claims(user.key, "access", self._settings.access_token_seconds)
        return sign(claims, self._signing_key)

    async def user_of(self, token: str) -> User:
        """Raises `AUTHENTICATION_FAILED`."""
        claims = read(token, "access", self._signing_key, self._now_s())
        user = await repository.by_key(self._db, claims.sub) if claims else None
        if user is None:
            raise AUTHENTICATION_FAILED()
        return user

    async def by_key(self, key: str) -> User | None:
        return await repository.by_key(self._db, key)

    async def found(self, email: str, password: str, first_name: str, last_name: str) -> User:
        """Create a user. Raises `UniqueViolation` when the e-mail is taken."""
        stored = await hash_password(password)
        user = User(
            random_key(12, LOWER), email.strip().lower(), stored, first_name, last_name, self._clock.now_ms()
        )

        async def insert(tx: Transaction) -> None:
            await repository.insert(tx, user)

        await self._db.transact(insert)
        return user

    async def set_password(self, email: str, password: str) -> User:
        """Of a user who exists. Raises `AUTHENTICATION_FAILED` otherwise."""
        stored = await hash_password(password)

        async def work(tx: Transaction) -> User | None:
            await repository.update_password(tx, email.strip().lower(), stored)
            return await repository.by_email(tx, email.strip().lower())

        user = await self._db.transact(work)
        if user is None:
            raise AUTHENTICATION_FAILED()
        return user

    def _now_s(self) -> float:
        return self._clock.now_ms() / 1000

    def _claims(self, user_key: str, kind: Kind, seconds: int) -> Claims:
        now = int(self._now_s())
        return Claims(user_key, kind, now, now + seconds, new_token(16))
