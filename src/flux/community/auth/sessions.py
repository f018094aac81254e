"""Sessions: what a login gives, and what ends them."""

from __future__ import annotations

import re

from flux.community.announcing import Announcer
from flux.community.auth import repository, tokens
from flux.community.auth.schemas import ClientInfo, Issued, SessionView
from flux.community.users.records import UserRow
from flux.community.users.service import UserService
from flux.kernel.identity import token_hash
from flux.kernel.store import Clock, Database, Transaction, iso

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

    def __init__(self, db: Database, clock: Clock, users: UserService, announcer: Announcer) -> None:
        self._db = db
        self._clock = clock
        self._users = users
        self._announcer = announcer
        self._touched: dict[bytes, int] = {}

    async def holder(self, session_hash: bytes) -> UserRow | None:
        """The account whose live session this is."""
        return await self._users.by_session(session_hash)

    async def issue(
        self, tx: Transaction, user_id: int, address: str, user_agent: str | None, platform: str | None
    ) -> Issued:
        """A new session in the caller's unit; its address counts as known from now on."""
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
        await repository.add_session(tx, values)
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
            if ended:
                names = [tokens.id_hash(each) for each in ended]
                self._announcer.control(tx, user_id, "SESSIONS_ENDED", {"hashes": names})

        await self._db.transact(work)

    async def end_all(self, tx: Transaction, user_id: int) -> None:
        """In the caller's unit: every session, and the realtime connections behind them."""
        await repository.drop_sessions(tx, user_id)
        self._announcer.control(tx, user_id, "SESSIONS_ENDED", {"hashes": None})


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
