"""The SQL of finding members who are not there any more."""

from __future__ import annotations

from flux.kernel.store import Reader

AT_ONCE = 1000
IDLE = """
SELECT m.user_id FROM community_guild_members m JOIN community_users u ON u.id = m.user_id
WHERE m.guild_id = :guild_id AND m.user_id <> :owner_id AND u.bot = 0 AND m.joined_at < :before
    AND NOT EXISTS (SELECT 1 FROM community_member_roles r WHERE r.guild_id = m.guild_id AND r.user_id = m.user_id)
    AND NOT EXISTS (SELECT 1 FROM community_sessions s WHERE s.user_id = m.user_id AND s.last_used_at >= :before)
ORDER BY m.user_id LIMIT :limit
"""


async def idle(reader: Reader, guild_id: int, owner_id: int, before_ms: int) -> list[int]:
    """Members without a role whose sessions were last used before that, at most a thousand."""
    values = {"guild_id": guild_id, "owner_id": owner_id, "before": before_ms, "limit": AT_ONCE}
    return await reader.all(IDLE, values, int)
