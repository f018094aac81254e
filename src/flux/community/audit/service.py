"""Writing down what moderators do, and reading it."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import msgspec
from msgspec import UNSET

from flux.community.audit import actions, repository
from flux.community.audit.actions import LONGEST, Change
from flux.community.audit.repository import EntryRow
from flux.community.audit.schemas import AuditEntry, AuditLog, AuditQuery, AuditWebhook
from flux.community.envelope import invalid
from flux.community.inputs import I64, encode
from flux.community.standing import rules
from flux.community.standing.service import StandingService
from flux.community.users.records import UserRow
from flux.community.users.schemas import UserPartial
from flux.community.users.service import UserService
from flux.kernel.store import Database, Snowflakes, Transaction

HEADER = "x-audit-log-reason"
MOST_PEOPLE = 100


def reason_of(header: str | None) -> str | None:
    """What the caller gave as the reason: at most 512 characters, percent-encoded or as it is."""
    if not header:
        return None
    try:
        text = header.encode("latin-1").decode("utf-8")
    except UnicodeError:
        text = header
    text = "".join(each for each in unquote(text) if each.isprintable()).strip()
    return text[:LONGEST] or None


class AuditService:
    def __init__(self, db: Database, ids: Snowflakes, users: UserService, where: StandingService) -> None:
        self._db = db
        self._ids = ids
        self._users = users
        self._where = where

    async def record(
        self,
        tx: Transaction,
        guild_id: int,
        action: int,
        user_id: int,
        target_id: int | str | None,
        *,
        reason: str | None = None,
        changes: list[Change] | None = None,
        **options: Any,
    ) -> None:
        """In the unit of work of the action itself. Options that are None are left out."""
        given = {name: value for name, value in options.items() if value is not None}
        values = {
            "id": self._ids.next(),
            "guild_id": guild_id,
            "action_type": action,
            "user_id": user_id,
            "target_id": None if target_id is None else str(target_id),
            "reason": reason,
            "options": encode(given) if given else None,
            "changes": encode(changes) if changes else None,
        }
        await repository.insert(tx, values)

    async def listing(self, user: UserRow, guild_id: int, query: AuditQuery) -> AuditLog:
        """Newest first; after an edge, the entries that follow it."""
        standing = await self._where.guild(user, guild_id)
        standing.need(rules.VIEW_AUDIT_LOG)
        if query.before is not None and query.after is not None:
            raise invalid("before", "Send one of before, after.", "TOO_MANY_EDGES")
        values = {
            "guild_id": guild_id,
            "after": int(query.after or 0),
            "before": I64 if query.before is None else int(query.before),
            "user_id": int(query.user_id or 0),
            "action_type": query.action_type or 0,
            "limit": query.limit,
        }
        rows = await repository.page(self._db, values, oldest_first=query.after is not None)
        rows.sort(key=lambda row: row.id, reverse=True)
        return AuditLog([_entry(row) for row in rows], await self._people(rows), await self._webhooks(rows))

    async def _people(self, rows: list[EntryRow]) -> list[UserPartial]:
        actors = dict.fromkeys(row.user_id for row in rows)
        targets = dict.fromkeys(_target(row) for row in rows if row.action_type in actions.ABOUT_PEOPLE)
        people = await self._users.find_many(list(actors | targets)[:MOST_PEOPLE])
        return [UserPartial.of(row) for row in people.values()]

    async def _webhooks(self, rows: list[EntryRow]) -> list[AuditWebhook]:
        about = {_target(row) for row in rows if row.action_type in actions.ABOUT_WEBHOOKS}
        return [
            AuditWebhook(str(row.id), str(row.guild_id), str(row.channel_id), row.name, row.avatar)
            for row in await repository.webhooks(self._db, sorted(about))
        ]


def _target(row: EntryRow) -> int:
    return int(row.target_id) if row.target_id and row.target_id.isdigit() else 0


def _entry(row: EntryRow) -> AuditEntry:
    return AuditEntry(
        str(row.id),
        row.action_type,
        str(row.user_id),
        row.target_id,
        row.reason if row.reason is not None else UNSET,
        msgspec.Raw(row.options) if row.options else UNSET,
        msgspec.Raw(row.changes) if row.changes else UNSET,
    )
