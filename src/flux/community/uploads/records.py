"""Files as the database holds them."""

from __future__ import annotations

from msgspec import Struct


class FileRow(Struct, frozen=True):
    """`message_id` is None while nobody has it."""

    id: int
    channel_id: int
    message_id: int | None
    uploader_id: int
    filename: str
    content_type: str
    size: int
    width: int | None
    height: int | None
    created_at: int

    @property
    def key(self) -> str:
        """Of its blob."""
        return f"attachments/{self.channel_id}/{self.id}"
