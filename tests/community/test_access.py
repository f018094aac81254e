"""What a reader may is what `channel` finds, refusals included, whatever was written since it was last asked."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from flux.app import open_house
from flux.community.plane import assemble
from flux.community.standing.service import StandingService
from flux.community.users.records import NewAccount, UserRow
from flux.community.users.service import UserService
from flux.kernel.faults import FaultError
from flux.kernel.store import Transaction
from flux.operatorfile import OperatorFile
from flux.settings import load_settings

GUILD, ROLES, TEXTS, CONVERSATION = 10, (10, 11, 12), (20, 21), 30
VIEW, HISTORY, ADMINISTRATOR = 1 << 10, 1 << 16, 1 << 3
STEPS = 150

GUILDS = """
INSERT INTO community_guilds (id, name, owner_id, features, member_count, created_at) VALUES (:id, 'g', :owner, :none, 1, 0)
"""
CHANNEL = "INSERT INTO community_channels (id, type, guild_id, created_at) VALUES (:id, :type, :guild, 0)"
ROLE = """
INSERT INTO community_guild_roles (id, guild_id, name, position, permissions) VALUES (:role, 10, 'r', 1, :bits)
ON CONFLICT (id) DO UPDATE SET permissions = excluded.permissions
"""
CHANGES = (
    ROLE,
    "DELETE FROM community_guild_roles WHERE id = :role AND id <> 10",
    """INSERT INTO community_channel_overwrites (channel_id, target_id, kind, allow, deny)
    VALUES (:text, :role, 0, :bits, :other) ON CONFLICT DO NOTHING""",
    """INSERT INTO community_channel_overwrites (channel_id, target_id, kind, allow, deny)
    VALUES (:text, :user, 1, :bits, :other) ON CONFLICT DO NOTHING""",
    "DELETE FROM community_channel_overwrites WHERE channel_id = :text AND target_id IN (:role, :user)",
    "UPDATE community_channel_overwrites SET deny = :bits WHERE channel_id = :text",
    """INSERT INTO community_guild_members (guild_id, user_id, joined_at) VALUES (10, :user, 0)
    ON CONFLICT DO NOTHING""",
    "DELETE FROM community_guild_members WHERE user_id = :user",
    """INSERT INTO community_member_roles (guild_id, user_id, role_id)
    SELECT guild_id, user_id, :role FROM community_guild_members WHERE user_id = :user AND :role IN
    (SELECT id FROM community_guild_roles WHERE id <> 10) ON CONFLICT DO NOTHING""",
    "DELETE FROM community_member_roles WHERE user_id = :user AND role_id = :role",
    "UPDATE community_guilds SET owner_id = :user WHERE id = 10",
    "UPDATE community_guilds SET message_history_cutoff = :bits WHERE id = 10",
    "INSERT INTO community_channel_recipients (channel_id, user_id) VALUES (30, :user) ON CONFLICT DO NOTHING",
    "DELETE FROM community_channel_recipients WHERE user_id = :user",
    "UPDATE community_channels SET last_message_id = :bits WHERE id = :text",
)


async def told(asked: Awaitable[Any], cutoff: Callable[[Any], int | None]) -> tuple[object, ...]:
    try:
        found = await asked
    except FaultError as refusal:
        return (refusal.fault.code,)
    return found.permissions, cutoff(found)


async def test_access_is_what_a_whole_standing_says(tmp_path: Path) -> None:
    opened = await open_house(
        load_settings(None, {}, {}), tmp_path, "http://127.0.0.1", OperatorFile.open(tmp_path)
    )
    services = assemble(opened.house).services
    users: UserService = services[UserService]
    where = StandingService(opened.house.db, opened.house.clock)
    seed = random.randrange(1 << 32)
    print("seed", seed)
    dice = random.Random(seed)

    async def furnish(tx: Transaction) -> list[UserRow]:
        people = [await users.create(tx, NewAccount(username=f"u{number}")) for number in range(3)]
        await tx.run(GUILDS, {"id": GUILD, "owner": people[0].id, "none": b"[]"})
        for channel in TEXTS:
            await tx.run(CHANNEL, {"id": channel, "type": 0, "guild": GUILD})
        await tx.run(CHANNEL, {"id": CONVERSATION, "type": 3, "guild": None})
        await tx.run(ROLE, {"role": GUILD, "bits": VIEW | HISTORY})
        return people

    def draw(people: list[UserRow]) -> dict[str, int]:
        bits = (0, VIEW, HISTORY, VIEW | HISTORY, ADMINISTRATOR)
        return {
            "user": dice.choice(people).id, "role": dice.choice(ROLES), "text": dice.choice(TEXTS),
            "bits": dice.choice(bits), "other": dice.choice(bits),
        }  # fmt: skip

    try:
        people = await opened.house.db.transact(furnish)
        for _ in range(STEPS):
            change, values = dice.choice(CHANGES), draw(people)
            await opened.house.db.transact(lambda tx, c=change, v=values: tx.run(c, v))  # type: ignore[misc]
            for someone in people:
                for channel in (*TEXTS, CONVERSATION, 999):
                    whole = await told(
                        where.channel(someone, channel),
                        lambda found: found.guild.guild.message_history_cutoff if found.guild else None,
                    )
                    for _ in range(2):
                        access = await told(
                            where.access(someone, channel), lambda found: found.history_cutoff
                        )
                        assert access == whole, (change, values)
    finally:
        await opened.close()
