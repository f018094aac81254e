"""What is posted to a webhook."""

from __future__ import annotations

from collections.abc import Sequence

from flux.community.messages.ghostwriting import GhostwritingService
from flux.community.messages.schemas import MessageUpdate, MessageView
from flux.community.messages.writing import Spoken
from flux.community.uploads.service import Taken
from flux.community.webhooks.schemas import WebhookMessage
from flux.community.webhooks.service import WebhookService


class SpeakingService:
    """Each verb raises UNKNOWN_WEBHOOK for a wrong token."""

    def __init__(self, webhooks: WebhookService, ghost: GhostwritingService) -> None:
        self._webhooks = webhooks
        self._ghost = ghost

    async def channel_of(self, webhook_id: int, token: str) -> int:
        return (await self._webhooks.by_token(webhook_id, token)).channel_id

    async def say(
        self, webhook_id: int, token: str, body: WebhookMessage, files: Sequence[Taken] = ()
    ) -> MessageView:
        row = await self._webhooks.by_token(webhook_id, token)
        spoken = Spoken(body.username or row.name, body.avatar_url or row.avatar)
        return await self._ghost.say(row.id, row.channel_id, spoken, body, files)

    async def read(self, webhook_id: int, token: str, message_id: int) -> MessageView:
        row = await self._webhooks.by_token(webhook_id, token)
        return await self._ghost.read(row.id, row.channel_id, message_id)

    async def revise(
        self, webhook_id: int, token: str, message_id: int, body: MessageUpdate, files: Sequence[Taken] = ()
    ) -> MessageView:
        row = await self._webhooks.by_token(webhook_id, token)
        return await self._ghost.revise(row.id, row.channel_id, message_id, body, files)

    async def retract(self, webhook_id: int, token: str, message_id: int) -> None:
        row = await self._webhooks.by_token(webhook_id, token)
        await self._ghost.retract(row.id, row.channel_id, message_id)
