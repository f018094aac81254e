"""Searching a guild's members, for those who manage it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from flux.community.inputs import Input
from flux.community.members import search_repository
from flux.community.members.search_repository import Found
from flux.community.members.service import MemberService
from flux.community.standing import rules
from flux.community.standing.service import StandingService
from flux.community.users.records import UserRow
from flux.kernel.store import Database
from flux.kernel.wire import Snowflake

Seconds = Annotated[int, Meta(ge=0, le=1 << 45)]
FEW = 10


class MemberSearch(Input, kw_only=True):
    """Times are Unix milliseconds; what is left out does not matter."""

    query: Annotated[str, Meta(max_length=100)] | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 25
    offset: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    role_ids: Annotated[list[Snowflake], Meta(max_length=FEW)] | None = None
    joined_at_gte: Seconds | None = None
    joined_at_lte: Seconds | None = None
    join_source_type: Annotated[list[Annotated[int, Meta(ge=0, le=100)]], Meta(max_length=FEW)] | None = None
    source_invite_code: Annotated[list[Annotated[str, Meta(max_length=64)]], Meta(max_length=FEW)] | None = (
        None
    )
    is_bot: bool | None = None
    user_created_at_gte: Seconds | None = None
    user_created_at_lte: Seconds | None = None
    sort_by: Literal["joinedAt", "relevance"] | None = None
    sort_order: Literal["asc", "desc"] | None = None


class Supplemental(Struct, frozen=True):
    join_source_type: int | None
    source_invite_code: str | None
    inviter_id: str | None


class MemberHit(Struct, frozen=True):
    id: str
    guild_id: str
    user_id: str
    username: str
    discriminator: str
    global_name: str | None
    nickname: str | None
    role_ids: list[str]
    joined_at: int
    supplemental: Supplemental
    is_bot: bool


class MemberHits(Struct, frozen=True):
    guild_id: str
    members: list[MemberHit]
    page_result_count: int
    total_result_count: int
    indexing: bool = False


class SearchingService:
    def __init__(self, db: Database, where: StandingService, members: MemberService) -> None:
        self._db = db
        self._where = where
        self._members = members

    async def search(self, user: UserRow, guild_id: int, body: MemberSearch) -> MemberHits:
        """By joining time; names match by their beginning, whatever the case."""
        standing = await self._where.guild(user, guild_id)
        standing.need(rules.MANAGE_GUILD)
        rows, total = await search_repository.search(
            self._db, _conditions(guild_id, body), newest_first=body.sort_order != "asc", limit=body.limit,
            offset=body.offset,
        )  # fmt: skip
        roles = await self._members.roles_held(guild_id, [row.user_id for row in rows])
        hits = [_hit(guild_id, row, roles.get(row.user_id, [])) for row in rows]
        return MemberHits(str(guild_id), hits, len(hits), total)


def _conditions(guild_id: int, body: MemberSearch) -> dict[str, Any]:
    query = (body.query or "").casefold().lstrip("@")
    found: dict[str, Any] = {
        "query": query or None,
        "joined_from": body.joined_at_gte,
        "joined_to": body.joined_at_lte,
        "made_from": body.user_created_at_gte,
        "made_to": body.user_created_at_lte,
        "bot": None if body.is_bot is None else int(body.is_bot),
        "sources": body.join_source_type,
        "invites": body.source_invite_code,
        "roles": None if not body.role_ids else [int(each) for each in body.role_ids],
    }
    if query.isascii() and query.isdigit() and 15 < len(query) < 20 and int(query) < 1 << 63:
        found |= {"query": None, "user_id": int(query)}
    return {"guild_id": guild_id} | {name: value for name, value in found.items() if value is not None}


def _hit(guild_id: int, row: Found, roles: list[int]) -> MemberHit:
    inviter = None if row.inviter_id is None else str(row.inviter_id)
    return MemberHit(
        id=f"{guild_id}:{row.user_id}",
        guild_id=str(guild_id),
        user_id=str(row.user_id),
        username=row.username,
        discriminator=f"{row.discriminator:04d}",
        global_name=row.global_name,
        nickname=row.nick,
        role_ids=[str(role) for role in roles],
        joined_at=row.joined_at,
        supplemental=Supplemental(row.join_source, row.source_invite, inviter),
        is_bot=bool(row.bot),
    )
