"""Message rows to wire, a whole page with a handful of reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import msgspec

from flux.community.expressions.emojis import EmojiService
from flux.community.expressions.records import EmojiRow
from flux.community.messages import reaction_repository, repository
from flux.community.messages.keeping import KeptPages, Material
from flux.community.messages.printing import Cards, members, printed, webhook_author
from flux.community.messages.printing import page as page_of
from flux.community.messages.reaction_repository import ReactionCount
from flux.community.messages.records import (
    AUTHOR_ID,
    NONE,
    REPLIES,
    SHOWN,
    USUAL,
    Columns,
    MessageRow,
    Reference,
)
from flux.community.messages.schemas import EmojiView, MessageView, ReactionView, ReferenceView
from flux.community.users.records import UserCard
from flux.community.users.schemas import UserPartial
from flux.community.users.service import UserService
from flux.kernel.store import Database, Reader, iso, snowflake_ms
from flux.kernel.wire.values import encoder

_references = msgspec.json.Decoder(Reference)
_ids = msgspec.json.Decoder(list[int])


def reference_of(row: MessageRow) -> Reference | None:
    return _references.decode(row.reference) if row.reference else None


class MessageViews:
    """`base` is the plane's URL, under which files are; `most_kept` the bytes of JSON that are kept."""

    def __init__(self, users: UserService, emojis: EmojiService, base: str, most_kept: int) -> None:
        self._kept = KeptPages(most_kept)
        self._users = users
        self._emojis = emojis
        self._base = base

    async def of(self, rows: Iterable[MessageRow], reader: Reader, viewer: int = 0) -> list[MessageView]:
        """In the order given, with what `viewer` reacted marked. What a message answers comes with it, or as null when
        it is gone."""
        page = list(rows)
        answered, others = await self._answered(page, reader)
        people = await self._users.shown(_everybody((*page, *others.values())), reader)
        reactions = await self._reactions(page, reader, viewer)
        inner = {row.id: self._view(row, people) for row in others.values()}
        return [
            self._view(
                row,
                people,
                inner.get(answered[row.id]) if row.id in answered else msgspec.UNSET,
                reactions.get(row.id, ()),
            )
            for row in page
        ]

    async def printed(self, page: Sequence[Columns], db: Database, viewer: int = 0) -> bytes:
        """The JSON list of what `of` finds outside a unit of work."""
        unusual = [MessageRow(*row) for row in page if row[SHOWN:] != USUAL]
        answered, others = await self._answered(unusual, db)
        people = {row[AUTHOR_ID] for row in page} | _everybody((*unusual, *others.values()))
        cards = await self._users.cards(people)
        made_of = Material(page, others, cards, await self._reactions(unusual, db, viewer))
        text = self._kept.find(made_of)
        if text is None:
            text = self._text(made_of, unusual, answered)
            self._kept.offer(made_of, text)
        return text

    def _text(self, made_of: Material, unusual: list[MessageRow], answered: dict[int, int]) -> bytes:
        cards, reactions = made_of.cards, made_of.reactions
        inner = {row.id: self._print(row, cards) for row in made_of.answered.values()}
        printed = {
            row.id: self._print(
                row, cards, inner.get(answered.get(row.id, 0), b"null"), reactions.get(row.id)
            )
            for row in unusual
        }
        return page_of(made_of.rows, cards, printed)

    @staticmethod
    async def _answered(
        page: list[MessageRow], reader: Reader
    ) -> tuple[dict[int, int], dict[int, MessageRow]]:
        """Which message each of them answers, and those of these that are there."""
        answered = {
            row.id: found.message_id
            for row in page
            if row.reference is not None and (found := _references.decode(row.reference)).type == REPLIES
        }
        return answered, await repository.find_many(reader, set(answered.values())) if answered else {}

    async def _reactions(
        self, page: list[MessageRow], reader: Reader, viewer: int
    ) -> dict[int, list[ReactionView]]:
        reacted = [row.id for row in page if row.reacted]
        if not reacted:
            return {}
        counted = await reaction_repository.counts(reader, reacted, viewer)
        custom = {int(each.emoji) for counts in counted.values() for each in counts if each.emoji.isdigit()}
        known = await self._emojis.some(custom, reader) if custom else {}
        return {each: [_reaction(count, known) for count in counts] for each, counts in counted.items()}

    async def one(self, row: MessageRow, reader: Reader, viewer: int = 0) -> MessageView:
        return (await self.of([row], reader, viewer))[0]

    async def fresh(self, row: MessageRow, reader: Reader) -> MessageView:
        """Of a message that was just written, which nobody can have reacted to."""
        if row.reference is not None:
            return await self.one(row, reader)
        people = await self._users.shown(_everybody([row]), reader)
        return self._view(row, people)

    def _view(
        self,
        row: MessageRow,
        people: Mapping[int, UserCard],
        answered: MessageView | msgspec.UnsetType | None = msgspec.UNSET,
        reactions: Iterable[ReactionView] = (),
    ) -> MessageView:
        reference = reference_of(row)
        embeds, attachments = row.embeds, row.attachments
        if attachments != NONE:
            embeds, attachments = located(row, self._base)
        return MessageView(
            id=str(row.id),
            channel_id=str(row.channel_id),
            author=_person(row.author_id, people) if row.webhook_id is None else webhook_author(row),
            webhook_id=msgspec.UNSET if row.webhook_id is None else str(row.webhook_id),
            type=row.type,
            flags=row.flags,
            content=row.content,
            timestamp=iso(snowflake_ms(row.id)),
            edited_timestamp=None if row.edited_at is None else iso(row.edited_at),
            pinned=row.pinned_at is not None,
            mention_everyone=bool(row.mention_everyone),
            tts=bool(row.tts),
            mentions=[]
            if row.mentions == NONE
            else [_person(each, people) for each in _ids.decode(row.mentions) if each in people],
            mention_roles=[]
            if row.mention_roles == NONE
            else [str(each) for each in _ids.decode(row.mention_roles)],
            embeds=msgspec.Raw(embeds),
            attachments=msgspec.Raw(attachments),
            stickers=msgspec.Raw(row.stickers or NONE),
            reactions=list(reactions),
            message_reference=msgspec.UNSET if reference is None else _reference(reference),
            message_snapshots=_snapshots(reference, self._base),
            referenced_message=answered,
        )

    def _print(
        self,
        row: MessageRow,
        cards: Cards,
        answered: bytes = b"",
        reactions: list[ReactionView] | None = None,
    ) -> bytes:
        """`answered` is the message it answers, JSON; empty where that is not to be shown."""
        embeds, attachments = row.embeds, row.attachments
        if attachments != NONE:
            embeds, attachments = located(row, self._base)
        shown = NONE if reactions is None else encoder.encode(reactions)
        tail = b"" if row.reference is None else self._tail(row.reference, answered)
        return printed(row, cards, embeds, attachments, shown, tail)

    def _tail(self, encoded: bytes, answered: bytes) -> bytes:
        reference = _references.decode(encoded)
        told: dict[str, Any] = {"message_reference": _reference(reference)}
        if (snapshots := _snapshots(reference, self._base)) is not msgspec.UNSET:
            told["message_snapshots"] = snapshots
        if answered and reference.type == REPLIES:
            told["referenced_message"] = msgspec.Raw(answered)
        return members(told)


def _everybody(rows: Iterable[MessageRow]) -> set[int]:
    """Who wrote them and who is named in them."""
    found = set()
    for row in rows:
        found.add(row.author_id)
        if row.mentions != NONE:
            found.update(_ids.decode(row.mentions))
    return found


def shown_emoji(emoji: str, known: Mapping[int, EmojiRow]) -> EmojiView:
    """A custom one that is gone keeps its id and loses its name."""
    if not emoji.isdigit():
        return EmojiView(emoji)
    row = known.get(int(emoji))
    return EmojiView(row.name if row else "_", emoji, bool(row and row.animated))


def _reaction(counted: ReactionCount, known: Mapping[int, EmojiRow]) -> ReactionView:
    emoji = shown_emoji(counted.emoji, known)
    return ReactionView(emoji, counted.count, True if counted.mine else msgspec.UNSET)


def _reference(found: Reference) -> ReferenceView:
    guild = None if found.guild_id is None else str(found.guild_id)
    return ReferenceView(str(found.channel_id), str(found.message_id), guild, found.type)


def located(row: MessageRow, base: str) -> tuple[bytes, bytes]:
    """Embeds and attachments with the URLs of the message's files, JSON."""
    files: list[dict[str, Any]] = msgspec.json.decode(row.attachments)
    embeds = row.embeds
    for file in files:
        file["url"] = file["proxy_url"] = url_of(base, row.channel_id, file)
        mark = msgspec.json.encode(f"attachment://{file['filename']}")
        embeds = embeds.replace(mark, msgspec.json.encode(file["url"]))
    return embeds, msgspec.json.encode(files)


def url_of(base: str, channel_id: int, file: Mapping[str, Any]) -> str:
    return f"{base}/attachments/{channel_id}/{file['id']}/{quote(file['filename'], safe='')}"


def _snapshots(reference: Reference | None, base: str) -> list[dict[str, Any]] | msgspec.UnsetType:
    """Of what was forwarded; its files stay where they are."""
    if reference is None or not reference.snapshots:
        return msgspec.UNSET
    for snapshot in reference.snapshots:
        for file in snapshot.get("attachments") or ():  # type: ignore[attr-defined]
            file["url"] = file["proxy_url"] = url_of(base, reference.channel_id, file)
    return reference.snapshots


def _person(user_id: int, people: Mapping[int, UserCard]) -> UserPartial:
    """Whoever is gone shows as a deleted user."""
    row = people.get(user_id)
    return UserPartial.of(row) if row else UserPartial.gone(user_id)
