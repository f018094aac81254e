"""The SQL of files."""

from __future__ import annotations

from flux.community.uploads.records import FileRow
from flux.kernel.store import Database, Reader, Transaction

COLUMNS = "f.id, f.channel_id, f.message_id, f.uploader_id, f.filename, f.content_type, f.size, f.width, f.height, f.created_at"
INSERT = """
INSERT INTO community_attachments (id, channel_id, uploader_id, filename, content_type, size, created_at)
VALUES (:id, :channel_id, :uploader_id, :filename, :content_type, :size, :created_at)
"""
FIND = f"SELECT {COLUMNS} FROM community_attachments f WHERE f.id = :id AND f.message_id IS NOT NULL"
CLAIM = """
UPDATE community_attachments SET message_id = :message_id, filename = :filename, content_type = :content_type, size = :size,
    width = :width, height = :height WHERE id = :id AND message_id IS NULL AND doomed = 0
"""
LET_GO = "UPDATE community_attachments SET message_id = NULL, created_at = :now WHERE message_id = :message_id AND id NOT IN :kept"
ORPHANS = f"""
SELECT {COLUMNS} FROM community_attachments f WHERE f.message_id IS NULL AND f.created_at < :before ORDER BY f.created_at LIMIT :limit
"""
DOOM = "UPDATE community_attachments SET doomed = 1 WHERE id = :id AND message_id IS NULL"
DELETE = "DELETE FROM community_attachments WHERE id = :id AND doomed = 1"


async def insert(tx: Transaction, row: FileRow) -> None:
    values = {name: getattr(row, name) for name in row.__struct_fields__}
    del values["message_id"], values["width"], values["height"]
    await tx.run(INSERT, values)


async def find(reader: Reader, file_id: int) -> FileRow | None:
    """None for one that no message has."""
    return await reader.one(FIND, {"id": file_id}, FileRow)


async def claim(tx: Transaction, row: FileRow, message_id: int) -> bool:
    """False when it was swept meanwhile."""
    values = {
        name: getattr(row, name) for name in ("id", "filename", "content_type", "size", "width", "height")
    }
    return await tx.run(CLAIM, {**values, "message_id": message_id}) > 0


async def let_go(tx: Transaction, message_id: int, kept: list[int], now: int) -> None:
    """The message's files but `kept` are nobody's any more."""
    await tx.run(LET_GO, {"message_id": message_id, "kept": kept, "now": now})


async def orphans(db: Database, before_ms: int, limit: int) -> list[FileRow]:
    return await db.scan(ORPHANS, {"before": before_ms, "limit": limit}, FileRow)


async def doom(tx: Transaction, file_id: int) -> bool:
    """Nobody can claim it any more. False when somebody did."""
    return await tx.run(DOOM, {"id": file_id}) > 0


async def delete(tx: Transaction, file_id: int) -> None:
    await tx.run(DELETE, {"id": file_id})
