"""The tables `jobs` and `schedules`. Nobody else reads or writes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from flux.kernel.store.port import Reader, Sql, Transaction


class ClaimedJob(msgspec.Struct, frozen=True):
    """A job that is ours to run. `attempts` counts this one."""

    id: int
    kind: str
    key: str | None
    payload: bytes
    due_at: int
    attempts: int


class DeadJob(msgspec.Struct, frozen=True):
    """A job that failed too often. `last_error` is the type and text of its last exception."""

    id: int
    kind: str
    attempts: int
    last_error: str
    created_at: int


_ADD = """
INSERT INTO jobs (kind, key, payload, state, due_at, created_at)
VALUES (:kind, :key, :payload, 'waiting', :due_at, :now)
ON CONFLICT (kind, key) WHERE state = 'waiting' AND key IS NOT NULL
DO UPDATE SET due_at = excluded.due_at WHERE jobs.due_at > excluded.due_at
"""
_CANCEL = "DELETE FROM jobs WHERE kind = :kind AND key = :key AND state = 'waiting'"
_NEXT_DUE = """
SELECT due_at FROM jobs
WHERE state <> 'dead' AND kind IN :kinds AND (owner IS NULL OR owner <> :owner)
ORDER BY due_at LIMIT 1
"""
_DUE = """
SELECT id FROM jobs
WHERE state <> 'dead' AND due_at <= :now AND kind IN :kinds AND (owner IS NULL OR owner <> :owner)
ORDER BY due_at LIMIT :most
"""
_TAKE = "UPDATE jobs SET state = 'running', owner = :owner, due_at = :lease_until, attempts = attempts + 1"
_TAKEN = "RETURNING jobs.id, kind, key, payload, due_at, attempts"
_CLAIM = Sql(
    sqlite=f"{_TAKE} WHERE id IN ({_DUE}) {_TAKEN}",
    # Materialised, because a planner that ran the subquery twice would lock, and take, other rows.
    postgres=f"WITH due AS MATERIALIZED ({_DUE} FOR UPDATE SKIP LOCKED) {_TAKE} FROM due WHERE jobs.id = due.id {_TAKEN}",
)
_RENEW = "UPDATE jobs SET due_at = :lease_until WHERE owner = :owner AND state = 'running'"
_DONE = "DELETE FROM jobs WHERE id = :id AND owner = :owner AND state = 'running'"
_DROP_FOR_TWIN = """
DELETE FROM jobs WHERE id = :id AND owner = :owner AND state = 'running' AND EXISTS (
    SELECT 1 FROM jobs AS twin WHERE twin.kind = :kind AND twin.key = :key AND twin.state = 'waiting'
)
"""
_HASTEN = """
UPDATE jobs SET due_at = :due_at WHERE kind = :kind AND key = :key AND state = 'waiting' AND due_at > :due_at
"""
_WAIT_AGAIN = """
UPDATE jobs SET state = 'waiting', owner = NULL, due_at = :due_at, attempts = :attempts, last_error = :error
WHERE id = :id AND owner = :owner AND state = 'running'
"""
_BURY = """
UPDATE jobs SET state = 'dead', owner = NULL, last_error = :error
WHERE id = :id AND owner = :owner AND state = 'running'
"""
_DEAD = """
SELECT id, kind, attempts, last_error, created_at FROM jobs WHERE state = 'dead' ORDER BY id DESC LIMIT :most
"""
_SCHEDULE = """
INSERT INTO schedules (kind, due_at) VALUES (:kind, :due_at)
ON CONFLICT (kind) DO UPDATE SET due_at = excluded.due_at WHERE schedules.due_at > excluded.due_at
"""
_SCHEDULE_DUE = "SELECT due_at FROM schedules WHERE kind = :kind"
_SCHEDULE_CLAIM = """
UPDATE schedules SET due_at = :until, owner = :owner WHERE kind = :kind AND due_at <= :now
"""
_SCHEDULE_NEXT = """
UPDATE schedules SET due_at = :due_at, owner = NULL WHERE kind = :kind AND owner = :owner
"""


class JobTable:
    """`owner` is this process's name in the rows it works on."""

    def __init__(self, owner: str) -> None:
        self._owner = owner

    async def add(
        self, tx: Transaction, kind: str, payload: dict[str, Any], *, due_at: int, key: str | None, now: int
    ) -> None:
        row = {
            "kind": kind,
            "key": key,
            "payload": msgspec.json.encode(payload),
            "due_at": due_at,
            "now": now,
        }
        await tx.run(_ADD, row)

    async def cancel(self, tx: Transaction, kind: str, key: str) -> None:
        await tx.run(_CANCEL, {"kind": kind, "key": key})

    async def next_due(self, reader: Reader, kinds: Sequence[str]) -> int | None:
        due: int | None = await reader.value(_NEXT_DUE, {"kinds": list(kinds), "owner": self._owner})
        return due

    async def claim(
        self, tx: Transaction, kinds: Sequence[str], *, now: int, lease_until: int, most: int
    ) -> list[ClaimedJob]:
        params = {
            "owner": self._owner,
            "lease_until": lease_until,
            "now": now,
            "kinds": list(kinds),
            "most": most,
        }
        return await tx.all(_CLAIM, params, ClaimedJob)

    async def renew(self, tx: Transaction, lease_until: int) -> None:
        await tx.run(_RENEW, {"owner": self._owner, "lease_until": lease_until})

    async def done(self, tx: Transaction, job: ClaimedJob) -> None:
        await tx.run(_DONE, {"id": job.id, "owner": self._owner})

    async def wait_again(
        self, tx: Transaction, job: ClaimedJob, *, due_at: int, attempts: int, error: str | None
    ) -> None:
        """Back to the queue. When a twin (same kind and key) was queued meanwhile, the twin takes over.

        Raises `UniqueViolation` when a twin arrives in the same moment: do it again.
        """
        mine = {"id": job.id, "owner": self._owner}
        if job.key is not None:
            twin = {"kind": job.kind, "key": job.key}
            if await tx.run(_DROP_FOR_TWIN, {**mine, **twin}):
                await tx.run(_HASTEN, {**twin, "due_at": due_at})
                return
        await tx.run(_WAIT_AGAIN, {**mine, "due_at": due_at, "attempts": attempts, "error": error})

    async def bury(self, tx: Transaction, job: ClaimedJob, error: str) -> None:
        await tx.run(_BURY, {"id": job.id, "owner": self._owner, "error": error})

    async def dead(self, reader: Reader, most: int) -> list[DeadJob]:
        return await reader.all(_DEAD, {"most": most}, DeadJob)

    async def schedule(self, tx: Transaction, kind: str, due_at: int) -> None:
        """Make the schedule known; an earlier time that stands is kept."""
        await tx.run(_SCHEDULE, {"kind": kind, "due_at": due_at})

    async def schedule_due(self, reader: Reader, kind: str) -> int:
        return int(await reader.value(_SCHEDULE_DUE, {"kind": kind}))

    async def claim_schedule(self, tx: Transaction, kind: str, *, now: int, until: int) -> bool:
        params = {"kind": kind, "owner": self._owner, "now": now, "until": until}
        return await tx.run(_SCHEDULE_CLAIM, params) == 1

    async def next_schedule(self, tx: Transaction, kind: str, due_at: int) -> None:
        await tx.run(_SCHEDULE_NEXT, {"kind": kind, "owner": self._owner, "due_at": due_at})
