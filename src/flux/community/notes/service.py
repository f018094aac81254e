"""Reading and writing notes."""

from __future__ import annotations

from flux.community.announcing import Announcer
from flux.community.notes import repository
from flux.community.users.service import UserService
from flux.kernel.store import Database, Transaction


class NoteService:
    def __init__(self, db: Database, users: UserService, announcer: Announcer) -> None:
        self._db = db
        self._users = users
        self._announcer = announcer

    async def listing(self, user_id: int) -> dict[str, str]:
        """By the id of whom they are about."""
        return {str(target): note for target, note in (await repository.list_of(self._db, user_id)).items()}

    async def read(self, user_id: int, target_id: int) -> str:
        """Empty when there is none. Raises UNKNOWN_USER."""
        await self._users.require(target_id)
        return await repository.find(self._db, user_id, target_id) or ""

    async def write(self, user_id: int, target_id: int, note: str) -> None:
        """Raises UNKNOWN_USER."""

        async def work(tx: Transaction) -> None:
            await self._users.require(target_id, tx)
            await repository.put(tx, user_id, target_id, note)
            self._announcer.user(tx, user_id, "USER_NOTE_UPDATE", {"id": str(target_id), "note": note})

        await self._db.transact(work)
