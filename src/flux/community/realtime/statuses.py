"""Telling who is here: to one's own sessions, to friends and companions, and in one's guilds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from msgspec import UnsetType

from flux.community.announcing import Announcer
from flux.community.channels.private import PrivateChannels
from flux.community.realtime.presence import Presence, combined
from flux.community.realtime.protocol import Frame
from flux.community.realtime.session import Session
from flux.community.relationships.rules import FRIEND
from flux.community.relationships.service import RelationshipService
from flux.community.users.schemas import UserPartial
from flux.community.users.service import UserService

ABSENT = ("offline", "invisible")


class Statuses:
    def __init__(
        self,
        presence: Presence,
        users: UserService,
        relationships: RelationshipService,
        private: PrivateChannels,
        announcer: Announcer,
    ) -> None:
        self.presence = presence
        self._users = users
        self._relationships = relationships
        self._private = private
        self._announcer = announcer

    def changed(self, user_id: int, mine: Sequence[Session]) -> bool:
        """The account's sessions here are `mine` now. Whether that is news for others, which `tell` then spreads."""
        if len(mine) > 1:
            replaced = Frame.of("SESSIONS_REPLACE", sessions_shown(mine))
            for session in mine:
                session.push(replaced)
        before = self.shown(user_id)
        changed = self.presence.set(user_id, combined(each.status for each in mine) if mine else None)
        return changed and self.shown(user_id) != before

    def shown(self, user_id: int) -> str:
        """What others see."""
        status = self.presence.status(user_id)
        return "offline" if status in ABSENT else status

    async def tell(self, user_id: int, guild_ids: Iterable[int], mine: Sequence[Session]) -> None:
        user = await self._users.find(user_id)
        if user is None:
            return
        told = self._presence(UserPartial.of(user), mine)
        for guild_id in guild_ids:
            shown = {**told, "guild_id": str(guild_id)}
            self._announcer.guild_now(guild_id, "PRESENCE_UPDATE", shown, not_to=user_id)
        if not user.bot:
            self._announcer.users_now(await self._companions(user_id), "PRESENCE_UPDATE", told)

    async def around(self, user_id: int) -> list[dict[str, Any]]:
        """Friends and companions who are here now."""
        here = [each for each in await self._companions(user_id) if self.shown(each) != "offline"]
        people = await self._users.find_many(here)
        return [self._presence(UserPartial.of(user), ()) for user in people.values()]

    def _presence(self, user: UserPartial, mine: Sequence[Session]) -> dict[str, Any]:
        return {
            "user": user,
            "status": self.shown(int(user.id)),
            "mobile": any(each.mobile for each in mine),
            "afk": bool(mine) and all(each.afk for each in mine),
            "custom_status": None,
        }

    async def _companions(self, user_id: int) -> set[int]:
        """Friends, and the people of one's group conversations."""
        found = {int(each.id) for each in await self._relationships.listing(user_id) if each.type == FRIEND}
        for channel in await self._private.listing(user_id):
            if channel.type == 3 and not isinstance(channel.recipients, UnsetType):
                found |= {int(each.id) for each in channel.recipients}
        return found - {user_id}


def sessions_shown(mine: Sequence[Session]) -> list[dict[str, Any]]:
    """All of an account's sessions in this process, and what they come to together."""
    every = {
        "session_id": "all",
        "status": combined(session.status for session in mine),
        "mobile": any(session.mobile for session in mine),
        "afk": all(session.afk for session in mine),
    }
    return [every] + [
        {"session_id": each.id, "status": each.status, "mobile": each.mobile, "afk": each.afk}
        for each in mine
    ]
