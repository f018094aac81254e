"""Images as the database holds them."""

from __future__ import annotations

from msgspec import Struct


class AssetRow(Struct, frozen=True):
    kind: str
    owner_id: int
    hash: str
    content_type: str
    size: int
    width: int
    height: int
    created_at: int

    @property
    def key(self) -> str:
        """Of its blob."""
        return f"assets/{self.kind}/{self.owner_id}/{self.hash}"
