"""Links in messages: asking for what they lead to, and putting it below the message when it is known."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from flux.community.messages import repository
from flux.community.messages.records import SUPPRESS_EMBEDS
from flux.community.messages.views import MessageViews
from flux.community.messages.writing import Writing
from flux.community.standing.service import StandingService
from flux.kernel.jobs.port import Jobs
from flux.kernel.store import Database, Transaction
from flux.settings.community_unfurling import Unfurling

JOB = "community.unfurl"
MOST_EMBEDS = 10
_LINK = re.compile(r"(?<![<\w])https?://[^\s<>\"'`]{1,2000}")
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
_ENDS = ".,;:!?)]}'*_~|"


def links_of(content: str, most: int) -> list[str]:
    """Each once, in order; without those in code or in angle brackets, which are not to be shown."""
    if "://" not in content:
        return []
    found = (match.rstrip(_ENDS) for match in _LINK.findall(_CODE.sub(" ", content)))
    return list(dict.fromkeys(found))[:most]


class Linking:
    def __init__(
        self,
        db: Database,
        where: StandingService,
        views: MessageViews,
        writing: Writing,
        jobs: Jobs,
        settings: Unfurling,
    ) -> None:
        self._db = db
        self._where = where
        self._views = views
        self._writing = writing
        self._jobs = jobs
        self._settings = settings

    async def ask(self, tx: Transaction, channel_id: int, message_id: int, content: str, flags: int) -> None:
        """In the unit of work that wrote the message."""
        if (
            not self._settings.enabled
            or flags & SUPPRESS_EMBEDS
            or not links_of(content, self._settings.links)
        ):
            return
        payload = {"channel_id": int(channel_id), "message_id": int(message_id)}
        await self._jobs.enqueue(tx, JOB, payload, key=str(int(message_id)))

    async def content(self, channel_id: int, message_id: int) -> str | None:
        """What the message says; None when it is gone."""
        row = await repository.find(self._db, channel_id, message_id)
        return None if row is None else row.content

    async def show(
        self, channel_id: int, message_id: int, content: str, embeds: list[dict[str, Any]]
    ) -> None:
        """After the author's own embeds, and instead of what was shown before; unless the message says something else
        by now, or hides its embeds."""

        async def work(tx: Transaction) -> None:
            row = await repository.find(tx, channel_id, message_id)
            channel = await self._where.find_channel(channel_id, tx)
            if row is None or channel is None or row.content != content or row.flags & SUPPRESS_EMBEDS:
                return
            shown = msgspec.json.encode([*own_embeds(row.embeds), *embeds][:MOST_EMBEDS])
            if shown == row.embeds:
                return
            await repository.update(tx, message_id, {"embeds": shown})
            changed = await repository.find(tx, channel_id, message_id)
            assert changed is not None
            view = await self._views.one(changed, tx)
            recipients = [] if channel.guild_id else await self._where.recipients(channel_id, tx)
            self._writing.announce(tx, "MESSAGE_UPDATE", channel, view, recipients=recipients)

        await self._db.transact(work)


def own_embeds(embeds: bytes) -> list[dict[str, Any]]:
    """Those that the author sent, without those of links."""
    found: list[dict[str, Any]] = msgspec.json.decode(embeds)
    return [embed for embed in found if embed.get("type") == "rich"]
