"""Windows and bans. Ordinary excess is 429 and heals itself; pushing on through 429s is a ban, 403.

Counts live in this process; where there are several, they are shared (windows.py).
"""

from __future__ import annotations

import math

from flux.kernel.quota import Quota, Rate, Verdict
from flux.kernel.store import Clock, iso
from flux.paygate.access.windows import SharedWindows
from flux.paygate.faults import BANNED, RATE_LIMIT_EXCEEDED
from flux.settings.paygate import PaygateSettings

WINDOW_SECONDS = 60
CAPACITY = 50_000


class Turnstile:
    """`who` is an IP or a wallet; a window is one of theirs, such as `management` or a listing's own."""

    def __init__(self, clock: Clock, settings: PaygateSettings, shared: SharedWindows | None = None) -> None:
        self._clock = clock
        self._shared = shared
        self._quota: Quota | SharedWindows = shared or Quota(clock)
        self._ban_after = settings.ban_after
        self._ban_ms = round(settings.ban_minutes * 60_000)
        self._bans: dict[str, int] = shared.bans if shared is not None else {}

    def check_ban(self, scope: str, who: str) -> None:
        """Raises BANNED (403) while the ban lasts."""
        key = f"{scope}:{who}"
        until = self._bans.get(key)
        if until is None:
            return
        if until <= self._clock.now_ms():
            del self._bans[key]
            return
        raise BANNED(scope=scope, reason="temporarily_banned", detail={"bannedUntil": iso(until)})

    def pass_window(
        self, window: str, scope: str, who: str, limit: int, seconds: int = WINDOW_SECONDS
    ) -> Verdict | None:
        """One more request of `who` through `window`; None without a limit.

        Raises RATE_LIMIT_EXCEEDED (429) and counts that as pushing, which is held against the wallet where the
        window is a listing's.
        """
        if limit <= 0:
            return None
        return self._judged(self._quota.count(f"{window}:{who}", Rate(limit, seconds)), scope, who, seconds)

    async def pass_exactly(self, window: str, scope: str, who: str, limit: int, seconds: int) -> None:
        """As `pass_window`, and never one too many, however many processes there are."""
        if self._shared is None:
            self.pass_window(window, scope, who, limit, seconds)
        else:
            verdict = await self._shared.take(f"{window}:{who}", Rate(limit, seconds))
            self._judged(verdict, scope, who, seconds)

    def _judged(self, verdict: Verdict, scope: str, who: str, seconds: int) -> Verdict:
        if not verdict.allowed:
            self._push(f"{'ip' if scope == 'ip' else 'wallet'}:{who}", seconds)
            raise RATE_LIMIT_EXCEEDED(
                seconds=max(1, math.ceil(verdict.retry_after)),
                scope=scope,
                limit=verdict.limit,
                windowSeconds=seconds,
            )
        return verdict

    def note(self, what: str, who: str, limit: int) -> None:
        """Something that failed and may fail `limit` times a minute."""
        self._quota.count(f"{what}:{who}", Rate(limit, WINDOW_SECONDS))

    def check_noted(self, what: str, scope: str, who: str, limit: int) -> None:
        """Raises RATE_LIMIT_EXCEEDED (429) when it was noted too often already."""
        verdict = self._quota.count(f"{what}:{who}", Rate(limit, WINDOW_SECONDS), 0)
        if verdict.remaining <= 0:
            seconds = max(1, math.ceil(verdict.reset_after))
            raise RATE_LIMIT_EXCEEDED(seconds=seconds, scope=scope, limit=limit, windowSeconds=WINDOW_SECONDS)

    def _push(self, key: str, seconds: int) -> None:
        if self._quota.count(f"push:{key}", Rate(self._ban_after, seconds)).remaining > 0:
            return
        now = self._clock.now_ms()
        if isinstance(self._quota, SharedWindows):
            self._quota.ban(key, now + self._ban_ms)
            return
        self._quota.forget(f"push:{key}")
        if len(self._bans) >= CAPACITY:
            self._bans = {one: until for one, until in self._bans.items() if until > now}
        self._bans[key] = now + self._ban_ms


def window_headers(verdict: Verdict) -> dict[str, str]:
    return {
        "RateLimit-Limit": str(verdict.limit),
        "RateLimit-Remaining": str(verdict.remaining),
        "RateLimit-Reset": str(math.ceil(verdict.reset_after)),
    }
