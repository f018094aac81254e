"""The table `outbox`. Nobody else reads or writes it."""

from __future__ import annotations

from typing import Any

import msgspec

from flux.kernel.post.port import Letter
from flux.kernel.store.port import Reader, Transaction


class QueuedLetter(msgspec.Struct, frozen=True):
    """A letter on its way. `created_at` is in Unix milliseconds."""

    id: int
    channel: str
    to: str
    subject: str
    text: str
    created_at: int


class StoredLetter(msgspec.Struct, frozen=True):
    """A letter as the table shows it. `text` and `data` are None once erased."""

    id: int
    channel: str
    to: str
    subject: str
    text: str | None
    data: bytes | None
    sent_at: int | None


_ADD = """
INSERT INTO outbox (channel, recipient, subject, text, data, created_at)
VALUES (:channel, :to, :subject, :text, :data, :now)
RETURNING id
"""
_UNSENT = """
SELECT id, channel, recipient, subject, text, created_at FROM outbox
WHERE id = :id AND sent_at IS NULL AND text IS NOT NULL
"""
_SENT = "UPDATE outbox SET sent_at = :now, attempts = attempts + 1, last_error = NULL WHERE id = :id"
_FAILED = "UPDATE outbox SET attempts = attempts + 1, last_error = :reason WHERE id = :id"
_ERASE = "UPDATE outbox SET text = NULL, data = NULL WHERE id = :id"
_COLUMNS = "id, channel, recipient, subject, text, data, sent_at"
_LATEST = f"SELECT {_COLUMNS} FROM outbox ORDER BY id DESC LIMIT :most"
_LATEST_TO = f"SELECT {_COLUMNS} FROM outbox WHERE recipient = :to ORDER BY id DESC LIMIT :most"
_SWEEP = "DELETE FROM outbox WHERE created_at < :before"


class OutboxTable:
    async def add(self, tx: Transaction, letter: Letter, now: int) -> int:
        row: dict[str, Any] = {
            "channel": letter.channel,
            "to": letter.to,
            "subject": letter.subject,
            "text": letter.text,
            "data": msgspec.json.encode(dict(letter.data)),
            "now": now,
        }
        return int(await tx.value(_ADD, row))

    async def unsent(self, reader: Reader, letter_id: int) -> QueuedLetter | None:
        return await reader.one(_UNSENT, {"id": letter_id}, QueuedLetter)

    async def sent(self, tx: Transaction, letter_id: int, now: int) -> None:
        await tx.run(_SENT, {"id": letter_id, "now": now})

    async def failed(self, tx: Transaction, letter_id: int, reason: str) -> None:
        await tx.run(_FAILED, {"id": letter_id, "reason": reason})

    async def erase(self, tx: Transaction, letter_id: int) -> None:
        await tx.run(_ERASE, {"id": letter_id})

    async def latest(self, reader: Reader, to: str | None, most: int) -> list[StoredLetter]:
        """Newest first."""
        if to is None:
            return await reader.all(_LATEST, {"most": most}, StoredLetter)
        return await reader.all(_LATEST_TO, {"to": to, "most": most}, StoredLetter)

    async def sweep(self, tx: Transaction, before: int) -> None:
        await tx.run(_SWEEP, {"before": before})
