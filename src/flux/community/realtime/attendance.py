"""The accounts that have sessions in this process: how each is here over all of them, what it wears and until when."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any

import msgspec

from flux.community.members.service import MemberService
from flux.community.realtime.protocol import PresenceInput
from flux.community.realtime.rosters import Line, Rosters
from flux.community.realtime.session import Session
from flux.community.realtime.statuses import Statuses
from flux.community.users.schemas import CustomStatus, UserSettings
from flux.community.users.service import UserService
from flux.kernel.store import Clock, Timer

LONGEST_WAIT_SECONDS = 86_400.0
"""A distant end is looked at again meanwhile."""
SETTINGS, CUSTOM = "settings", "custom"
"""What may end: what the account chose in its settings, and what its sessions wear while they are here."""


class Attendance:
    """`spawn` runs what must be waited for."""

    def __init__(
        self,
        statuses: Statuses,
        rosters: Rosters,
        users: UserService,
        members: MemberService,
        clock: Clock,
        spawn: Callable[[Coroutine[Any, Any, None]], None],
    ) -> None:
        self._statuses = statuses
        self._rosters = rosters
        self._presence = statuses.presence
        self._users = users
        self._members = members
        self._clock = clock
        self._spawn = spawn
        self._sessions: dict[int, list[Session]] = {}
        self._ends: dict[tuple[int, str], Timer] = {}
        self._presence.on_news = lambda users: spawn(self._tell_all(users))
        self._presence.on_company = lambda user: rosters.met(user, self.of(user))

    def of(self, user_id: int) -> list[Session]:
        """The account's sessions here."""
        return list(self._sessions.get(user_id, ()))

    def lines(self, user_id: int) -> list[Line]:
        """Its sessions anywhere."""
        return self._rosters.lines(user_id, self.of(user_id))

    # -- coming and going -------------------------------------------------------------------------------------

    def comes(self, session: Session) -> bool:
        """Whether it is the account's first here."""
        mine = self._sessions.setdefault(session.user_id, [])
        mine.append(session)
        return len(mine) == 1

    def goes(self, session: Session) -> bool:
        """Whether it was the account's last here."""
        user_id = session.user_id
        mine = self._sessions[user_id]
        mine.remove(session)
        if mine:
            return False
        del self._sessions[user_id]
        self._rosters.ended(user_id)
        for kind in (SETTINGS, CUSTOM):
            self._until(user_id, kind, None, lambda: None)
        return True

    def begins(self, user_id: int) -> None:
        """The account's first session here hears of itself: now others can tell of theirs."""
        self._rosters.begins(user_id)

    async def take_place(
        self, session: Session, settings: UserSettings | None, presence: PresenceInput | None
    ) -> None:
        """Without a presence of its own a session is as its account has chosen."""
        if settings is not None:
            self._statuses.follow(session, settings)
            self._settings_end(session.user_id, settings)
        if presence is not None:
            await self._statuses.take(session, presence)

    # -- being here -------------------------------------------------------------------------------------------

    def changed(self, user_id: int, guild_ids: Iterable[int], *, told: bool = False) -> None:
        """Some session came, went or is otherwise now. `told`: a sole session hears of it too."""
        mine = self.of(user_id)
        self._rosters.changed(user_id, mine, told=told)
        if self._statuses.changed(user_id, mine):
            self._spawn(self._statuses.tell(user_id, list(guild_ids)))

    def heard(self, user_id: int, data: bytes) -> None:
        """Another process told of the account's sessions there."""
        self._rosters.heard(user_id, self.of(user_id), data)

    def chosen(self, user_id: int, data: dict[str, Any]) -> None:
        """The account chose a status: it holds for every session, whatever each of them was before."""
        settings = msgspec.convert(data["settings"], UserSettings)
        mine = self.of(user_id)
        for session in mine:
            self._statuses.follow(session, settings, status=data["status"])
        self._settings_end(user_id, settings)
        self.changed(user_id, guilds_of(mine), told=True)

    def worn(self, user_id: int, data: bytes) -> None:
        """The account's sessions wear a custom status, `null` for none."""
        custom = msgspec.json.decode(data, type=CustomStatus | None)
        end = None if custom is None else self._statuses.end_of(custom)
        self._wear(user_id, b"" if custom is None else data)
        self._until(user_id, CUSTOM, end, lambda: self._wear(user_id, b""))

    def _wear(self, user_id: int, custom: bytes) -> None:
        mine = self.of(user_id)
        for session in mine:
            session.custom = custom
        self.changed(user_id, guilds_of(mine))

    async def _tell_all(self, user_ids: Iterable[int]) -> None:
        """Watchers of those whom other processes had a part in."""
        for user_id in user_ids:
            mine = self.of(user_id)
            guild_ids = guilds_of(mine) if mine else await self._members.guild_ids(user_id)
            await self._statuses.tell(user_id, guild_ids)

    # -- what ends --------------------------------------------------------------------------------------------

    def _settings_end(self, user_id: int, settings: UserSettings) -> None:
        """When what the account chose for a while is over, everybody hears of it."""
        end = self._statuses.next_end(settings)
        self._until(user_id, SETTINGS, end, lambda: self._spawn(self._users.settle_status(user_id)))

    def _until(self, user_id: int, kind: str, end: int | None, over: Callable[[], None]) -> None:
        """At `end`, in Unix milliseconds, `over` is called; an earlier end of that kind is none any more."""
        if (timer := self._ends.pop((user_id, kind), None)) is not None:
            timer.cancel()
        if end is None:
            return
        rest = max(0, end - self._clock.now_ms()) / 1000

        def look() -> None:
            del self._ends[user_id, kind]
            if self._clock.now_ms() >= end:
                over()
            else:
                self._until(user_id, kind, end, over)

        self._ends[user_id, kind] = self._clock.call_later(min(rest, LONGEST_WAIT_SECONDS), look)


def guilds_of(sessions: Sequence[Session]) -> set[int]:
    return {guild_id for session in sessions for guild_id in session.guilds}
