"""Fetching what a message links to, and showing it below the message."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from typing import Any

from flux.community.messages.linking import JOB, Linking, links_of
from flux.community.unfurling.reading import Embed, embed_of
from flux.kernel.faults import PortFailure
from flux.kernel.jobs.port import Jobs
from flux.kernel.outside.fetching import Fetcher
from flux.kernel.store import Clock
from flux.settings.community_unfurling import Unfurling

log = logging.getLogger("flux.community.unfurling")
HEADERS = {"User-Agent": "Mozilla/5.0 (compatible; flux-unfurl/1)", "Accept": "text/html,image/*;q=0.8"}


class UnfurlingService:
    """A link that shows nothing, or cannot be fetched, leaves the message as it is: a preview is no duty."""

    def __init__(self, linking: Linking, fetcher: Fetcher, clock: Clock, settings: Unfurling) -> None:
        self._linking = linking
        self._fetcher = fetcher
        self._clock = clock
        self._settings = settings
        self._known: OrderedDict[str, tuple[int, Embed | None]] = OrderedDict()

    def schedule(self, jobs: Jobs) -> None:
        jobs.handle(JOB, self.run)

    async def run(self, payload: dict[str, Any]) -> None:
        """The job; running it again changes nothing."""
        channel_id, message_id = payload["channel_id"], payload["message_id"]
        content = await self._linking.content(channel_id, message_id)
        links = links_of(content or "", self._settings.links)
        if not links:
            return
        found = await asyncio.gather(*(self._embed(link) for link in links))
        shown = [embed for embed in found if embed is not None]
        if shown:
            await self._linking.show(channel_id, message_id, content or "", shown)

    async def _embed(self, link: str) -> Embed | None:
        now = self._clock.now_ms()
        known = self._known.get(link)
        if known is not None and now - known[0] < self._settings.cache_seconds * 1000:
            return known[1]
        embed = None
        try:
            embed = embed_of(link, await self._fetcher.get(link, HEADERS, most=self._settings.bytes))
        except PortFailure as failure:
            log.info("a link was not shown: %s", failure.reason)
        self._known[link] = (now, embed)
        while len(self._known) > self._settings.cache_entries:
            self._known.popitem(last=False)
        return embed
