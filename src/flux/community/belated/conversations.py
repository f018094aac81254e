"""Messages, their reactions and pins, told late."""

from __future__ import annotations

from typing import Any

from flux.community.belated.changed import Data, Table, over
from flux.community.messages.bookmarks import BookmarkService
from flux.community.messages.reactions import ReactionService
from flux.community.messages.service import MessageService
from flux.community.standing.service import StandingService
from flux.kernel.store import iso


class LateWords:
    def __init__(
        self,
        messages: MessageService,
        reactions: ReactionService,
        bookmarks: BookmarkService,
        where: StandingService,
    ) -> None:
        self._messages = messages
        self._reactions = reactions
        self._bookmarks = bookmarks
        self._where = where
        self.table: Table = {
            "MESSAGE_CREATE": self._message,
            "MESSAGE_UPDATE": self._message,
            "MESSAGE_REACTION_ADD": self._reacted,
            "MESSAGE_REACTION_REMOVE": self._took_back,
            "CHANNEL_PINS_UPDATE": self._pins,
            "SAVED_MESSAGE_CREATE": self._saved,
            "SAVED_MESSAGE_DELETE": self._forgotten,
        }

    async def _message(self, _: int, data: Data) -> Data | None:
        view = await self._messages.shown(int(data["channel_id"]), int(data["id"]))
        return None if view is None else over(data, view)

    async def still_reacted(self, data: Data) -> Data | None:
        """Of a MESSAGE_REACTION_REMOVE_ALL or _EMOJI: the message, when it has reactions (again)."""
        if not await self._reactions.any(int(data["message_id"])):
            return None
        view = await self._messages.shown(int(data["channel_id"]), int(data["message_id"]))
        return (
            None if view is None else over({"guild_id": data["guild_id"]} if "guild_id" in data else {}, view)
        )

    async def _reacted(self, _: int, data: Data) -> Data | None:
        return data if await self._stands(data) else None

    async def _took_back(self, _: int, data: Data) -> Data | None:
        return None if await self._stands(data) else data

    async def _stands(self, data: Data) -> bool:
        emoji: dict[str, Any] = data["emoji"]
        name = emoji.get("id") or emoji["name"]
        return await self._reactions.stands(int(data["message_id"]), str(name), int(data["user_id"]))

    async def _pins(self, _: int, data: Data) -> Data | None:
        channel = await self._where.find_channel(int(data["channel_id"]))
        if channel is None:
            return None
        return data | {
            "last_pin_timestamp": None if channel.last_pin_at is None else iso(channel.last_pin_at)
        }

    async def _saved(self, user_id: int, data: Data) -> Data | None:
        return data if await self._bookmarks.holds(user_id, int(data["id"])) else None

    async def _forgotten(self, user_id: int, data: Data) -> Data | None:
        return None if await self._bookmarks.holds(user_id, int(data["message_id"])) else data
