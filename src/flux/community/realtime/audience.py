"""What the sessions of one guild asked to hear and what they can do without.

A session is active until it says otherwise, so that a client that knows nothing of this hears everything. In a large
guild a passive one hears only messages that mention it and what changes the guild itself, and now and then which
channels had news. Presence in a large guild is told to those who follow the member.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Set

import msgspec
from msgspec import Struct

from flux.community.announcing import Announcement
from flux.community.realtime.protocol import Frame
from flux.community.realtime.session import Session

WITHHELD = ("MESSAGE_", "TYPING_START", "CHANNEL_PINS_UPDATE")
MOST_FOLLOWED = 500
NOBODY: frozenset[Session] = frozenset()


class Mentioned(Struct):
    id: str


class MessageData(Struct):
    """What of a message tells whom it is for."""

    id: str
    mentions: list[Mentioned] = []
    mention_roles: list[str] = []
    mention_everyone: bool = False


class MemberOf(Struct):
    user: Mentioned


class Audience:
    def __init__(self) -> None:
        self.passive: set[Session] = set()
        self.without_typing: set[Session] = set()
        self._followers: dict[int, set[Session]] = {}
        self._news: dict[int, str] = {}
        """The last message of each channel since passive sessions were told."""

    def set_active(self, session: Session, active: bool) -> None:
        if active:
            self.passive.discard(session)
        elif not session.bot:
            self.passive.add(session)

    def set_typing(self, session: Session, wanted: bool) -> None:
        if wanted:
            self.without_typing.discard(session)
        elif not session.bot:
            self.without_typing.add(session)

    def follow(self, session: Session, user_ids: Iterable[int]) -> None:
        """Exactly these members from now on."""
        self._unfollow(session)
        for user_id in list(user_ids)[:MOST_FOLLOWED]:
            self._followers.setdefault(user_id, set()).add(session)

    def _unfollow(self, session: Session) -> None:
        for user_id in [each for each, sessions in self._followers.items() if session in sessions]:
            self._followers[user_id].discard(session)
            if not self._followers[user_id]:
                del self._followers[user_id]

    def leave(self, session: Session) -> None:
        self.passive.discard(session)
        self.without_typing.discard(session)
        if self._followers:
            self._unfollow(session)

    def followers(self, told: Announcement) -> Set[Session]:
        """Of the member a PRESENCE_UPDATE is about."""
        return self._followers.get(int(msgspec.json.decode(told.data, type=MemberOf).user.id), NOBODY)

    def spared(
        self, told: Announcement, roles_of: Callable[[int], Iterable[int]], *, large: bool
    ) -> Set[Session]:
        """The sessions that need not hear of it; `roles_of` gives a member's roles."""
        if told.name == "TYPING_START" and self.without_typing:
            return self.without_typing | (self.passive if large else NOBODY)
        if not large or not self.passive or not told.name.startswith(WITHHELD):
            return NOBODY
        if told.name != "MESSAGE_CREATE":
            return self.passive
        message = msgspec.json.decode(told.data, type=MessageData)
        self._news[told.channel_id] = message.id
        if message.mention_everyone:
            return NOBODY
        people = {int(each.id) for each in message.mentions}
        roles = {int(each) for each in message.mention_roles}
        return {
            session
            for session in self.passive
            if session.user_id not in people and not roles.intersection(roles_of(session.user_id))
        }

    def tell_news(self, guild_id: int, sees: Callable[[int, int], bool]) -> None:
        """PASSIVE_UPDATES; `sees` says whether a user sees a channel."""
        news, self._news = self._news, {}
        if not news:
            return
        for session in self.passive:
            seen = {str(channel): last for channel, last in news.items() if sees(session.user_id, channel)}
            if seen:
                session.push(Frame.of("PASSIVE_UPDATES", {"guild_id": str(guild_id), "channels": seen}))
