"""One's own settings: what is kept with the account, and the emoji beside its name."""

from __future__ import annotations

from flux.community.envelope import invalid
from flux.community.expressions.emojis import EmojiService
from flux.community.users.records import UserRow
from flux.community.users.schemas import CustomStatusUpdate, SettingsUpdate, UserSettings
from flux.community.users.service import UserService


class PreferenceService:
    def __init__(self, users: UserService, emojis: EmojiService) -> None:
        self._users = users
        self._emojis = emojis

    async def change(self, user: UserRow, body: SettingsUpdate) -> UserSettings:
        """A custom status that says nothing is none. Raises a validation failure when the custom status has an emoji of a guild that the account is not in."""
        custom = body.custom_status
        if isinstance(custom, CustomStatusUpdate) and not (
            custom.text or custom.emoji_id or custom.emoji_name
        ):
            body.custom_status = custom = None
        if not isinstance(custom, CustomStatusUpdate) or custom.emoji_id is None:
            return await self._users.change_settings(user.id, body)
        emoji = await self._emojis.worn(user.id, custom.emoji_id)
        if emoji is None:
            raise invalid("custom_status.emoji_id", "There is no such emoji for you.", "UNKNOWN_EMOJI")
        custom.emoji_name = emoji.name
        return await self._users.change_settings(user.id, body, animated=bool(emoji.animated))
