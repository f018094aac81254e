"""What second factors an account has among the codes, whether a code is right, and switching them on and off.

What takes a transaction runs in the caller's unit of work, which must commit when a code was wrong: tries count.
"""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import Literal

from flux.community import faults
from flux.community.codes.service import CodeService
from flux.community.envelope import invalid
from flux.community.factors import repository, rules
from flux.community.factors.schemas import BackupCode, BackupCodes
from flux.community.users.records import UserRow
from flux.community.users.service import UserService
from flux.kernel.faults import FaultError
from flux.kernel.identity import Vault
from flux.kernel.post.port import Letter, Post
from flux.kernel.quota import Quota, Rate
from flux.kernel.store import Clock, Database, Reader, Transaction
from flux.settings.community import CommunityLimits

SEEDS = "community.totp"
BACKUPS = "community.backup"
Purpose = Literal["login", "sudo", "phone"]


class FactorService:
    def __init__(
        self,
        db: Database,
        clock: Clock,
        vault: Vault,
        post: Post,
        users: UserService,
        codes: CodeService,
        quota: Quota,
        limits: CommunityLimits,
    ) -> None:
        self._db = db
        self._clock = clock
        self._vault = vault
        self._post = post
        self._users = users
        self._codes = codes
        self._quota = quota
        self._texts_per_account = Rate.parse(limits.texts_per_account)
        self._texts_per_number = Rate.parse(limits.texts_per_number)
        self._backup_key = vault.key("community.backup-hash")

    # -- is the code right? -----------------------------------------------------------------------------------

    async def check(self, tx: Transaction, user: UserRow, code: str, *, login: bool) -> bool:
        """A code of the authenticator app, or a backup code, which is then used up. For a login a time step's code
        works once, so that one who looks over a shoulder comes too late."""
        if user.totp_secret is None:
            return False
        step = rules.matching_step(self._vault.open(SEEDS, user.totp_secret), code, self._clock.now_ms())
        if step is not None:
            return not login or await self._users.spend_totp_step(tx, user.id, step)
        spent = self._backup_hash(user.id, code)
        return await repository.spend_backup_code(tx, user.id, spent, self._clock.now_ms())

    async def check_text(self, tx: Transaction, user: UserRow, purpose: Purpose, code: str) -> bool:
        """The code that was sent by text message for that purpose."""
        if 1 not in user.authenticators:
            return False
        return await self._codes.use(tx, f"sms-{purpose}", str(user.id), code)

    async def send_text(self, user: UserRow, purpose: Purpose) -> None:
        """To the account's number. Raises SMS_MFA_NOT_ENABLED, PHONE_RATE_LIMIT_EXCEEDED."""
        if 1 not in user.authenticators or user.phone is None:
            raise faults.SMS_MFA_NOT_ENABLED()
        await self.text(user, user.phone, f"sms-{purpose}", str(user.id))

    async def text(self, user: UserRow, phone: str, purpose: str, subject: str) -> None:
        """A code to a number; nothing within thirty seconds of the last. Raises PHONE_RATE_LIMIT_EXCEEDED."""

        async def work(tx: Transaction) -> bool:
            code = await self._codes.issue(tx, purpose, subject, user.id)
            if code is not None:
                body = f"{code} is your code. It works for ten minutes. Tell it to nobody."
                await self._post.send(tx, Letter("sms", phone, "", body, {"code": code, "kind": purpose}))
            return code is not None

        for key, rate in (
            (f"text:{user.id}", self._texts_per_account),
            (f"text:{phone}", self._texts_per_number),
        ):
            if rate is not None and not (verdict := self._quota.count(key, rate)).allowed:
                raise faults.PHONE_RATE_LIMIT_EXCEEDED(retry_after=verdict.retry_after)
        await self._db.transact(work)

    # -- one-time codes ---------------------------------------------------------------------------------------

    async def enable(self, user: UserRow, secret: str, code: str) -> BackupCodes:
        """Raises validation failures on `secret` and `code`."""
        key = rules.seed(secret)
        if key is None:
            raise invalid("secret", "Expected at least ten bytes in base32.", "INVALID_FORMAT")
        if rules.matching_step(key, code, self._clock.now_ms()) is None:
            raise wrong_code()
        sealed = self._vault.seal(SEEDS, key)

        async def work(tx: Transaction) -> BackupCodes:
            if not await self._users.set_totp(tx, user.id, sealed):
                raise invalid("secret", "One-time codes are switched on already.", "TOTP_ALREADY_ENABLED")
            made = await self._renew_backups(tx, user.id)
            await self._users.tell(tx, user.id)
            return made

        return await self._db.transact(work)

    async def disable(self, user: UserRow, code: str) -> None:
        """Text messages and backup codes go with it. Raises TWO_FACTOR_REQUIRED, a validation failure on `code`."""

        async def work(tx: Transaction) -> bool:
            current = await self._users.require(user.id, tx)
            if current.totp_secret is None:
                raise faults.TWO_FACTOR_REQUIRED()
            if not await self.check(tx, current, code, login=False):
                return False
            await self.forget(tx, user.id)
            return True

        if not await self._db.transact(work):
            raise wrong_code()

    async def forget(self, tx: Transaction, user_id: int) -> None:
        """Every code factor is gone. Raises UNKNOWN_USER."""
        await repository.drop_backup_codes(tx, user_id)
        await self._users.set(tx, user_id, totp_secret=None, sms_mfa=0)

    # -- backup codes -----------------------------------------------------------------------------------------

    async def backups(self, user: UserRow, *, regenerate: bool) -> BackupCodes:
        """Raises TWO_FACTOR_REQUIRED without one-time codes."""
        if user.totp_secret is None:
            raise faults.TWO_FACTOR_REQUIRED()
        if not regenerate:
            return await self._listed(self._db, user.id)

        async def work(tx: Transaction) -> BackupCodes:
            made = await self._renew_backups(tx, user.id)
            await self._users.tell(tx, user.id)
            return made

        return await self._db.transact(work)

    async def _renew_backups(self, tx: Transaction, user_id: int) -> BackupCodes:
        await repository.drop_backup_codes(tx, user_id)
        codes = rules.new_backup_codes()
        rows = [
            {
                "user_id": user_id,
                "code_hash": self._backup_hash(user_id, code),
                "sealed": self._vault.seal(BACKUPS, code.encode()),
                "place": place,
            }
            for place, code in enumerate(codes)
        ]
        await repository.add_backup_codes(tx, rows)
        return BackupCodes([BackupCode(code, False) for code in codes])

    async def _listed(self, reader: Reader, user_id: int) -> BackupCodes:
        rows = await repository.backup_codes(reader, user_id)
        shown = [
            (self._vault.open(BACKUPS, row.sealed).decode(), row.consumed_at is not None) for row in rows
        ]
        return BackupCodes([BackupCode(code, consumed) for code, consumed in shown])

    def _backup_hash(self, user_id: int, code: str) -> bytes:
        text = f"{user_id}\n{rules.bare_backup_code(code)}"
        return hmac.new(self._backup_key, text.encode("utf-8", "surrogatepass"), sha256).digest()

    # -- text messages ----------------------------------------------------------------------------------------

    async def switch_texts(self, user: UserRow, *, on: bool) -> None:
        """Raises SMS_MFA_REQUIRES_TOTP, PHONE_REQUIRED_FOR_SMS_MFA, SMS_MFA_NOT_ENABLED."""

        async def work(tx: Transaction) -> None:
            current = await self._users.require(user.id, tx)
            if on and not await self._users.switch_sms_on(tx, user.id):
                raise self._lacking(current)
            if not on and not current.sms_mfa:
                raise faults.SMS_MFA_NOT_ENABLED()
            await self._users.set(tx, user.id, sms_mfa=int(on))

        await self._db.transact(work)

    def _lacking(self, user: UserRow) -> FaultError:
        if user.totp_secret is None:
            return faults.SMS_MFA_REQUIRES_TOTP()
        return faults.PHONE_REQUIRED_FOR_SMS_MFA()


def wrong_code(path: str = "code") -> FaultError:
    return invalid(path, "The code is wrong or has expired.", "INVALID_CODE")
