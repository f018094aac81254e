"""The SQL of images."""

from __future__ import annotations

from flux.community.media.records import AssetRow
from flux.kernel.store import Database, Reader, Transaction

COLUMNS = "a.kind, a.owner_id, a.hash, a.content_type, a.size, a.width, a.height, a.created_at"
INSERT = """
INSERT INTO community_assets (kind, owner_id, hash, content_type, size, width, height, created_at)
VALUES (:kind, :owner_id, :hash, :content_type, :size, :width, :height, :created_at)
"""
FIND = f"SELECT {COLUMNS} FROM community_assets a WHERE a.kind = :kind AND a.owner_id = :owner_id AND a.hash = :hash"
FIND_ONLY = f"""
SELECT {COLUMNS} FROM community_assets a WHERE a.kind = :kind AND a.owner_id = :owner_id ORDER BY a.created_at LIMIT 1
"""
DELETE = "DELETE FROM community_assets WHERE kind = :kind AND owner_id = :owner_id AND hash = :hash"
POINTERS: dict[str, tuple[str, ...]] = {
    "avatar": (
        "community_users p WHERE p.id = a.owner_id AND p.avatar",
        "community_webhooks p WHERE p.id = a.owner_id AND p.avatar",
    ),
    "banner": (
        "community_users p WHERE p.id = a.owner_id AND p.banner",
        "community_guilds p WHERE p.id = a.owner_id AND p.banner",
    ),
    "icon": (
        "community_guilds p WHERE p.id = a.owner_id AND p.icon",
        "community_channels p WHERE p.id = a.owner_id AND p.icon",
    ),
    "splash": ("community_guilds p WHERE p.id = a.owner_id AND p.splash",),
    "embed-splash": ("community_guilds p WHERE p.id = a.owner_id AND p.embed_splash",),
    "emoji": ("community_emojis p WHERE p.id = a.owner_id AND p.hash",),
    "sticker": ("community_stickers p WHERE p.id = a.owner_id AND p.hash",),
    "member-avatar": ("community_guild_members p WHERE p.user_id = a.owner_id AND p.avatar",),
    "member-banner": ("community_guild_members p WHERE p.user_id = a.owner_id AND p.banner",),
}
"""Which columns point at an image of that kind."""


async def insert(tx: Transaction, row: AssetRow) -> None:
    await tx.run(INSERT, {name: getattr(row, name) for name in row.__struct_fields__})


async def find(reader: Reader, kind: str, owner_id: int, hash: str | None) -> AssetRow | None:
    """Without a hash, the owner's only image of that kind."""
    params = {"kind": kind, "owner_id": owner_id}
    if hash is None:
        return await reader.one(FIND_ONLY, params, AssetRow)
    return await reader.one(FIND, {**params, "hash": hash}, AssetRow)


async def delete(tx: Transaction, row: AssetRow) -> None:
    await tx.run(DELETE, {"kind": row.kind, "owner_id": row.owner_id, "hash": row.hash})


async def forgotten(db: Database, kind: str, before_ms: int, limit: int) -> list[AssetRow]:
    """Images made before `before_ms` that nothing points at."""
    nobody = " AND ".join(f"NOT EXISTS (SELECT 1 FROM {pointer} = a.hash)" for pointer in POINTERS[kind])
    sql = f"SELECT {COLUMNS} FROM community_assets a WHERE a.kind = :kind AND a.created_at < :before AND {nobody} LIMIT :limit"
    return await db.scan(sql, {"kind": kind, "before": before_ms, "limit": limit}, AssetRow)
