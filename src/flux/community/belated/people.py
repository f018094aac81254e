"""What one account is told of itself, late."""

from __future__ import annotations

from typing import Any

from flux.community.auth.sessions import SessionService
from flux.community.belated.changed import Data, Table, plain
from flux.community.channels.private import PrivateChannels
from flux.community.inbox.pinned import PinnedService
from flux.community.inbox.service import InboxService
from flux.community.loudness.service import LoudnessService
from flux.community.notes.service import NoteService
from flux.community.relationships.service import RelationshipService
from flux.community.standing.service import StandingService
from flux.community.users.service import UserService


class LatePeople:
    def __init__(
        self,
        where: StandingService,
        users: UserService,
        sessions: SessionService,
        private: PrivateChannels,
        relationships: RelationshipService,
        notes: NoteService,
        loudness: LoudnessService,
        inbox: InboxService,
        pinned: PinnedService,
    ) -> None:
        self._where = where
        self._users = users
        self._sessions = sessions
        self._private = private
        self._relationships = relationships
        self._notes = notes
        self._loudness = loudness
        self._inbox = inbox
        self._pinned = pinned
        self.table: Table = {
            "USER_UPDATE": self._user,
            "USER_SETTINGS_UPDATE": self._settings,
            "USER_GUILD_SETTINGS_UPDATE": self._guild_settings,
            "USER_NOTE_UPDATE": self._note,
            "USER_PINNED_DMS_UPDATE": self._pinned_now,
            "RELATIONSHIP_ADD": self._relationship,
            "RELATIONSHIP_UPDATE": self._relationship,
            "RELATIONSHIP_REMOVE": self._no_relationship,
            "CHANNEL_CREATE": self._channel,
            "CHANNEL_UPDATE": self._channel,
            "CHANNEL_DELETE": self._closed,
            "CHANNEL_RECIPIENT_ADD": self._recipient,
            "CHANNEL_RECIPIENT_REMOVE": self._no_recipient,
            "MESSAGE_ACK": self._read,
            "CHANNEL_PINS_ACK": self._pins_seen,
            "SESSIONS_ENDED": self._sessions_ended,
            "STATUS_CHOSEN": self._status,
        }

    async def _user(self, user_id: int, _: Data) -> Any:
        row = await self._users.find(user_id)
        return None if row is None else self._users.private(row)

    async def _settings(self, user_id: int, _: Data) -> Any:
        return await self._users.settings(user_id)

    async def _status(self, user_id: int, data: Data) -> Any:
        return data | {"settings": await self._users.settings(user_id)}

    async def _guild_settings(self, user_id: int, data: Data) -> Any:
        held = await self._loudness.listing(user_id)
        return next((each for each in held if each.guild_id == data["guild_id"]), None)

    async def _note(self, user_id: int, data: Data) -> Any:
        if await self._users.find(int(data["id"])) is None:
            return None
        return data | {"note": await self._notes.read(user_id, int(data["id"]))}

    async def _pinned_now(self, user_id: int, _: Data) -> Any:
        return await self._pinned.listing(user_id)

    async def _relationship(self, user_id: int, data: Data) -> Any:
        return await self._related(user_id, data["id"])

    async def _no_relationship(self, user_id: int, data: Data) -> Any:
        return None if await self._related(user_id, data["id"]) is not None else data

    async def _related(self, user_id: int, other: str) -> Any:
        return next((each for each in await self._relationships.listing(user_id) if each.id == other), None)

    async def _channel(self, user_id: int, data: Data) -> Any:
        return await self._open(user_id, data["id"])

    async def _closed(self, user_id: int, data: Data) -> Any:
        return None if await self._open(user_id, data["id"]) is not None else data

    async def _open(self, user_id: int, channel_id: str) -> Any:
        return next((each for each in await self._private.listing(user_id) if each.id == channel_id), None)

    async def _recipient(self, _: int, data: Data) -> Any:
        return data if await self._takes_part(data) else None

    async def _no_recipient(self, _: int, data: Data) -> Any:
        return None if await self._takes_part(data) else data

    async def _takes_part(self, data: Data) -> bool:
        return int(data["user"]["id"]) in await self._where.recipients(int(data["channel_id"]))

    async def _read(self, user_id: int, data: Data) -> Any:
        state = await self._inbox.read_state(user_id, int(data["channel_id"]))
        if state is None:
            return data | {"message_id": None, "mention_count": 0}
        return data | {"message_id": state.last_message_id, "mention_count": state.mention_count}

    async def _pins_seen(self, user_id: int, data: Data) -> Any:
        state = await self._inbox.read_state(user_id, int(data["channel_id"]))
        if state is None or state.last_pin_timestamp is None:
            return None
        return data | {"timestamp": state.last_pin_timestamp}

    async def _sessions_ended(self, user_id: int, data: Data) -> Any:
        """When all ended: those that began since stay."""
        if data["hashes"] is not None:
            return data
        return data | {
            "but": [each["id_hash"] for each in plain(await self._sessions.listing(user_id, None))]
        }
