"""Reactions to messages."""

from __future__ import annotations

from typing import Any

from flux.community import faults
from flux.community.expressions.emojis import EmojiService
from flux.community.members.schemas import MemberView
from flux.community.messages import reaction_repository as repository
from flux.community.messages.records import MessageRow
from flux.community.messages.rules import parse_emoji
from flux.community.messages.schemas import EmojiView
from flux.community.messages.service import MessageService
from flux.community.messages.views import shown_emoji
from flux.community.messages.writing import Writing
from flux.community.standing import rules as bits
from flux.community.standing.records import CARRIES_MESSAGES
from flux.community.standing.service import ChannelStanding, StandingService
from flux.community.users.records import UserRow
from flux.community.users.schemas import UserPartial
from flux.community.users.service import UserService
from flux.kernel.store import Clock, Database, Transaction
from flux.settings.community import CommunityLimits


class ReactionService:
    """Emojis are Unicode characters, or the ids of custom ones; each verb raises UNKNOWN_EMOJI for what is neither."""

    def __init__(
        self,
        db: Database,
        clock: Clock,
        users: UserService,
        where: StandingService,
        messages: MessageService,
        writing: Writing,
        emojis: EmojiService,
        limits: CommunityLimits,
    ) -> None:
        self._db = db
        self._clock = clock
        self._users = users
        self._where = where
        self._messages = messages
        self._writing = writing
        self._emojis = emojis
        self._limits = limits

    async def add(
        self, user: UserRow, channel_id: int, message_id: int, text: str, session_id: str | None
    ) -> None:
        """Reacting twice is reacting once. Raises MAX_REACTIONS, MISSING_PERMISSIONS for a new emoji."""
        emoji = parse_emoji(text)

        async def work(tx: Transaction) -> None:
            standing, row = await self._find(tx, user, channel_id, message_id)
            if standing.timed_out(self._clock.now_ms()):
                raise faults.COMMUNICATION_DISABLED()
            if emoji.isdigit():
                await self._emojis.usable(standing, [int(emoji)], tx)
            await self._where.channel_turn(tx, channel_id)
            await self._demand_room(tx, standing, row, emoji)
            if await repository.add(tx, row.id, emoji, user.id, self._clock.now_ms()):
                await self._tell(tx, "MESSAGE_REACTION_ADD", standing, row, emoji, user.id, session_id)

        await self._db.transact(work)

    async def _demand_room(
        self, tx: Transaction, standing: ChannelStanding, row: MessageRow, emoji: str
    ) -> None:
        """Of those that take turns, none sees a count that another is about to change."""
        users = await repository.count_users(tx, row.id, emoji)
        if users == 0:
            standing.need(bits.ADD_REACTIONS)
            if await repository.count_emojis(tx, row.id) >= self._limits.max_reactions:
                raise faults.MAX_REACTIONS(max=self._limits.max_reactions)
        elif users >= self._limits.max_users_per_reaction:
            raise faults.MAX_REACTIONS(max=self._limits.max_reactions)

    async def remove(
        self,
        user: UserRow,
        channel_id: int,
        message_id: int,
        text: str,
        target: int,
        session_id: str | None = None,
    ) -> None:
        """One's own, or with MANAGE_MESSAGES somebody else's."""
        emoji = parse_emoji(text)

        async def work(tx: Transaction) -> None:
            standing, row = await self._find(tx, user, channel_id, message_id)
            if target != user.id:
                self._demand_moderator(standing)
            if await repository.drop(tx, row.id, emoji, target):
                await self._tell(tx, "MESSAGE_REACTION_REMOVE", standing, row, emoji, target, session_id)

        await self._db.transact(work)

    async def clear(self, user: UserRow, channel_id: int, message_id: int, text: str | None) -> None:
        """All of them, or all of one emoji."""
        emoji = None if text is None else parse_emoji(text)

        async def work(tx: Transaction) -> None:
            standing, row = await self._find(tx, user, channel_id, message_id)
            self._demand_moderator(standing)
            told: dict[str, Any] = {"channel_id": str(channel_id), "message_id": str(message_id)}
            if emoji is None:
                gone = await repository.drop_all(tx, row.id)
                name = "MESSAGE_REACTION_REMOVE_ALL"
            else:
                gone = await repository.drop_emoji(tx, row.id, emoji)
                name, told["emoji"] = "MESSAGE_REACTION_REMOVE_EMOJI", await self._shown(tx, emoji)
            if gone:
                self._writing.announce_about(tx, name, standing.channel, told, standing.recipients)

        await self._db.transact(work)

    async def users(
        self, user: UserRow, channel_id: int, message_id: int, text: str, after: int, limit: int
    ) -> list[UserPartial]:
        """Who reacted so, by ascending id."""
        emoji = parse_emoji(text)
        standing = await self._where.channel(user, channel_id)
        standing.need(bits.READ_MESSAGE_HISTORY)
        row = await self._messages.require(self._db, channel_id, message_id)
        ids = await repository.users(self._db, row.id, emoji, after, limit)
        people = await self._users.find_many(ids)
        return [UserPartial.of(people[each]) for each in ids if each in people]

    async def stands(self, message_id: int, emoji: str, user_id: int) -> bool:
        """`emoji` as it is stored: characters, or the id of a custom one."""
        return await repository.stands(self._db, message_id, emoji, user_id)

    async def any(self, message_id: int) -> bool:
        return await repository.count_emojis(self._db, message_id) > 0

    async def _find(
        self, tx: Transaction, user: UserRow, channel_id: int, message_id: int
    ) -> tuple[ChannelStanding, MessageRow]:
        standing = await self._where.channel(user, channel_id, tx)
        if standing.channel.type not in CARRIES_MESSAGES:
            raise faults.CANNOT_SEND_MESSAGES_IN_NON_TEXT_CHANNEL()
        standing.need(bits.READ_MESSAGE_HISTORY)
        return standing, await self._messages.require(tx, channel_id, message_id)

    @staticmethod
    def _demand_moderator(standing: ChannelStanding) -> None:
        if standing.guild is None:
            raise faults.MISSING_PERMISSIONS()
        standing.need(bits.MANAGE_MESSAGES)

    async def _shown(self, tx: Transaction, emoji: str) -> EmojiView:
        known = await self._emojis.some([int(emoji)], tx) if emoji.isdigit() else {}
        return shown_emoji(emoji, known)

    async def _tell(
        self,
        tx: Transaction,
        name: str,
        standing: ChannelStanding,
        row: MessageRow,
        emoji: str,
        user_id: int,
        session_id: str | None,
    ) -> None:
        told: dict[str, Any] = {
            "channel_id": str(row.channel_id),
            "message_id": str(row.id),
            "user_id": str(user_id),
            "emoji": await self._shown(tx, emoji),
        }
        if session_id is not None:
            told["session_id"] = session_id
        guild = standing.guild
        if guild is not None and user_id == standing.user.id:
            told["member"] = MemberView.of(guild.member, standing.user, guild.role_ids)
        self._writing.announce_about(tx, name, standing.channel, told, standing.recipients)
