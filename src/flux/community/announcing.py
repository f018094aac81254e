"""What happened, told to the bus for whoever holds the realtime sessions.

Subjects are `community.guild.<id>` and `community.user.<id>`. The payload is an `Announcement`: the dispatch event's
name and its data as JSON, encoded once here and never again. It is told with the unit of work it was asked in (`Bus.tell`):
nobody hears of what did not happen.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec import Struct

from flux.kernel.bus.port import Bus
from flux.kernel.store import Transaction
from flux.kernel.wire.values import encoder

VIEW_CHANNEL = 1 << 10


class Announcement(Struct, array_like=True, frozen=True):
    """`data` is JSON. `channel_id` limits a guild event to the members who see the channel (0: nobody is left out),
    `needs` to those with a guild permission. `control` is for the hub itself and never leaves it."""

    name: str
    data: bytes
    channel_id: int = 0
    needs: int = 0
    control: bool = False
    not_to: int = 0
    """An account that is left out."""


_encoder = msgspec.msgpack.Encoder()
encode = _encoder.encode
decoder = msgspec.msgpack.Decoder(Announcement)


def guild_subject(guild_id: int) -> str:
    return f"community.guild.{guild_id}"


def user_subject(user_id: int) -> str:
    return f"community.user.{user_id}"


class Announcer:
    """Every method may be called in a unit of work; it speaks when the unit commits."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    def guild(
        self, tx: Transaction, guild_id: int, name: str, data: Any, *, channel_id: int = 0, needs: int = 0
    ) -> None:
        """To the sessions of a guild's members."""
        told = Announcement(name, encoder.encode(data), int(channel_id), needs)
        self._tell(tx, guild_subject(guild_id), told)

    def user(self, tx: Transaction, user_id: int, name: str, data: Any) -> None:
        """To one account's sessions."""
        self._tell(tx, user_subject(user_id), Announcement(name, encoder.encode(data)))

    def users(self, tx: Transaction, user_ids: Iterable[int], name: str, data: Any) -> None:
        payload = _encoder.encode(Announcement(name, encoder.encode(data)))
        for user_id in user_ids:
            self._bus.tell(tx, user_subject(user_id), payload)

    def control(self, tx: Transaction, user_id: int, name: str, data: Any) -> None:
        """To the hub, about one account: GUILD_JOINED, GUILD_LEFT, SESSIONS_ENDED."""
        told = Announcement(name, encoder.encode(data), control=True)
        self._tell(tx, user_subject(user_id), told)

    def guild_now(self, guild_id: int, name: str, data: Any, *, channel_id: int = 0, not_to: int = 0) -> None:
        """What no unit of work stands behind: typing, presence."""
        told = Announcement(name, encoder.encode(data), int(channel_id), not_to=not_to)
        self._bus.publish(guild_subject(guild_id), _encoder.encode(told))

    def users_now(self, user_ids: Iterable[int], name: str, data: Any) -> None:
        payload = _encoder.encode(Announcement(name, encoder.encode(data)))
        for user_id in user_ids:
            self._bus.publish(user_subject(user_id), payload)

    def control_now(self, user_id: int, name: str, data: Any) -> None:
        told = Announcement(name, encoder.encode(data), control=True)
        self._bus.publish(user_subject(user_id), _encoder.encode(told))

    def _tell(self, tx: Transaction, subject: str, told: Announcement) -> None:
        self._bus.tell(tx, subject, _encoder.encode(told))
