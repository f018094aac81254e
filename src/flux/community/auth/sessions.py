"""Sessions: what a login gives, and what ends them."""

from __future__ import annotations

import re

from flux.community.announcing import Announcer
from flux.community.auth import repository, ticket_repository, tokens
from flux.community.auth.schemas import ClientInfo, Issued, SessionView
from flux.community.users.records import UserRow
from flux.community.users.service import UserService
from flux.kernel.identity import token_hash
from flux.kernel.store import Clock, Database, Transaction, iso
from flux.settings.community import CommunityLimits

_BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = ("Windows", "Android", "iPhone", "Mac OS X", "Linux")
TOUCH_MS = 300_000
MOST_TOUCHED = 100_000
_PRODUCT = re.compile(r"[A-Za-z][\w.-]{0,30}")


class SessionService:
    """Sessions of people. Bots have none: their token is the application's."""

    def __init__(
        self, db: Database, clock: Clock, users: UserService, announcer: Announcer, limits: CommunityLimits
    ) -> None:
        self._db = db
        self._clock = clock
        self._users = users
        self._announcer = announcer
        self._most = limits.sessions_per_account
        self._touched: dict[bytes, int] = {}

    async def holder(self, session_hash: bytes) -> UserRow | None:
        """The account whose live session this is."""
        return await self._users.by_session(session_hash)

    async def issue(
        self, tx: Transaction, user_id: int, address: str, user_agent: str | None, platform: str | None
    ) -> Issued:
        """A new session in the caller's unit; its address counts as known from now on. Beyond the limit the sessions
        that were not used for longest end."""
        token = tokens.new_session_token()
        now = self._clock.now_ms()
        values = {
            "token_hash": token_hash(token),
            "user_id": user_id,
            "address": address,
            "platform": platform if platform in ("desktop", "mobile", "web") else None,
            "user_agent": (user_agent or "")[:300] or None,
            "now": now,
        }
        # One login of an account after the other, so that each sees how many sessions there are.
        await self._users.lock(tx, user_id)
        await repository.add_session(tx, values)
        self._tell_ended(tx, user_id, await repository.trim_sessions(tx, user_id, self._most))
        await repository.know_address(tx, user_id, address, now)
        return Issued(token, str(user_id))

    async def touch(self, session_hash: bytes) -> None:
        """Remember about when the session was last used: at most one write in a few minutes."""
        now = self._clock.now_ms()
        if now - self._touched.get(session_hash, 0) < TOUCH_MS:
            return
        if len(self._touched) >= MOST_TOUCHED:
            self._touched.clear()
        self._touched[session_hash] = now
        await self._db.transact(lambda tx: repository.touch_session(tx, session_hash, now))

    async def listing(self, user_id: int, current: bytes | None) -> list[SessionView]:
        rows = await repository.sessions(self._db, user_id)
        return [
            SessionView(
                tokens.id_hash(row.token_hash),
                ClientInfo(row.platform, _system(row.user_agent), _browser(row.user_agent)),
                iso(row.last_used_at),
                row.token_hash == current,
            )
            for row in rows
        ]

    async def end(self, user_id: int, hashes: list[bytes]) -> None:
        """End these sessions of the account; others' hashes do nothing."""

        async def work(tx: Transaction) -> None:
            ended = [each for each in hashes if await repository.drop_session(tx, user_id, each)]
            self._tell_ended(tx, user_id, ended)

        await self._db.transact(work)

    def _tell_ended(self, tx: Transaction, user_id: int, ended: list[bytes]) -> None:
        if ended:
            names = [tokens.id_hash(each) for each in ended]
            self._announcer.control(tx, user_id, "SESSIONS_ENDED", {"hashes": names})

    async def rotate(self, tx: Transaction, user_id: int, current: bytes) -> None:
        """In the caller's unit, after a new password: the session that asked for it gets another token, which its
        realtime connection is told; all others end."""
        self._tell_ended(tx, user_id, await repository.drop_other_sessions(tx, user_id, current))
        await self._end_begun(tx, user_id)
        token = tokens.new_session_token()
        if not await repository.replace_session(tx, current, token_hash(token)):
            return
        names = {
            "old_auth_session_id_hash": tokens.id_hash(current),
            "new_auth_session_id_hash": tokens.id_hash(token_hash(token)),
        }
        self._announcer.control(tx, user_id, "SESSION_ROTATED", names)
        self._announcer.user(tx, user_id, "AUTH_SESSION_CHANGE", {**names, "new_token": token})

    async def end_all(self, tx: Transaction, user_id: int) -> None:
        """In the caller's unit: every session, and the realtime connections behind them."""
        await repository.drop_sessions(tx, user_id)
        await self._end_begun(tx, user_id)
        self._announcer.control(tx, user_id, "SESSIONS_ENDED", {"hashes": None})

    async def _end_begun(self, tx: Transaction, user_id: int) -> None:
        """Log-ins that wait for a second factor or for a letter's link: what let them begin holds no more."""
        await repository.drop_tickets(tx, user_id)
        await ticket_repository.forget(tx, user_id)


def _browser(user_agent: str | None) -> str | None:
    if not user_agent:
        return None
    for mark, name in _BROWSERS:
        if mark in user_agent:
            return name
    found = _PRODUCT.match(user_agent)
    return found[0] if found else None


def _system(user_agent: str | None) -> str | None:
    return next((name for name in _SYSTEMS if user_agent and name in user_agent), None)
