"""The messages of a channel move to lie together, and everything that points at them comes along."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.harness.databases import fresh_postgres_url

from flux.community.messages import repository
from flux.kernel.faults.ports import Ports
from flux.kernel.store import Database, MigrationSet, Transaction, as_read, migrate
from flux.kernel.store.postgres import PostgresDatabase
from flux.kernel.store.sqlite import SqliteDatabase

MIGRATIONS = Path(__file__).parents[2] / "src/flux/community/migrations"
POINTING = ("reactions", "bookmarks", "attachments", "mentions", "dismissed_mentions")
CHANNEL, OTHER = 500, 400


async def furnish(tx: Transaction) -> None:
    """Two channels whose messages came in turn, and of one message everything that can point at it."""
    user = (
        "INSERT INTO community_users (id, username, username_folded, discriminator, bot, flags, acls, avatar_color, created_at) "
        "VALUES (1, 'ada', 'ada', 1, 0, 0, :none, 0, 0)"
    )
    await tx.run(user, {"none": b"[]"})
    for channel in (CHANNEL, OTHER):
        await tx.run(
            "INSERT INTO community_channels (id, type, created_at) VALUES (:id, 0, 0)", {"id": channel}
        )
    message = (
        "INSERT INTO community_messages (id, channel_id, author_id, type, flags, content, tts, mention_everyone, mentions, "
        "mention_roles, embeds, attachments, pinned_at, reacted) "
        "VALUES (:id, :channel, 1, 0, 4, :text, 1, 0, :none, :none, :none, :none, :pinned, 1)"
    )
    for number in range(1, 41):
        channel = CHANNEL if number % 2 else OTHER
        values = {"id": number, "channel": channel, "text": f"word {number} " * number * 9, "none": b"[]"}
        await tx.run(message, values | {"pinned": 9 if number == 7 else None})
    for text in (
        "reactions (message_id, emoji, user_id, created_at) VALUES (7, '+', 1, 5)",
        "bookmarks (user_id, message_id, channel_id, created_at) VALUES (1, 7, 500, 5)",
        "attachments (id, channel_id, message_id, uploader_id, filename, content_type, size, created_at) "
        "VALUES (3, 500, 7, 1, 'a', 'b', 2, 5)",
        "mentions (target_id, message_id, channel_id, kind, author_id) VALUES (1, 7, 500, 0, 1)",
        "dismissed_mentions (user_id, message_id) VALUES (1, 7)",
    ):
        await tx.run(f"INSERT INTO community_{text}", {})


async def held(db: Database) -> dict[str, list[tuple[object, ...]]]:
    found = {"messages": await db.all("SELECT * FROM community_messages ORDER BY id", {}, as_read)}
    for name in POINTING:
        found[name] = await db.all(f"SELECT * FROM community_{name}", {}, as_read)
    return found


async def moved(db: Database, before: Path) -> None:
    before.mkdir()
    for path in MIGRATIONS.glob("*.sql"):
        if path.name < "0013":
            shutil.copy(path, before)
    await migrate(db, [MigrationSet("community", before)])
    await db.transact(furnish)
    had = await held(db)
    assert await migrate(db, [MigrationSet("community", MIGRATIONS)])
    assert await held(db) == had

    await db.transact(lambda tx: tx.run("DELETE FROM community_messages WHERE id = 7", {}))
    left = await held(db)
    assert len(left["messages"]) == 39
    assert [len(left[name]) for name in POINTING] == [0, 0, 1, 0, 0]
    assert await db.value("SELECT message_id FROM community_attachments", {}) is None, "a file outlives it"
    await db.transact(lambda tx: tx.run("DELETE FROM community_channels WHERE id = :id", {"id": OTHER}))
    assert {row[1] for row in (await held(db))["messages"]} == {CHANNEL}


async def test_on_sqlite(tmp_path: Path) -> None:
    db = SqliteDatabase(tmp_path / "flux.db")
    try:
        await moved(db, tmp_path / "before")
        plan = await db.all(
            "EXPLAIN QUERY PLAN SELECT content FROM community_messages WHERE channel_id = 1 AND id < 9 ORDER BY id DESC",
            {},
            as_read,
        )
        assert [row[3] for row in plan] == [
            "SEARCH community_messages USING PRIMARY KEY (channel_id=? AND id<?)"
        ]
    finally:
        await db.close()


@pytest.mark.parametrize("statement", [repository.COUNT_PINS, repository.PINS], ids=["count", "page"])
async def test_pins_are_found_without_the_channel(tmp_path: Path, statement: str) -> None:
    db = SqliteDatabase(tmp_path / "flux.db")
    try:
        await migrate(db, [MigrationSet("community", MIGRATIONS)])
        values = {"channel_id": 1, "before": 10, "limit": 50}
        (plan,) = await db.all(f"EXPLAIN QUERY PLAN {statement}", values, as_read)
        assert "community_messages_pinned" in plan[3]
    finally:
        await db.close()


async def test_on_postgres(tmp_path: Path) -> None:
    async with fresh_postgres_url() as url:
        db = await PostgresDatabase.connect(url, ports=Ports())
        try:
            await moved(db, tmp_path / "before")
        finally:
            await db.close()
