"""Changing one's own account, with the proofs that needs."""

from __future__ import annotations

from typing import Any

from flux.community import faults
from flux.community.account.emails import EmailChange
from flux.community.auth.mails import Mails
from flux.community.auth.register import EMAIL_PROOFS
from flux.community.auth.sessions import SessionService
from flux.community.envelope import invalid
from flux.community.erasure.service import Erasure
from flux.community.inputs import filled
from flux.community.media.rules import AVATAR, BANNER
from flux.community.media.service import AssetService
from flux.community.members.service import MemberService
from flux.community.standing import service as standing
from flux.community.users import rules
from flux.community.users.records import (
    BOT_FLAGS,
    BY_ADMIN,
    BY_OWNER,
    DISABLED,
    OWN_CHOICES,
    SELF_DELETED,
    UserRow,
)
from flux.community.users.schemas import UserPartial, UserUpdate
from flux.community.users.service import UserService
from flux.kernel.identity import hash_password
from flux.kernel.store import Clock, Database, Transaction
from flux.settings.community import CommunitySettings

DAY_MS = 86_400_000
_NEED_PROOF = ("username", "discriminator", "email", "new_password", "email_token")
_IMAGES = {"avatar": AVATAR, "banner": BANNER}
_PROOFS = ("password", "mfa_method", "mfa_code", "webauthn_response", "webauthn_challenge")


class AccountService:
    def __init__(
        self,
        db: Database,
        clock: Clock,
        users: UserService,
        sessions: SessionService,
        emails: EmailChange,
        mails: Mails,
        where: standing.StandingService,
        erasure: Erasure,
        assets: AssetService,
        members: MemberService,
        settings: CommunitySettings,
    ) -> None:
        self._db = db
        self._clock = clock
        self._users = users
        self._sessions = sessions
        self._emails = emails
        self._mails = mails
        self._where = where
        self._erasure = erasure
        self._assets = assets
        self._members = members
        self._grace_days = settings.deletion_days
        self._blocked = [word.casefold() for word in settings.blocked_words]

    def needs_proof(self, body: UserUpdate) -> bool:
        """Whether a change of this kind asks for sudo."""
        return any(name in filled(body) for name in _NEED_PROOF)

    async def change(
        self, user: UserRow, body: UserUpdate, session: bytes | None, bot_flags: int | None = None
    ) -> UserRow:
        """After sudo, where `needs_proof`. A new password ends every session but `session`, which gets another token.

        Raises CONTENT_BLOCKED, TAG_ALREADY_TAKEN, validation failures, and what images raise.
        """
        sent = {name: value for name, value in filled(body).items() if name not in _PROOFS}
        token = sent.pop("email_token", None)
        images = {name: sent.pop(name) for name in _IMAGES if name in sent}
        for value in sent.values():
            if isinstance(value, str) and any(word in value.casefold() for word in self._blocked):
                raise faults.CONTENT_BLOCKED()
        chosen = {name: sent.pop(name) for name in OWN_CHOICES if name in sent}
        values = await self._columns(user, sent)
        for name, image in images.items():
            values[name] = await self._assets.hash(_IMAGES[name], user.id, image, name)
        flagged = bool(chosen) or bot_flags is not None
        if not values and token is None and not flagged:
            return user

        async def also(tx: Transaction) -> dict[str, Any]:
            """What must hold in the unit of the change itself."""
            more: dict[str, Any] = {}
            if flagged:
                more["flags"] = _choose((await self._current(tx, user)).flags, chosen, bot_flags)
            if token is not None:
                more |= {"email": await self._emails.spend(tx, user, token), "email_verified": 1}
                more["suspicious_flags"] = user.suspicious_flags & ~EMAIL_PROOFS
            if user.email is not None and "email" in {*values, *more}:
                await self._mails.revert(tx, user)
            if "password_hash" in values:
                await self._sessions.rotate(tx, user.id, session or b"")
            return more

        async def then(tx: Transaction, changed: UserRow) -> None:
            if UserPartial.of(changed) != UserPartial.of(user):
                await self._members.reintroduce(tx, user.id)

        changed = await self._users.change_profile(user, values, also, then)
        if "email" in values and token is None:
            await self._db.transact(lambda tx: self._mails.verify(tx, changed))
        return changed

    async def _columns(self, user: UserRow, sent: dict[str, Any]) -> dict[str, Any]:
        values = {
            name: value for name, value in sent.items() if name not in ("new_password", "discriminator")
        }
        if "discriminator" in sent:
            values["discriminator"] = int(sent["discriminator"])
            if not 0 < values["discriminator"] <= rules.DISCRIMINATORS:
                raise invalid("discriminator", "Expected 0001 to 9999.", "INVALID_FORMAT")
        if values.get("email") is not None and not rules.is_email(values["email"]):
            raise invalid("email", "This is not an e-mail address.", "INVALID_EMAIL")
        if "new_password" in sent:
            values["password_hash"] = await hash_password(sent["new_password"])
            values["password_changed_at"] = self._clock.now_ms()
        return values

    async def disable(self, user: UserRow) -> None:
        """Until the next login. Raises USER_OWNS_GUILDS."""
        await self._leave(user, None, DISABLED, disabled_by=BY_OWNER)

    async def delete(self, user: UserRow) -> None:
        """After the instance's days of grace, unless they log in again. Raises USER_OWNS_GUILDS."""
        when = self._clock.now_ms() + self._grace_days * DAY_MS
        await self._leave(user, when, SELF_DELETED, deletion_by=BY_OWNER, deletion_at=when)

    async def _leave(self, user: UserRow, when: int | None, flag: int, **values: Any) -> None:
        async def work(tx: Transaction) -> None:
            if await self._where.owns_guilds(tx, user.id):
                raise faults.USER_OWNS_GUILDS()
            current = await self._current(tx, user)
            if BY_ADMIN in (current.disabled_by, current.deletion_by):
                # A moment ago: an owner's own decision would let the next login undo it.
                return
            await self._users.set(tx, user.id, flags=current.flags | flag, **values)
            await self._sessions.end_all(tx, user.id)
            if when is not None:
                await self._erasure.schedule(tx, user.id, when)

        await self._db.transact(work, serializable=True)

    async def _current(self, tx: Transaction, user: UserRow) -> UserRow:
        """As the account is now, and stays until the unit ends: an admin may have changed it a moment ago."""
        await self._users.lock(tx, user.id)
        return await self._users.require(user.id, tx)


def _choose(flags: int, chosen: dict[str, bool], bot_flags: int | None) -> int:
    if bot_flags is not None:
        flags = flags & ~BOT_FLAGS | bot_flags & BOT_FLAGS
    for name, on in chosen.items():
        flags = flags | OWN_CHOICES[name] if on else flags & ~OWN_CHOICES[name]
    return flags
