"""Issuing and using codes, always in the caller's unit of work."""

from __future__ import annotations

import hmac
from hashlib import sha256

from flux.community.codes import repository
from flux.kernel.identity import Vault, same
from flux.kernel.store import Clock, Transaction, random_key

DIGITS = 6
LIFETIME_MS = 600_000
RESEND_MS = 30_000
TRIES = 5


class CodeService:
    def __init__(self, vault: Vault, clock: Clock) -> None:
        self._key = vault.key("community.codes")
        self._clock = clock

    async def issue(self, tx: Transaction, purpose: str, subject: str, user_id: int) -> str | None:
        """A fresh code that replaces the one before; None within thirty seconds of that one."""
        code = random_key(DIGITS, "0123456789")
        now = self._clock.now_ms()
        values = {
            "subject": subject,
            "purpose": purpose,
            "user_id": user_id,
            "code_hash": self._hash(purpose, subject, code),
            "now": now,
            "expires_at": now + LIFETIME_MS,
            "cooled": now - RESEND_MS,
        }
        return code if await repository.put(tx, values) else None

    async def use(self, tx: Transaction, purpose: str, subject: str, code: str) -> bool:
        """Whether that is the code, which is then used up. A wrong try counts, so the caller must let its unit commit."""
        stored = await repository.take_try(tx, subject, purpose, self._clock.now_ms(), TRIES)
        if stored is None or not same(stored, self._hash(purpose, subject, code.strip())):
            return False
        await repository.drop(tx, subject, purpose)
        return True

    async def sweep(self, tx: Transaction) -> None:
        """Codes that have expired."""
        await repository.sweep(tx, self._clock.now_ms())

    def _hash(self, purpose: str, subject: str, code: str) -> bytes:
        """Keyed, because six digits alone can be guessed from their hash."""
        text = f"{purpose}\n{subject}\n{code}"
        return hmac.new(self._key, text.encode("utf-8", "surrogatepass"), sha256).digest()
