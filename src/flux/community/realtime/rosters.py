"""All sessions of an account, in whatever process: what SESSIONS_REPLACE and READY show of them.

Only processes that have sessions of an account hear of its sessions in others, and only they tell: an account that is
here alone costs nothing.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from flux.community.announcing import Announcer
from flux.community.realtime.presence import Presence, combined
from flux.community.realtime.protocol import Frame
from flux.community.realtime.session import Session

SESSIONS_HERE = "SESSIONS_HERE"
"""To every process with sessions of the account: those that one of them has now."""


class Line(Struct):
    """GatewaySession."""

    session_id: str
    status: str
    mobile: bool
    afk: bool


class Told(Struct):
    """`ask` wants the same of the others."""

    worker: str
    sessions: list[Line]
    ask: bool = False


class Rosters:
    def __init__(self, presence: Presence, announcer: Announcer) -> None:
        self._presence = presence
        self._announcer = announcer
        self._elsewhere: dict[int, dict[str, list[Line]]] = {}
        """By account with sessions here, and process."""

    def lines(self, user_id: int, mine: Sequence[Session]) -> list[Line]:
        """All of an account's sessions, and before them what they come to together."""
        lines = [Line(each.id, each.status, each.mobile, each.afk) for each in mine]
        known = self._elsewhere.get(user_id, {})
        for worker in self._presence.elsewhere(user_id):
            lines += known.get(worker, ())
        every = Line(
            "all",
            combined(line.status for line in lines),
            any(line.mobile for line in lines),
            all(line.afk for line in lines),
        )
        return [every, *lines]

    def begins(self, user_id: int) -> None:
        """The account's first session here is on its way: what do others have?"""
        if self._presence.elsewhere(user_id):
            self._tell(user_id, (), ask=True)

    def ended(self, user_id: int) -> None:
        """It has no session here any more."""
        self._elsewhere.pop(user_id, None)

    def changed(self, user_id: int, mine: Sequence[Session], *, told: bool = False) -> None:
        """The account's sessions here are `mine` now. `told`: a sole session hears of it too."""
        if mine and self._presence.elsewhere(user_id):
            self._tell(user_id, mine)
        if told or len(mine) > 1 or user_id in self._elsewhere:
            self._show(user_id, mine)

    def met(self, user_id: int, mine: Sequence[Session]) -> None:
        """Another process has sessions of the account now, or none any more."""
        workers = self._presence.elsewhere(user_id)
        known = self._elsewhere.get(user_id, {})
        gone = [worker for worker in known if worker not in workers]
        for worker in gone:
            del known[worker]
        if not known:
            self._elsewhere.pop(user_id, None)
        if gone:
            self._show(user_id, mine)
        if workers and mine:
            self._tell(user_id, mine)

    def heard(self, user_id: int, mine: Sequence[Session], data: bytes) -> None:
        """SESSIONS_HERE."""
        told = msgspec.json.decode(data, type=Told)
        if told.worker == self._presence.worker or not mine:
            return
        if told.ask:
            self._tell(user_id, mine)
            return
        known = self._elsewhere.setdefault(user_id, {})
        if known.get(told.worker) != told.sessions:
            known[told.worker] = told.sessions
            self._show(user_id, mine)

    def _tell(self, user_id: int, mine: Sequence[Session], *, ask: bool = False) -> None:
        lines = [Line(each.id, each.status, each.mobile, each.afk) for each in mine]
        self._announcer.control_now(user_id, SESSIONS_HERE, Told(self._presence.worker, lines, ask))

    def _show(self, user_id: int, mine: Sequence[Session]) -> None:
        if mine:
            replaced = Frame.of("SESSIONS_REPLACE", self.lines(user_id, mine))
            for session in mine:
                session.push(replaced)
