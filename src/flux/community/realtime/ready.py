"""What a client gets first: READY, and the state of its guilds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import UnsetType
from msgspec.structs import asdict

from flux.community.auth.tokens import id_hash
from flux.community.channels.private import PrivateChannels
from flux.community.channels.schemas import ChannelView
from flux.community.guilds.state import GuildStates
from flux.community.inbox.pinned import PinnedService
from flux.community.inbox.service import InboxService
from flux.community.loudness.service import LoudnessService
from flux.community.members.schemas import MemberView
from flux.community.notes.service import NoteService
from flux.community.realtime.protocol import Frame
from flux.community.realtime.rosters import Line
from flux.community.realtime.session import Session
from flux.community.realtime.statuses import Statuses
from flux.community.relationships.schemas import RelationshipView
from flux.community.relationships.service import RelationshipService
from flux.community.users.records import UserRow
from flux.community.users.schemas import UserPartial, UserSettings
from flux.community.users.service import UserService
from flux.community.voice.service import RegionService
from flux.kernel.faults import FaultError

COUNTRY = "US"


class ReadyMaker:
    def __init__(
        self,
        users: UserService,
        guilds: GuildStates,
        private: PrivateChannels,
        relationships: RelationshipService,
        notes: NoteService,
        loudness: LoudnessService,
        inbox: InboxService,
        pinned: PinnedService,
        statuses: Statuses,
        regions: RegionService,
    ) -> None:
        self._users = users
        self._guilds = guilds
        self._private = private
        self._relationships = relationships
        self._notes = notes
        self._loudness = loudness
        self._inbox = inbox
        self._pinned = pinned
        self._statuses = statuses
        self._regions = regions

    async def frames(
        self,
        session: Session,
        user: UserRow,
        settings: UserSettings | None,
        guild_ids: list[int],
        sessions: Callable[[int], list[Line]],
    ) -> list[Frame]:
        """READY first. `sessions` gives the account's, as late as possible: other processes tell of theirs meanwhile. A bot's guilds are placeholders there and follow whole, one by one; people get them at once."""
        known = await self._guilds.of_many(user, guild_ids)
        states = [known.get(each) or {"id": str(each), "unavailable": True} for each in guild_ids]
        members = [each for state in states for each in state.get("members", ())]
        if user.bot:
            shown: list[dict[str, Any]] = [{"id": state["id"], "unavailable": True} for state in states]
        else:
            shown = [_lean(state) for state in states]
        ready = Frame.of("READY", await self._ready(session, user, settings, shown, members, sessions))
        return [ready, *(_whole(state) for state in states if user.bot)]

    async def guild(self, user: UserRow, guild_id: int) -> dict[str, Any]:
        """The guild as the user sees it, or that it cannot be seen now."""
        try:
            return await self._guilds.of(user, guild_id)
        except FaultError:
            return {"id": str(guild_id), "unavailable": True}

    async def _ready(
        self,
        session: Session,
        user: UserRow,
        settings: UserSettings | None,
        guilds: list[dict[str, Any]],
        members: list[MemberView],
        sessions: Callable[[int], list[Line]],
    ) -> dict[str, Any]:
        conversations = await self._private.listing(user.id)
        relations = [] if user.bot else await self._relationships.listing(user.id)
        shown: dict[str, Any] = {
            "version": 1,
            "session_id": session.id,
            "user": self._users.private(user),
            "guilds": guilds,
            "users": [] if user.bot else _people(user, members, conversations, relations),
            "private_channels": conversations,
            "relationships": [_without_user(each) for each in relations],
            "presences": [] if user.bot else await self._statuses.around(user.id),
            "user_settings": settings,
            "user_guild_settings": [] if user.bot else await self._loudness.listing(user.id),
            "read_states": [] if user.bot else await self._inbox.read_states(user),
            "notes": {} if user.bot else await self._notes.listing(user.id),
            "pinned_dms": [] if user.bot else await self._pinned.listing(user.id),
            "favorite_memes": [],
            "country_code": COUNTRY,
            "rtc_regions": self._regions.listing(),
        }
        shown["sessions"] = sessions(user.id)
        if session.auth_hash is not None:
            shown["auth_session_id_hash"] = id_hash(session.auth_hash)
        return shown


def _people(
    user: UserRow,
    members: list[MemberView],
    conversations: list[ChannelView],
    relations: list[RelationshipView],
) -> list[UserPartial]:
    """Everybody named elsewhere in READY, once."""
    found = {str(user.id): UserPartial.of(user)}
    found |= {each.user.id: each.user for each in members}
    for channel in conversations:
        if not isinstance(channel.recipients, UnsetType):
            found |= {each.id: each for each in channel.recipients}
    found |= {each.id: each.user for each in relations}
    return list(found.values())


def _lean(state: dict[str, Any]) -> dict[str, Any]:
    """A guild in READY, whose members are only named: who they are stands once, in `users`."""
    if "members" in state:
        state["members"] = [_named(each) for each in state["members"]]
    return state


def _named(member: MemberView) -> dict[str, Any]:
    shown = asdict(member)
    del shown["guild_id"]
    shown["user"] = {"id": member.user.id}
    return shown


def _without_user(relation: RelationshipView) -> dict[str, Any]:
    return {"id": relation.id, "type": relation.type, "since": relation.since, "nickname": relation.nickname}


def _whole(state: dict[str, Any]) -> Frame:
    return Frame.of("GUILD_DELETE" if state.get("unavailable") else "GUILD_CREATE", state)
