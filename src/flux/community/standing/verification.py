"""What a guild's verification level asks of its members. No I/O."""

from __future__ import annotations

from flux.community import faults
from flux.community.standing.service import Standing
from flux.kernel.faults import FaultError

ACCOUNT_AGE_MS = 300_000
MEMBER_AGE_MS = 600_000


def refusal(standing: Standing, now_ms: int) -> FaultError | None:
    """Why the guild's verification level keeps a member silent, if it does. The owner, bots and whoever holds a role
    may always speak."""
    level, user = standing.guild.verification_level, standing.user
    if not level or standing.owner or user.bot or standing.role_ids:
        return None
    if not user.email_verified:
        return faults.EMAIL_VERIFICATION_REQUIRED()
    if level >= 2 and now_ms - user.created_at < ACCOUNT_AGE_MS:
        return faults.ACCOUNT_TOO_NEW_FOR_GUILD()
    if level >= 3 and now_ms - standing.member.joined_at < MEMBER_AGE_MS:
        return faults.GUILD_VERIFICATION_REQUIRED()
    if level >= 4 and user.phone is None:
        return faults.GUILD_PHONE_VERIFICATION_REQUIRED()
    return None
