"""Asked by the bus what is to be told of an event that comes late."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from flux.community.announcing import Announcement, decoder, encode
from flux.community.auth.sessions import SessionService
from flux.community.bans.service import BanService
from flux.community.belated.changed import Table
from flux.community.belated.conversations import LateWords
from flux.community.belated.people import LatePeople
from flux.community.belated.places import LatePlaces
from flux.community.channels.private import PrivateChannels
from flux.community.channels.service import ChannelService
from flux.community.expressions.emojis import EmojiService
from flux.community.expressions.stickers import StickerService
from flux.community.inbox.pinned import PinnedService
from flux.community.inbox.service import InboxService
from flux.community.invites.service import InviteService
from flux.community.loudness.service import LoudnessService
from flux.community.members.service import MemberService
from flux.community.messages.bookmarks import BookmarkService
from flux.community.messages.reactions import ReactionService
from flux.community.messages.service import MessageService
from flux.community.notes.service import NoteService
from flux.community.relationships.service import RelationshipService
from flux.community.roles.service import RoleService
from flux.community.standing.service import StandingService
from flux.community.users.service import UserService
from flux.kernel.bus.port import Bus
from flux.kernel.wire.values import encoder

CLEARED = ("MESSAGE_REACTION_REMOVE_ALL", "MESSAGE_REACTION_REMOVE_EMOJI")


def correct_what_is_late(bus: Bus, services: Mapping[type, Any], where: StandingService) -> None:
    """`services` are the plane's."""
    words = LateWords(services[MessageService], services[ReactionService], services[BookmarkService], where)
    places = LatePlaces(
        where, services[ChannelService], services[RoleService], services[MemberService], services[BanService],
        services[InviteService], services[EmojiService], services[StickerService],
    )  # fmt: skip
    people = LatePeople(
        where, services[UserService], services[SessionService], services[PrivateChannels], services[RelationshipService],
        services[NoteService], services[LoudnessService], services[InboxService], services[PinnedService],
    )  # fmt: skip
    Belated(words, places, people).follow(bus)


class Belated:
    """What has no line in a table is told as it was: it can happen only once, or says no more than that something changed."""

    def __init__(self, words: LateWords, places: LatePlaces, people: LatePeople) -> None:
        self._words = words
        self._of_guilds: Table = {**words.table, **places.table}
        self._of_users: Table = {
            **words.table,
            **people.table,
            "GUILD_JOINED": places.joined,
            "GUILD_LEFT": places.left,
            "INVITE_CREATE": places.invited,
        }

    def follow(self, bus: Bus) -> None:
        bus.on_retold("community.guild.", self._of_guild)
        bus.on_retold("community.user.", self._of_user)

    async def _of_guild(self, subject: str, payload: bytes) -> bytes | None:
        return await self._now(self._of_guilds, subject, payload)

    async def _of_user(self, subject: str, payload: bytes) -> bytes | None:
        return await self._now(self._of_users, subject, payload)

    async def _now(self, table: Table, subject: str, payload: bytes) -> bytes | None:
        told = decoder.decode(payload)
        late = table.get(told.name)
        if told.name in CLEARED:
            return encode(await self._cleared(told))
        if late is None:
            return payload
        now = await late(int(subject.rpartition(".")[2]), msgspec.json.decode(told.data))
        return None if now is None else encode(msgspec.structs.replace(told, data=encoder.encode(now)))

    async def _cleared(self, told: Announcement) -> Announcement:
        """Reactions that came since would go with those that were taken away: the message says which there are."""
        message = await self._words.still_reacted(msgspec.json.decode(told.data))
        if message is None:
            return told
        return msgspec.structs.replace(told, name="MESSAGE_UPDATE", data=encoder.encode(message))
