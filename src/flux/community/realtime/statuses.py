"""Telling who is here: to one's own sessions, to friends and companions, and in one's guilds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from msgspec import UnsetType
from msgspec.structs import replace

from flux.community.announcing import Announcer
from flux.community.channels.private import PrivateChannels
from flux.community.expressions.emojis import EmojiService
from flux.community.inputs import I64
from flux.community.realtime.presence import PLAIN, Presence, State, joined
from flux.community.realtime.protocol import CustomInput, PresenceInput
from flux.community.realtime.session import Session
from flux.community.relationships.rules import FRIEND
from flux.community.relationships.service import RelationshipService
from flux.community.users import statuses
from flux.community.users.schemas import CustomStatus, UserPartial, UserSettings
from flux.community.users.service import UserService
from flux.kernel.store import Clock

WORN = "CUSTOM_STATUS_WORN"
"""To every process with sessions of the account: what it shows beside its name now. Its data is a CustomStatus or null."""


class Statuses:
    def __init__(
        self,
        presence: Presence,
        clock: Clock,
        users: UserService,
        relationships: RelationshipService,
        private: PrivateChannels,
        emojis: EmojiService,
        announcer: Announcer,
    ) -> None:
        self.presence = presence
        self._clock = clock
        self._users = users
        self._relationships = relationships
        self._private = private
        self._emojis = emojis
        self._announcer = announcer
        self._telling: dict[int, set[int]] = {}
        """By user about to be told of: the guilds that are to hear it."""

    def follow(self, session: Session, settings: UserSettings, *, status: bool = True) -> None:
        """The session is as its account has chosen in its settings; without `status` only its custom status."""
        if status:
            session.status = settings.status
        session.custom = worn(settings.custom_status)

    async def take(self, session: Session, presence: PresenceInput) -> None:
        """The session is as its client says."""
        session.status, session.afk, session.mobile = presence.kind, presence.afk, presence.mobile
        if not isinstance(presence.custom_status, UnsetType):
            await self._wear(session.user_id, presence.custom_status)

    @staticmethod
    def next_end(settings: UserSettings) -> int | None:
        """When the first thing that is chosen for a while is over, in Unix milliseconds."""
        return statuses.next_end(settings)

    @staticmethod
    def end_of(custom: CustomStatus) -> int | None:
        return None if custom.expires_at is None else statuses.instant(custom.expires_at)

    async def _wear(self, user_id: int, custom: CustomInput | None) -> None:
        """Somebody chose a custom status for the time they are here: all their sessions wear it, in every process."""
        status = None if custom is None else custom.status()
        if status is not None and status.emoji_id is not None:
            status = await self._with_emoji(user_id, status)
        if statuses.over(status, self._clock.now_ms()):
            status = None
        self._announcer.control_now(user_id, WORN, status)

    async def _with_emoji(self, user_id: int, status: CustomStatus) -> CustomStatus | None:
        """As the emoji is called and moves; without one that is not theirs to show."""
        number = int(status.emoji_id or 0)
        emoji = await self._emojis.worn(user_id, number) if number <= I64 else None
        if emoji is not None:
            return replace(status, emoji_name=emoji.name, emoji_animated=bool(emoji.animated))
        return None if status.text is None else replace(status, emoji_id=None, emoji_name=None)

    def changed(self, user_id: int, mine: Sequence[Session]) -> bool:
        """The account's sessions here are `mine` now. Whether that is news for others, which `tell` then spreads."""
        return self.presence.set(user_id, joined([_state(each) for each in mine]) if mine else None)

    async def tell(self, user_id: int, guild_ids: Iterable[int]) -> None:
        """How somebody is now, and who: to these guilds, to friends and to companions. What changes while that is looked up is
        told with it: nobody hears the older last."""
        if user_id in self._telling:
            self._telling[user_id].update(guild_ids)
            return
        self._telling[user_id] = set(guild_ids)
        try:
            user = await self._users.find(user_id)
            companions = set() if user is None or user.bot else await self._companions(user_id)
        finally:
            wanted = self._telling.pop(user_id)
        if user is None:
            return
        told = self.presence.shown(UserPartial.of(user))
        for guild_id in wanted:
            shown = {**told, "guild_id": str(guild_id)}
            self._announcer.guild_now(guild_id, "PRESENCE_UPDATE", shown, not_to=user_id)
        self._announcer.users_now(companions, "PRESENCE_UPDATE", told)

    async def around(self, user_id: int) -> list[dict[str, Any]]:
        """Friends and companions who are here now."""
        here = [each for each in await self._companions(user_id) if self.presence.status(each) != "offline"]
        people = await self._users.find_many(here)
        return [self.presence.shown(UserPartial.of(user)) for user in people.values()]

    async def _companions(self, user_id: int) -> set[int]:
        """Friends, and the people of one's group conversations."""
        found = {int(each.id) for each in await self._relationships.listing(user_id) if each.type == FRIEND}
        for channel in await self._private.listing(user_id):
            if channel.type == 3 and not isinstance(channel.recipients, UnsetType):
                found |= {int(each.id) for each in channel.recipients}
        return found - {user_id}


def worn(custom: CustomStatus | None) -> bytes:
    return b"" if custom is None else msgspec.json.encode(custom)


def _state(session: Session) -> State:
    if session.mobile or session.afk or session.custom:
        return State(session.status, session.mobile, session.afk, session.custom)
    return PLAIN[session.status]
