"""Members and guild states on a client's request."""

from __future__ import annotations

from flux.community.guilds.state import GuildStates
from flux.community.members.schemas import MemberView
from flux.community.members.service import MemberService
from flux.community.realtime.guildroom import GuildRoom
from flux.community.realtime.protocol import Frame, MembersRequest
from flux.community.standing import rules
from flux.community.users.service import UserService
from flux.kernel.faults import FaultError
from flux.kernel.store import Database

CHUNK = 1000
MOST_IDS = 100
MOST_MATCHES = 100


class MemberLists:
    def __init__(self, db: Database, users: UserService, members: MemberService, guilds: GuildStates) -> None:
        self._db = db
        self._users = users
        self._members = members
        self._guilds = guilds

    async def chunks(self, room: GuildRoom, user_id: int, body: MembersRequest) -> list[Frame] | None:
        """GUILD_MEMBERS_CHUNK events; None when the caller may not see the whole list."""
        wanted = _ids(body)
        if wanted is not None:
            found = await self._members.some(room.guild_id, wanted)
            return _frames(room.guild_id, found, body)
        if not body.query and not body.limit:
            may = room.permissions(user_id) & (rules.MANAGE_ROLES | rules.KICK_MEMBERS | rules.BAN_MEMBERS)
            if not may:
                return None
            return _frames(room.guild_id, await self._members.every(room.guild_id), body)
        most = min(body.limit or MOST_MATCHES, MOST_MATCHES)
        return _frames(room.guild_id, await self._members.matching(room.guild_id, body.query, most), body)

    async def sync(self, user_id: int, guild_id: int) -> Frame | None:
        user = await self._users.find(user_id)
        if user is None:
            return None
        try:
            return Frame.of("GUILD_SYNC", await self._guilds.of(user, guild_id))
        except FaultError:
            return None


def _ids(body: MembersRequest) -> list[int] | None:
    given = body.user_ids
    if not isinstance(given, (list, str, int)):
        return None
    texts = [str(each) for each in (given if isinstance(given, list) else [given])]
    return [int(text) for text in texts[:MOST_IDS] if text.isascii() and text.isdigit() and len(text) < 20]


def _frames(guild_id: int, members: list[MemberView], body: MembersRequest) -> list[Frame]:
    pages = [members[start : start + CHUNK] for start in range(0, len(members), CHUNK)] or [[]]
    frames = []
    for index, page in enumerate(pages):
        told: dict[str, object] = {
            "guild_id": str(guild_id),
            "members": page,
            "chunk_index": index,
            "chunk_count": len(pages),
        }
        if isinstance(body.nonce, str) and len(body.nonce.encode()) <= 32:
            told["nonce"] = body.nonce
        frames.append(Frame.of("GUILD_MEMBERS_CHUNK", told))
    return frames
