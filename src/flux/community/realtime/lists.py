"""Members and guild states on a client's request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flux.community.guilds.state import GuildStates
from flux.community.inputs import cleaned
from flux.community.members.schemas import MemberView
from flux.community.members.service import MemberService
from flux.community.realtime.guildroom import GuildRoom
from flux.community.realtime.memberlist import MemberList, arrange, ranges_of
from flux.community.realtime.presence import Presence
from flux.community.realtime.protocol import Frame, MembersRequest, ids
from flux.community.realtime.session import Session
from flux.community.roles.schemas import RoleView
from flux.community.roles.service import RoleService
from flux.community.standing import rules
from flux.community.users.service import UserService
from flux.kernel.faults import FaultError

CHUNK = 1000
MOST_IDS = 100
MOST_MATCHES = 100
MOST_LISTS = 10
EVERYBODYS_LIST = rules.MANAGE_ROLES | rules.KICK_MEMBERS | rules.BAN_MEMBERS
"""Any of these opens the list of all members."""


class Watch:
    """One session's windows on one channel's list, and what it was last shown."""

    __slots__ = ("_last", "channel_id", "ranges", "session")

    def __init__(self, session: Session, channel_id: int, ranges: list[tuple[int, int]]) -> None:
        self.session = session
        self.channel_id = channel_id
        self.ranges = ranges
        self._last = ""

    def show(self, frame: Frame) -> None:
        text = frame.text(0)
        if text != self._last:
            self._last = text
            self.session.push(frame)


class MemberLists:
    def __init__(
        self,
        users: UserService,
        members: MemberService,
        roles: RoleService,
        guilds: GuildStates,
        presence: Presence,
    ) -> None:
        self._users = users
        self._members = members
        self._roles = roles
        self._guilds = guilds
        self._presence = presence
        self._watched: dict[int, list[Watch]] = {}
        """By guild."""
        self._told: dict[int, int] = {}
        """By guild: how often its room had been stirred when its lists were last told."""
        self._refreshing = False

    async def chunks(self, room: GuildRoom, user_id: int, body: MembersRequest) -> list[Frame] | None:
        """GUILD_MEMBERS_CHUNK events; None when the caller may not see the whole list."""
        wanted = _ids(body)
        if wanted is not None:
            found = await self._members.some(room.guild_id, wanted)
            return self._frames(room.guild_id, found, body)
        if not body.query and body.limit <= 0:
            if not room.members[user_id].base & EVERYBODYS_LIST:
                return None
            return self._frames(room.guild_id, await self._members.every(room.guild_id), body)
        most = min(body.limit, MOST_MATCHES) if body.limit > 0 else MOST_MATCHES
        found = await self._members.matching(room.guild_id, cleaned(body.query), most)
        return self._frames(room.guild_id, found, body)

    def _frames(self, guild_id: int, members: list[MemberView], body: MembersRequest) -> list[Frame]:
        """With `presences` also how those of them are here who are."""
        pages = [members[start : start + CHUNK] for start in range(0, len(members), CHUNK)] or [[]]
        frames = []
        for index, page in enumerate(pages):
            told: dict[str, object] = {
                "guild_id": str(guild_id),
                "members": page,
                "chunk_index": index,
                "chunk_count": len(pages),
            }
            if body.presences:
                here = (each.user for each in page if self._presence.status(int(each.user.id)) != "offline")
                told["presences"] = [self._presence.shown(user) for user in here]
            if isinstance(body.nonce, str) and len(body.nonce.encode()) <= 32:
                told["nonce"] = body.nonce
            frames.append(Frame.of("GUILD_MEMBERS_CHUNK", told))
        return frames

    async def sync(self, user_id: int, guild_id: int) -> Frame | None:
        user = await self._users.find(user_id)
        if user is None:
            return None
        try:
            return Frame.of("GUILD_SYNC", await self._guilds.of(user, guild_id))
        except FaultError:
            return None

    # -- the list beside a channel ----------------------------------------------------------------------------

    async def watch(self, session: Session, room: GuildRoom, channels: dict[str, Any]) -> None:
        """From now on the session is told these windows of these channels' lists whenever they change."""
        watches = [each for each in self._watched.get(room.guild_id, ()) if each.session is not session]
        for text, given in list(channels.items())[:MOST_LISTS]:
            ranges = ranges_of(given)
            for channel_id in ids([text]):
                if ranges and room.user_sees(session.user_id, channel_id):
                    watches.append(Watch(session, channel_id, ranges))
        self._watched[room.guild_id] = watches
        await self._tell(room, [each for each in watches if each.session is session])

    async def refresh(self, rooms: Mapping[int, GuildRoom]) -> None:
        """Tell every watched list that has changed; forget the watches of those who are gone."""
        if self._refreshing or not self._watched:
            return
        self._refreshing = True
        try:
            for guild_id in list(self._watched):
                room = rooms.get(guild_id)
                still = [
                    each
                    for each in self._watched[guild_id]
                    if room is not None and each.session.alive and guild_id in each.session.guilds
                ]
                if room is None or not still:
                    del self._watched[guild_id]
                    self._told.pop(guild_id, None)
                    continue
                self._watched[guild_id] = still
                if self._told.get(guild_id) == room.stirred:
                    continue
                self._told[guild_id] = room.stirred
                await self._tell(room, [each for each in still if each.session.connection is not None])
        finally:
            self._refreshing = False

    async def _tell(self, room: GuildRoom, watches: list[Watch]) -> None:
        if not watches:
            return
        everybody = await self._members.every(room.guild_id)
        roles = [RoleView.of(row) for row in await self._roles.all(room.guild_id)]
        lists: dict[int, MemberList] = {}
        for watch in watches:
            if not room.user_sees(watch.session.user_id, watch.channel_id):
                continue
            if watch.channel_id not in lists:
                seeing = [
                    each
                    for each in everybody
                    if room.would_see(int(each.user.id), map(int, each.roles), watch.channel_id)
                ]
                lists[watch.channel_id] = arrange(seeing, roles, self._presence.status)
            shown = lists[watch.channel_id].window(room.guild_id, watch.channel_id, watch.ranges)
            watch.show(Frame.of("GUILD_MEMBER_LIST_UPDATE", shown))


def _ids(body: MembersRequest) -> list[int] | None:
    given = body.user_ids
    if not isinstance(given, (list, str, int)):
        return None
    return ids((given if isinstance(given, list) else [given])[:MOST_IDS])
