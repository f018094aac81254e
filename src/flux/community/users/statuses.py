"""The status that an account has chosen, as far as it still holds. No I/O."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from flux.community.users.schemas import CustomStatus, UserSettings


def settled(settings: UserSettings, now_ms: int) -> UserSettings:
    """Without what has ended by now: a status that was for a while, a custom status with an end."""
    if settings.status_resets_at is not None and instant(settings.status_resets_at) <= now_ms:
        settings = replace(
            settings,
            status=settings.status_resets_to or "online",
            status_resets_at=None,
            status_resets_to=None,
        )
    if over(settings.custom_status, now_ms):
        settings = replace(settings, custom_status=None)
    return settings


def over(status: CustomStatus | None, now_ms: int) -> bool:
    return status is not None and status.expires_at is not None and instant(status.expires_at) <= now_ms


def next_end(settings: UserSettings) -> int | None:
    """When the first of them ends, in Unix milliseconds."""
    custom = settings.custom_status
    ends = (settings.status_resets_at, custom.expires_at if custom is not None else None)
    return min((instant(each) for each in ends if each is not None), default=None)


def instant(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)
