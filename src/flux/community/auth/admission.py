"""The last step of every login: whether the account may come in at all, and its session."""

from __future__ import annotations

from dataclasses import dataclass

from flux.community import faults
from flux.community.auth.schemas import Issued
from flux.community.auth.sessions import SessionService
from flux.community.users.records import BY_ADMIN, BY_OWNER, DELETED, DISABLED, SELF_DELETED, UserRow
from flux.community.users.service import UserService
from flux.kernel.faults import FaultError
from flux.kernel.store import Clock, Transaction


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request comes from, for the session it makes."""

    address: str
    user_agent: str | None
    platform: str | None


class Admission:
    def __init__(self, clock: Clock, users: UserService, sessions: SessionService) -> None:
        self._clock = clock
        self._users = users
        self._sessions = sessions

    def refusal(self, user: UserRow) -> FaultError | None:
        """Why the account may not log in now, if so."""
        if user.flags & DELETED or user.banned_until == 0:
            return faults.ACCOUNT_SUSPENDED_PERMANENTLY()
        if user.banned_until is not None and user.banned_until > self._clock.now_ms():
            return faults.ACCOUNT_SUSPENDED_TEMPORARILY()
        if user.flags & DISABLED and user.disabled_by != BY_OWNER:
            return faults.ACCOUNT_DISABLED()
        if user.deletion_at is not None and user.deletion_by == BY_ADMIN:
            return faults.ACCOUNT_SCHEDULED_FOR_DELETION()
        return None

    def away(self, user: UserRow) -> bool:
        """Nobody acts for the account now: it is refused, or its owner has switched it off or is leaving."""
        return bool(user.disabled_by) or user.deletion_at is not None or self.refusal(user) is not None

    def demand(self, user: UserRow) -> None:
        """Raises ACCOUNT_SUSPENDED_PERMANENTLY, ACCOUNT_SUSPENDED_TEMPORARILY, ACCOUNT_DISABLED,
        ACCOUNT_SCHEDULED_FOR_DELETION."""
        if (refusal := self.refusal(user)) is not None:
            raise refusal

    async def admit(
        self, tx: Transaction, user_id: int, origin: Origin, address: str | None = None
    ) -> Issued:
        """A session in the caller's unit, at `address` where the request's is not meant. What its owner had switched off
        or asked to be deleted is undone. Raises as `demand`, and UNKNOWN_USER."""
        await self._users.lock(tx, user_id)
        user = await self._users.require(user_id, tx)
        self.demand(user)
        if user.disabled_by == BY_OWNER or user.deletion_by == BY_OWNER:
            flags = user.flags & ~(DISABLED | SELF_DELETED)
            await self._users.set(tx, user.id, flags=flags, disabled_by=0, deletion_by=0, deletion_at=None)
        where = origin.address if address is None else address
        return await self._sessions.issue(tx, user.id, where, origin.user_agent, origin.platform)
