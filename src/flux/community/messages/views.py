"""Message rows to wire, a whole page with a handful of reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from flux.community.messages import reaction_repository, repository
from flux.community.messages.reaction_repository import ReactionCount
from flux.community.messages.records import MessageRow, Reference
from flux.community.messages.schemas import EmojiView, MessageView, ReactionView, ReferenceView
from flux.community.users.records import UserRow
from flux.community.users.schemas import UserPartial
from flux.community.users.service import UserService
from flux.kernel.store import Reader, iso, snowflake_ms

_references = msgspec.json.Decoder(Reference)
_ids = msgspec.json.Decoder(list[int])


def reference_of(row: MessageRow) -> Reference | None:
    return _references.decode(row.reference) if row.reference else None


class MessageViews:
    def __init__(self, users: UserService) -> None:
        self._users = users

    async def of(self, rows: Iterable[MessageRow], reader: Reader, viewer: int = 0) -> list[MessageView]:
        """In the order given, with what `viewer` reacted marked. What a message answers comes with it, or as null when
        it is gone."""
        page = list(rows)
        answered = {
            row.id: found.message_id for row in page if (found := reference_of(row)) and found.type == 0
        }
        others = await repository.find_many(reader, set(answered.values())) if answered else {}
        everybody = {row.author_id for row in (*page, *others.values())}
        for row in (*page, *others.values()):
            if row.mentions != b"[]":
                everybody.update(_ids.decode(row.mentions))
        people = await self._users.find_many(everybody, reader)
        reactions = await reaction_repository.counts(reader, [row.id for row in page], viewer)
        inner = {row.id: _view(row, people) for row in others.values()}
        return [
            _view(
                row,
                people,
                inner.get(answered[row.id]) if row.id in answered else msgspec.UNSET,
                reactions.get(row.id, ()),
            )
            for row in page
        ]

    async def one(self, row: MessageRow, reader: Reader, viewer: int = 0) -> MessageView:
        return (await self.of([row], reader, viewer))[0]

    async def fresh(self, row: MessageRow, reader: Reader) -> MessageView:
        """Of a message that was just written, which nobody can have reacted to."""
        if row.reference is not None:
            return await self.one(row, reader)
        people = await self._users.find_many({row.author_id, *_ids.decode(row.mentions)}, reader)
        return _view(row, people)


def _view(
    row: MessageRow,
    people: Mapping[int, UserRow],
    answered: MessageView | msgspec.UnsetType | None = msgspec.UNSET,
    reactions: Iterable[ReactionCount] = (),
) -> MessageView:
    reference = reference_of(row)
    return MessageView(
        id=str(row.id),
        channel_id=str(row.channel_id),
        author=_person(row.author_id, people),
        type=row.type,
        flags=row.flags,
        content=row.content,
        timestamp=iso(snowflake_ms(row.id)),
        edited_timestamp=None if row.edited_at is None else iso(row.edited_at),
        pinned=row.pinned_at is not None,
        mention_everyone=bool(row.mention_everyone),
        tts=bool(row.tts),
        mentions=[_person(each, people) for each in _ids.decode(row.mentions) if each in people],
        mention_roles=[str(each) for each in _ids.decode(row.mention_roles)],
        embeds=msgspec.Raw(row.embeds),
        attachments=msgspec.Raw(row.attachments),
        reactions=[_reaction(each) for each in reactions],
        message_reference=msgspec.UNSET if reference is None else _reference(reference),
        message_snapshots=reference.snapshots if reference and reference.snapshots else msgspec.UNSET,
        referenced_message=answered,
    )


def shown_emoji(emoji: str) -> EmojiView:
    return EmojiView(emoji)


def _reaction(counted: ReactionCount) -> ReactionView:
    return ReactionView(shown_emoji(counted.emoji), counted.count, True if counted.mine else msgspec.UNSET)


def _reference(found: Reference) -> ReferenceView:
    guild = None if found.guild_id is None else str(found.guild_id)
    return ReferenceView(str(found.channel_id), str(found.message_id), guild, found.type)


def _person(user_id: int, people: Mapping[int, UserRow]) -> UserPartial:
    """Whoever is gone shows as a deleted user."""
    row = people.get(user_id)
    return (
        UserPartial.of(row) if row else UserPartial(str(user_id), "DeletedUser", "0000", None, None, None, 0)
    )
