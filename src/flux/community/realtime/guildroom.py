"""One guild in this process: which sessions see which channel, and handing events to them.

The room keeps what the permission algorithm needs, but members only for the users who have sessions here. It follows
the guild's own events, so it never asks the database again after it was opened.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec
from msgspec import UnsetType

from flux.community.announcing import Announcement
from flux.community.guilds.state import GuildModel
from flux.community.realtime.audience import NOBODY, Audience
from flux.community.realtime.board import Board
from flux.community.realtime.protocol import Frame
from flux.community.realtime.seats import (
    Bulk,
    ChannelData,
    GuildData,
    Member,
    MemberData,
    Overwrite,
    RoleGone,
    RolesEvent,
    bound_to,
    overwrites_of,
    without_target,
)
from flux.community.realtime.session import Session
from flux.community.standing import rules


class GuildRoom:
    def __init__(self, guild_id: int, large: int) -> None:
        """With more than `large` members the guild is large (audience.py)."""
        self.guild_id = guild_id
        self._large = large
        self.member_count = 0
        self.members: dict[int, Member] = {}
        self._owner_id = 0
        self._roles: dict[int, int] = {}
        self._channels: dict[int, list[Overwrite]] = {}
        self.board = Board()
        """For those who come to see a channel."""
        self._unknown: set[Member] = set()
        self._viewers: dict[int, list[Session]] = {}
        self.is_open = False
        self._early: list[Announcement] = []
        self.audience = Audience()
        self.changes = 0
        """How many of the guild's own events the room has followed."""
        self.stirred = 0
        """The same with news of who is here."""

    def open(self, model: GuildModel) -> None:
        """Take the guild as it was read from the database, then everything heard meanwhile."""
        self._owner_id = model.owner_id
        self.member_count = model.member_count
        self._roles = dict(model.roles)
        for channel in model.channels:
            self._put(msgspec.json.encode(channel))
        self.is_open = True
        early, self._early = self._early, []
        for told in early:
            self.hear(told)

    # -- members ----------------------------------------------------------------------------------------------

    def enter(self, session: Session) -> Member:
        """A session of a member; `know_roles` must follow, before the room shows anything to a new member."""
        member = self.members.get(session.user_id)
        if member is None:
            member = self.members[session.user_id] = Member(session.user_id)
            self._unknown.add(member)
        if session not in member.sessions:
            member.sessions.append(session)
            session.guilds.add(self.guild_id)
            if member.known:
                self._seat(member, [session])
        return member

    def know_roles(self, member: Member, role_ids: Iterable[int]) -> None:
        """As the database has them, unless an event has told newer ones. What happened meanwhile is handed over."""
        if member.known:
            return
        if not member.told:
            member.roles = tuple(role_ids)
        member.known = True
        self._unknown.discard(member)
        self._rebase(member)
        self._seat(member, member.sessions)
        early, member.early = member.early, None
        for told in early or ():
            if self._may_know(member, told):
                frame = Frame(told.name, told.data)
                for session in member.sessions:
                    session.push(frame)

    def _seat(self, member: Member, sessions: list[Session]) -> None:
        for channel_id, viewers in self._viewers.items():
            if self.sees(member, channel_id):
                viewers.extend(sessions)

    def leave(self, session: Session) -> None:
        session.guilds.discard(self.guild_id)
        self.audience.leave(session)
        member = self.members.get(session.user_id)
        if member is None or session not in member.sessions:
            return
        member.sessions.remove(session)
        for viewers in self._viewers.values():
            if session in viewers:
                viewers.remove(session)
        if not member.sessions:
            del self.members[session.user_id]
            self._unknown.discard(member)

    def expel(self, user_id: int) -> list[Session]:
        """The user is no member any more; the sessions they had here."""
        member = self.members.get(user_id)
        sessions = list(member.sessions) if member else []
        for session in sessions:
            self.leave(session)
        return sessions

    def _knowing(self) -> Iterable[Member]:
        return [member for member in self.members.values() if member.known]

    # -- who sees what ----------------------------------------------------------------------------------------

    def sees(self, member: Member, channel_id: int) -> bool:
        overwrites = self._channels.get(channel_id)
        if overwrites is None:
            return False
        if not overwrites:
            return member.base & rules.VIEW_CHANNEL != 0
        found = rules.in_channel(
            member.base, overwrites, guild_id=self.guild_id, user_id=member.user_id, role_ids=member.roles
        )
        return found & rules.VIEW_CHANNEL != 0

    def viewers(self, channel_id: int) -> list[Session]:
        known = self._viewers.get(channel_id)
        if known is None:
            known = [
                session
                for member in self._knowing()
                if self.sees(member, channel_id)
                for session in member.sessions
            ]
            if channel_id in self._channels:
                self._viewers[channel_id] = known
        return known

    def everyone(self) -> list[Session]:
        return [session for member in self._knowing() for session in member.sessions]

    def _may_know(self, member: Member, told: Announcement) -> bool:
        if member.user_id == told.not_to:
            return False
        return told.needs & ~member.base == 0 and (not told.channel_id or self.sees(member, told.channel_id))

    # -- events -----------------------------------------------------------------------------------------------

    def hear(self, told: Announcement) -> None:
        """An event of this guild: follow it, and hand it to whoever may know."""
        if not self.is_open:
            self._early.append(told)
            return
        follow = _FOLLOWED.get(told.name)
        self.stirred += follow is not None or told.name == "PRESENCE_UPDATE"
        if follow is not None:
            self.changes += 1
            follow(self, told)
        else:
            self.board.hear(told)
            self._hand_out(told)
        for member in self._unknown:
            member.early = member.early or []
            member.early.append(told)

    def _hand_out(self, told: Announcement) -> None:
        frame = Frame(told.name, told.data)
        large = self.member_count > self._large
        if told.name == "PRESENCE_UPDATE" and large:
            for session in self.audience.followers(told):
                session.push(frame)
            return
        spared = self.audience.spared(told, self._roles_of, large=large)
        targets: Iterable[Session]
        if told.needs or told.not_to:
            knowing = [member for member in self._knowing() if self._may_know(member, told)]
            targets = [session for member in knowing for session in member.sessions]
        else:
            targets = self.viewers(told.channel_id) if told.channel_id else self.everyone()
        for session in targets if spared is NOBODY else [each for each in targets if each not in spared]:
            session.push(frame)

    def _roles_of(self, user_id: int) -> Iterable[int]:
        member = self.members.get(user_id)
        return member.roles if member else ()

    def user_sees(self, user_id: int, channel_id: int) -> bool:
        """Whether somebody with sessions here sees the channel."""
        member = self.members.get(user_id)
        return member is not None and member.known and self.sees(member, channel_id)

    def would_see(self, user_id: int, role_ids: Iterable[int], channel_id: int) -> bool:
        """Whether any member, with these roles, sees the channel."""
        someone = Member(user_id)
        someone.roles = tuple(role_ids)
        self._rebase(someone)
        return self.sees(someone, channel_id)

    # -- following the guild's own events ---------------------------------------------------------------------

    def _put(self, data: bytes) -> int:
        channel = msgspec.json.decode(data, type=ChannelData)
        channel_id = int(channel.id)
        self._channels[channel_id] = overwrites_of(channel)
        self.board.put(channel_id, data)
        self._viewers.pop(channel_id, None)
        return channel_id

    def _channel_changed(self, told: Announcement) -> None:
        """Those who saw it before and see it now get the event; the others see it come or go."""
        channel_id = told.channel_id
        before = {id(session): session for session in self.viewers(channel_id)}
        self._put(told.data)
        came, changed = Frame("CHANNEL_CREATE", self.board.now(channel_id)), Frame(told.name, told.data)
        for session in self.viewers(channel_id):
            session.push(changed if before.pop(id(session), None) is not None else came)
        self._tell_gone(channel_id, before.values())

    def _channel_gone(self, told: Announcement) -> None:
        frame = Frame(told.name, told.data)
        for session in self.viewers(told.channel_id):
            session.push(frame)
        self.board.remove(told.channel_id)
        for known in (self._channels, self._viewers):
            known.pop(told.channel_id, None)

    def _channels_changed(self, told: Announcement) -> None:
        """Each session gets the channels that it saw before and sees now; the others come and go for it."""
        before = self._seen()
        raw = {self._put(bytes(each)): each for each in msgspec.json.decode(told.data, type=Bulk).channels}
        frames: dict[tuple[int, ...], Frame] = {}
        for member in self._knowing():
            was = before[member.user_id]
            seen = tuple(each for each in raw if each in was and self.sees(member, each))
            if not seen:
                continue
            if seen not in frames:
                shown = {"guild_id": str(self.guild_id), "channels": [raw[channel_id] for channel_id in seen]}
                frames[seen] = Frame.of(told.name, shown)
            for session in member.sessions:
                session.push(frames[seen])
        self._see_again(before)

    def _roles_changed(self, told: Announcement) -> None:
        """One of them, or several."""
        roles = msgspec.json.decode(told.data, type=RolesEvent).every
        self._set_role_permissions({int(role.id): int(role.permissions) for role in roles})
        self._hand_out(told)

    def _set_role_permissions(self, changed: dict[int, int]) -> None:
        if all(self._roles.get(role_id) == permissions for role_id, permissions in changed.items()):
            return
        seen = self._seen()
        self._roles.update(changed)
        self._see_again(seen)

    def _role_gone(self, told: Announcement) -> None:
        role_id = int(msgspec.json.decode(told.data, type=RoleGone).role_id)
        seen = self._seen()
        self._roles.pop(role_id, None)
        for member in self.members.values():
            member.roles = tuple(each for each in member.roles if each != role_id)
        for channel_id in bound_to(role_id, self._channels):
            self._put(without_target(self.board.now(channel_id), role_id))
        self._see_again(seen)
        self._hand_out(told)

    def _member_changed(self, told: Announcement) -> None:
        data = msgspec.json.decode(told.data, type=MemberData)
        member = self.members.get(int(data.user.id))
        if member is not None and not isinstance(data.roles, UnsetType):
            self._set_roles(member, [int(role) for role in data.roles])
        self._hand_out(told)

    def _member_came(self, told: Announcement) -> None:
        self.member_count += 1
        self._hand_out(told)

    def _member_went(self, told: Announcement) -> None:
        self.member_count -= 1
        user_id = int(msgspec.json.decode(told.data, type=MemberData).user.id)
        self.tell_gone(user_id)
        for channel_id in bound_to(user_id, self._channels):
            data = without_target(self.board.now(channel_id), user_id)
            self._channel_changed(Announcement("CHANNEL_UPDATE", data, channel_id))
        self._hand_out(told)

    def _guild_changed(self, told: Announcement) -> None:
        data = msgspec.json.decode(told.data, type=GuildData)
        self.member_count = data.member_count
        if int(data.owner_id) != self._owner_id:
            seen = self._seen()
            self._owner_id = int(data.owner_id)
            self._see_again(seen)
        self._hand_out(told)

    def _set_roles(self, member: Member, role_ids: Iterable[int]) -> None:
        seen = self._seen_by(member)
        member.roles = tuple(role_ids)
        member.told = True
        if member.known:
            self._see_again({member.user_id: seen})

    def _rebase(self, member: Member) -> None:
        member.base = rules.in_guild(
            owner=member.user_id == self._owner_id,
            everyone=self._roles.get(self.guild_id, 0),
            roles=[self._roles.get(role, 0) for role in member.roles],
        )

    def _seen(self) -> dict[int, set[int]]:
        return {member.user_id: self._seen_by(member) for member in self._knowing()}

    def _seen_by(self, member: Member) -> set[int]:
        return {channel_id for channel_id in self._channels if self.sees(member, channel_id)}

    def _see_again(self, before: dict[int, set[int]]) -> None:
        """Permissions of these users changed: channels come and go for them."""
        self._viewers.clear()
        came: dict[int, Frame] = {}
        for user_id, seen in before.items():
            member = self.members[user_id]
            self._rebase(member)
            now = self._seen_by(member)
            for channel_id in seen - now:
                self._tell_gone(channel_id, member.sessions)
            for channel_id in now - seen:
                frame = came.get(channel_id)
                if frame is None:
                    frame = came[channel_id] = Frame("CHANNEL_CREATE", self.board.now(channel_id))
                for session in member.sessions:
                    session.push(frame)

    def _tell_gone(self, channel_id: int, sessions: Iterable[Session]) -> None:
        gone = {"id": str(channel_id), "guild_id": str(self.guild_id), "type": self.board.type_of(channel_id)}
        frame = Frame.of("CHANNEL_DELETE", gone)
        for session in sessions:
            session.push(frame)

    # -- being corrected (refreshing.py) ----------------------------------------------------------------------

    def correct_permissions(self, owner_id: int, roles: dict[int, int], member_count: int) -> None:
        self.member_count = member_count
        if (owner_id, roles) != (self._owner_id, self._roles):
            seen = self._seen()
            self._owner_id, self._roles = owner_id, dict(roles)
            self._see_again(seen)

    def correct_members(self, asked: Iterable[int], held: Mapping[int, Iterable[int]]) -> None:
        """`held` are the roles of those of `asked` who are members."""
        for user_id in asked:
            member = self.members.get(user_id)
            if member is None:
                continue
            if user_id not in held:
                self.tell_gone(user_id)
            elif set(held[user_id]) != set(member.roles):
                self._set_roles(member, held[user_id])

    def tell_gone(self, user_id: int) -> None:
        """The user is no member any more, and hears so."""
        gone = Frame.of("GUILD_DELETE", {"id": str(self.guild_id)})
        for session in self.expel(user_id):
            session.push(gone)


_FOLLOWED = {
    "CHANNEL_CREATE": GuildRoom._channel_changed,
    "CHANNEL_UPDATE": GuildRoom._channel_changed,
    "CHANNEL_DELETE": GuildRoom._channel_gone,
    "CHANNEL_UPDATE_BULK": GuildRoom._channels_changed,
    "GUILD_ROLE_CREATE": GuildRoom._roles_changed,
    "GUILD_ROLE_UPDATE": GuildRoom._roles_changed,
    "GUILD_ROLE_UPDATE_BULK": GuildRoom._roles_changed,
    "GUILD_ROLE_DELETE": GuildRoom._role_gone,
    "GUILD_MEMBER_ADD": GuildRoom._member_came,
    "GUILD_MEMBER_UPDATE": GuildRoom._member_changed,
    "GUILD_MEMBER_REMOVE": GuildRoom._member_went,
    "GUILD_UPDATE": GuildRoom._guild_changed,
}
