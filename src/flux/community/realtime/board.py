"""A guild's channels as they were last told, with what has been said and pinned in them since."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from flux.community.announcing import Announcement
from flux.community.realtime.seats import ChannelData


class Said(Struct):
    id: str


class Pinned(Struct):
    last_pin_timestamp: str | None = None


class News(Struct):
    last_message_id: str | None = None
    last_pin_timestamp: str | None = None


class Board:
    def __init__(self) -> None:
        self._told: dict[int, bytes] = {}
        self._last: dict[int, int] = {}
        """The newest message of each channel that was heard of."""
        self._pinned: dict[int, str | None] = {}
        """Where pins changed since the channel was told."""

    @property
    def told(self) -> Mapping[int, bytes]:
        """The channels as they were last told."""
        return self._told

    def put(self, channel_id: int, data: bytes) -> None:
        self._told[channel_id] = data
        self._pinned.pop(channel_id, None)

    def remove(self, channel_id: int) -> None:
        for known in (self._told, self._last, self._pinned):
            known.pop(channel_id, None)

    def hear(self, told: Announcement) -> None:
        """Nobody is told of a channel because something was said in it; who comes to see it later must know."""
        if told.name == "MESSAGE_CREATE":
            said = int(msgspec.json.decode(told.data, type=Said).id)
            self._last[told.channel_id] = max(said, self._last.get(told.channel_id, 0))
        elif told.name == "CHANNEL_PINS_UPDATE":
            pinned = msgspec.json.decode(told.data, type=Pinned)
            self._pinned[told.channel_id] = pinned.last_pin_timestamp

    def now(self, channel_id: int) -> bytes:
        """The channel as REST would show it."""
        data, last = self._told[channel_id], self._last.get(channel_id, 0)
        if not last and channel_id not in self._pinned:
            return data
        known = msgspec.json.decode(data, type=News)
        newer = last > int(known.last_message_id or 0)
        if not newer and channel_id not in self._pinned:
            return data
        channel = msgspec.json.decode(data)
        if newer:
            channel["last_message_id"] = str(last)
        if channel_id in self._pinned:
            channel["last_pin_timestamp"] = self._pinned[channel_id]
        return msgspec.json.encode(channel)

    def type_of(self, channel_id: int) -> int:
        return msgspec.json.decode(self._told[channel_id], type=ChannelData).type
