"""What the database holds about a folder."""

from __future__ import annotations

from msgspec import Struct


class Folder(Struct, frozen=True):
    """`parent` is '' at the root. `path` is the chain of aliases, dotted."""

    key: str
    environment: str
    parent: str
    alias: str
    path: str
    name: str
    folder_type: str
    content_type: str
    strict_reference: int
    auto_remove_revisions: int | None
    auto_remove_schema_versions: int | None
    embedding_model: str | None
    embedding_dimension: int | None
    created_at: int

    @property
    def is_composite(self) -> bool:
        return self.folder_type == "composite"
