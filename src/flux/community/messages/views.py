"""Message rows to wire, a whole page with a handful of reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

import msgspec

from flux.community.expressions.emojis import EmojiService
from flux.community.expressions.records import EmojiRow
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
    """`base` is the plane's URL, under which files are."""

    def __init__(self, users: UserService, emojis: EmojiService, base: str) -> None:
        self._users = users
        self._emojis = emojis
        self._base = base

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
        reactions = await self._reactions([row.id for row in page], reader, viewer)
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

    async def _reactions(
        self, message_ids: list[int], reader: Reader, viewer: int
    ) -> dict[int, list[ReactionView]]:
        counted = await reaction_repository.counts(reader, message_ids, viewer)
        custom = {int(each.emoji) for counts in counted.values() for each in counts if each.emoji.isdigit()}
        known = await self._emojis.some(custom, reader) if custom else {}
        return {each: [_reaction(count, known) for count in counts] for each, counts in counted.items()}

    async def one(self, row: MessageRow, reader: Reader, viewer: int = 0) -> MessageView:
        return (await self.of([row], reader, viewer))[0]

    async def fresh(self, row: MessageRow, reader: Reader) -> MessageView:
        """Of a message that was just written, which nobody can have reacted to."""
        if row.reference is not None:
            return await self.one(row, reader)
        people = await self._users.find_many({row.author_id, *_ids.decode(row.mentions)}, reader)
        return self._view(row, people)

    def _view(
        self,
        row: MessageRow,
        people: Mapping[int, UserRow],
        answered: MessageView | msgspec.UnsetType | None = msgspec.UNSET,
        reactions: Iterable[ReactionView] = (),
    ) -> MessageView:
        reference = reference_of(row)
        embeds, attachments = msgspec.Raw(row.embeds), msgspec.Raw(row.attachments)
        if row.attachments != b"[]":
            embeds, attachments = located(row, self._base)
        return MessageView(
            id=str(row.id),
            channel_id=str(row.channel_id),
            author=_person(row.author_id, people) if row.webhook_id is None else _webhook(row),
            webhook_id=msgspec.UNSET if row.webhook_id is None else str(row.webhook_id),
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
            embeds=embeds,
            attachments=attachments,
            stickers=msgspec.Raw(row.stickers or b"[]"),
            reactions=list(reactions),
            message_reference=msgspec.UNSET if reference is None else _reference(reference),
            message_snapshots=_snapshots(reference, self._base),
            referenced_message=answered,
        )


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


def located(row: MessageRow, base: str) -> tuple[msgspec.Raw, msgspec.Raw]:
    """Embeds and attachments with the URLs of the message's files."""
    files: list[dict[str, Any]] = msgspec.json.decode(row.attachments)
    embeds = row.embeds
    for file in files:
        file["url"] = file["proxy_url"] = url_of(base, row.channel_id, file)
        mark = msgspec.json.encode(f"attachment://{file['filename']}")
        embeds = embeds.replace(mark, msgspec.json.encode(file["url"]))
    return msgspec.Raw(embeds), msgspec.Raw(msgspec.json.encode(files))


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


def _webhook(row: MessageRow) -> UserPartial:
    return UserPartial(
        str(row.webhook_id), row.webhook_name or "", "0000", None, row.webhook_avatar, None, 0, bot=True
    )


def _person(user_id: int, people: Mapping[int, UserRow]) -> UserPartial:
    """Whoever is gone shows as a deleted user."""
    row = people.get(user_id)
    return (
        UserPartial.of(row) if row else UserPartial(str(user_id), "DeletedUser", "0000", None, None, None, 0)
    )
