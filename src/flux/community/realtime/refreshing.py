"""Rooms are compared with the database a moment after their guild changed, where there are several processes.

Each process tells its events in the order of its commits, but two processes' events may arrive in another order than
theirs were committed, and a room that followed them would stay wrong. So a while after the last change the room is
read again; what differs is told as if it had just happened.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from flux.community.announcing import Announcement
from flux.community.guilds.state import GuildModel, GuildStates
from flux.community.realtime.guildroom import GuildRoom
from flux.kernel.store import Clock
from flux.kernel.wire.values import encoder

QUIET_SECONDS = 1.0
"""How long a guild has been left alone before its room is read again."""
MOVING = ("last_message_id", "last_pin_timestamp")
"""What of a channel changes with every message; nobody is told of it."""
Spawn = Callable[[Coroutine[Any, Any, None]], None]


class Refresher:
    def __init__(self, guilds: GuildStates, clock: Clock, spawn: Spawn) -> None:
        self._guilds = guilds
        self._clock = clock
        self._spawn = spawn
        self._waiting: dict[int, int] = {}
        """By guild: how many changes its room had followed when the wait began."""

    def changed(self, room: GuildRoom) -> None:
        """The room has followed a change."""
        if room.guild_id not in self._waiting:
            self._wait(room)

    def _wait(self, room: GuildRoom) -> None:
        self._waiting[room.guild_id] = room.changes
        self._clock.call_later(QUIET_SECONDS, lambda: self._look(room))

    def _look(self, room: GuildRoom) -> None:
        before = self._waiting.pop(room.guild_id, None)
        if not room.members:
            return
        if room.changes != before:
            self._wait(room)
            return
        self._spawn(self._refresh(room))

    async def _refresh(self, room: GuildRoom) -> None:
        before = room.changes
        model = (await self._guilds.models([room.guild_id])).get(room.guild_id)
        people = list(room.members)
        held = await self._guilds.roles_held(room.guild_id, people)
        if room.changes != before:
            # Something came while we read: which of both is newer cannot be told.
            self.changed(room)
        elif model is not None:
            _correct(room, model)
            room.correct_members(people, held)


def _correct(room: GuildRoom, model: GuildModel) -> None:
    room.correct_permissions(model.owner_id, model.roles, model.member_count)
    here = {int(channel.id): encoder.encode(channel) for channel in model.channels}
    for channel_id, data in here.items():
        shown = room.board.told.get(channel_id)
        if shown is None:
            room.hear(Announcement("CHANNEL_CREATE", data, channel_id))
        elif _settled(shown) != _settled(data):
            room.hear(Announcement("CHANNEL_UPDATE", data, channel_id))
    for channel_id in [each for each in room.board.told if each not in here]:
        gone = {"id": str(channel_id), "guild_id": str(room.guild_id), "type": room.board.type_of(channel_id)}
        room.hear(Announcement("CHANNEL_DELETE", msgspec.json.encode(gone), channel_id))


def _settled(data: bytes) -> dict[str, Any]:
    channel: dict[str, Any] = msgspec.json.decode(data)
    for name in MOVING:
        channel.pop(name, None)
    overwrites = channel.get("permission_overwrites") or []
    channel["permission_overwrites"] = sorted(overwrites, key=lambda each: (each["type"], each["id"]))
    return channel
