"""How often somebody may try to log in: guessing is slow, and hashing passwords for strangers has its bounds."""

from __future__ import annotations

from flux.content.faults import RATE_LIMITED
from flux.kernel.house import House
from flux.kernel.quota import Quota, Rate


class Attempts:
    """Of one process; `content.login_rate_limit` and `content.failed_login_rate_limit`."""

    def __init__(self, house: House) -> None:
        self._quota = Quota(house.clock)
        self._any = Rate.parse(house.settings.content.login_rate_limit)
        self._failed = Rate.parse(house.settings.content.failed_login_rate_limit)

    def begin(self, address: str, email: str) -> None:
        """Counts as failed until it is known to be otherwise: tries at the same time are counted too. Raises
        `RATE_LIMITED`."""
        self._take(address, self._any)
        self._take(f"{address} {email}", self._failed)

    def succeeded(self, address: str, email: str) -> None:
        self._quota.forget(f"{address} {email}")

    def _take(self, key: str, rate: Rate | None) -> None:
        if rate is None:
            return
        verdict = self._quota.take(key, rate)
        if not verdict.allowed:
            raise RATE_LIMITED(retry_after=max(1, -int(-verdict.retry_after // 1)))
