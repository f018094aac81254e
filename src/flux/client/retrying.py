"""When to ask again, and how long to wait before.

Only what the references call transient is repeated: community 429, 500, 502, 503, 504; content 408, 429, 5xx;
paygate 429 and numeric codes of 500 and more, unless `details.retryable` is false; PAYMENT_NOT_CONFIRMED on request.
No other 4xx ever is.

A method that is not idempotent (POST, PATCH) is repeated only when the server has certainly not begun: on a
declared 429 or 503, on an unconfirmed payment, on a relay that never reached its target. `idempotent=True` says
that repeating is harmless and lifts that, transport failures included.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass

from flux.client.dialects import Dialect, unconfirmed
from flux.client.errors import FluxError

log = logging.getLogger("flux.client")

IDEMPOTENT_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"})


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Exponential backoff with full jitter; what the server asks for in `Retry-After` or the body wins.

    The wait before retry n is drawn evenly from 0 to `first_delay * 2 ** (n - 1)`, never above `longest_delay`
    (seconds). `attempts` counts the first request too. `deadline` is the time in seconds that a request and its
    retries may take together: a wait that would pass it is not begun, the error is raised at once. An
    unconfirmed payment is raised like any other 402 unless `await_confirmation` is set: it cures itself.
    """

    attempts: int = 4
    first_delay: float = 1.0
    longest_delay: float = 30.0
    deadline: float = 120.0
    await_confirmation: bool = False
    random: Callable[[], float] = random.random
    monotonic: Callable[[], float] = time.monotonic
    wall_clock: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        if self.attempts < 1 or min(self.first_delay, self.longest_delay, self.deadline) < 0:
            raise ValueError("attempts must be at least 1, and no time negative")

    def delay(self, attempt: int) -> float:
        """Seconds to wait after the failed attempt number `attempt` (from 1)."""
        # The exponent is bounded so that a policy of very many attempts cannot overflow a float.
        return self.random() * min(self.longest_delay, self.first_delay * 2.0 ** min(attempt - 1, 60))


NO_RETRY = RetryPolicy(attempts=1)


class Attempts:
    """The attempts of one request."""

    def __init__(
        self, policy: RetryPolicy, dialect: Dialect, *, idempotent: bool, repeatable: bool = True
    ) -> None:
        """`repeatable` is False when the request's body can be sent only once."""
        self.policy = policy
        self.dialect = dialect
        self.idempotent = idempotent
        self.repeatable = repeatable
        self.made = 0
        self._began = policy.monotonic()

    def remaining(self) -> float:
        """Seconds left until the deadline."""
        return self.policy.deadline - (self.policy.monotonic() - self._began)

    def after(self, error: FluxError) -> float:
        """Seconds to wait before the next attempt. Raises `error` when there must be none."""
        self.made += 1
        error.attempts = self.made
        if self.made >= self.policy.attempts or not self._worth_repeating(error):
            raise error
        wait = self.policy.delay(self.made) if error.retry_after is None else error.retry_after
        if wait >= self.remaining():
            raise error
        log.info(
            "%s: %s; attempt %d of %d in %.2f s",
            self.dialect.name,
            _brief(error),
            self.made + 1,
            self.policy.attempts,
            wait,
        )
        return wait

    def _worth_repeating(self, error: FluxError) -> bool:
        if not self.repeatable or not self.dialect.transient(error):
            return False
        if unconfirmed(error) and not self.policy.await_confirmation:
            return False
        return self.idempotent or self.dialect.untouched(error)


def _brief(error: FluxError) -> str:
    """Class, status and code: the request's address may hold secrets and stays out of the log."""
    status, code = getattr(error, "status", ""), getattr(error, "code", "")
    return " ".join(str(part) for part in (type(error).__name__, status, code) if part)
