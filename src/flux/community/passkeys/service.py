"""Challenges and credentials.

A challenge is used up by the first answer, right or wrong. Verifying happens outside of units of work; what came of it
is written in the caller's.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from flux.community import faults
from flux.community.inputs import encode
from flux.community.passkeys import repository
from flux.community.passkeys.repository import PasskeyRow
from flux.community.passkeys.schemas import PasskeyAnswer, PasskeyView
from flux.community.users.records import UserRow
from flux.community.users.service import UserService
from flux.kernel.identity import new_token, token_hash
from flux.kernel.store import Clock, Database, Transaction, UniqueViolation, iso
from flux.settings.community import CommunitySettings

CHALLENGE_MS = 300_000
NAME = "Flux"
LOOPBACK = ("127.0.0.1", "::1", "localhost")
Purpose = Literal["login", "mfa", "sudo", "register"]
ANYBODY = 0


@dataclass(frozen=True, slots=True)
class Proof:
    """A verified answer, not yet written down."""

    user_id: int
    credential_id: str
    sign_count: int


class PasskeyService:
    """Every verb raises PASSKEYS_DISABLED where the instance does not use passkeys."""

    def __init__(
        self, db: Database, clock: Clock, users: UserService, settings: CommunitySettings, public_url: str
    ) -> None:
        self._db = db
        self._clock = clock
        self._users = users
        self._enabled = settings.passkeys.enabled
        self._most = settings.limits.max_webauthn_credentials
        self._rp_id = settings.passkeys.rp_id or _host(public_url)
        self._origins = tuple(settings.passkeys.origins) or _origins(public_url)

    # -- options ----------------------------------------------------------------------------------------------

    async def login_options(self) -> dict[str, Any]:
        """For somebody who has not said who they are; their authenticator must check that it is them."""
        return await self._options("login", ANYBODY, [], verified=True)

    async def options_for(self, user: UserRow, purpose: Purpose) -> dict[str, Any]:
        """Raises NO_PASSKEYS_REGISTERED."""
        self.demand_enabled()
        rows = await repository.list_of(self._db, user.id)
        if not rows:
            raise faults.NO_PASSKEYS_REGISTERED()
        return await self._options(purpose, user.id, [row.credential_id for row in rows], verified=False)

    async def registration_options(self, user: UserRow) -> dict[str, Any]:
        """Raises WEBAUTHN_CREDENTIAL_LIMIT_REACHED."""
        self.demand_enabled()
        known = await repository.list_of(self._db, user.id)
        if len(known) >= self._most:
            raise faults.WEBAUTHN_CREDENTIAL_LIMIT_REACHED(max=self._most)
        challenge = await self._challenge("register", user.id)
        who = (str(user.id).encode(), f"{user.username}#{user.tag}", user.global_name or user.username)
        from flux.community.passkeys import ceremony

        return ceremony.registration_options(
            self._party(), _raw(challenge), who, [row.credential_id for row in known], CHALLENGE_MS
        )

    async def _options(
        self, purpose: Purpose, user_id: int, known: list[str], *, verified: bool
    ) -> dict[str, Any]:
        self.demand_enabled()
        challenge = await self._challenge(purpose, user_id)
        from flux.community.passkeys import ceremony

        return ceremony.authentication_options(
            self._party(), _raw(challenge), known, CHALLENGE_MS, verified=verified
        )

    async def _challenge(self, purpose: Purpose, user_id: int) -> str:
        challenge = new_token(32)
        values = {
            "hash": token_hash(challenge),
            "purpose": purpose,
            "user_id": user_id,
            "expires_at": self._clock.now_ms() + CHALLENGE_MS,
        }
        await self._db.transact(lambda tx: repository.ask(tx, values))
        return challenge

    # -- answers ----------------------------------------------------------------------------------------------

    async def authenticate(self, body: PasskeyAnswer, purpose: Purpose, user_id: int = ANYBODY) -> Proof:
        """Who holds this passkey; with `user_id`, only that account. Raises PASSKEY_AUTHENTICATION_FAILED."""
        self.demand_enabled()
        known = await self._take(body.challenge, purpose, user_id)
        credential_id = body.response.get("id")
        row = await repository.find(self._db, credential_id) if isinstance(credential_id, str) else None
        if not known or row is None or user_id not in (ANYBODY, row.user_id) or not _handle_fits(body, row):
            raise faults.PASSKEY_AUTHENTICATION_FAILED()
        from flux.community.passkeys import ceremony

        sign_count = ceremony.authenticate(
            self._party(),
            _raw(body.challenge),
            body.response,
            (row.public_key, row.sign_count),
            verified=user_id == ANYBODY,
        )
        if sign_count is None:
            raise faults.PASSKEY_AUTHENTICATION_FAILED()
        return Proof(row.user_id, row.credential_id, sign_count)

    async def record(self, tx: Transaction, proof: Proof) -> None:
        """Write a proof down in the caller's unit. Raises PASSKEY_AUTHENTICATION_FAILED when its counter is stale or the
        passkey has gone meanwhile."""
        if not await repository.used(tx, proof.credential_id, proof.sign_count, self._clock.now_ms()):
            raise faults.PASSKEY_AUTHENTICATION_FAILED()

    async def register(self, user: UserRow, body: PasskeyAnswer, name: str) -> None:
        """Raises INVALID_WEBAUTHN_CREDENTIAL, WEBAUTHN_CREDENTIAL_LIMIT_REACHED."""
        self.demand_enabled()
        if not await self._take(body.challenge, "register", user.id):
            raise faults.INVALID_WEBAUTHN_CREDENTIAL()
        from flux.community.passkeys import ceremony

        made = ceremony.register(self._party(), _raw(body.challenge), body.response)
        if made is None:
            raise faults.INVALID_WEBAUTHN_CREDENTIAL()
        values = {
            "credential_id": made.credential_id,
            "user_id": user.id,
            "public_key": made.public_key,
            "sign_count": made.sign_count,
            "name": name,
            "transports": encode(_transports(body.response)),
            "now": self._clock.now_ms(),
        }

        async def work(tx: Transaction) -> None:
            if not await self._users.add_passkey(tx, user.id, self._most):
                raise faults.WEBAUTHN_CREDENTIAL_LIMIT_REACHED(max=self._most)
            await repository.add(tx, values)
            await self._users.tell(tx, user.id)

        try:
            await self._db.transact(work)
        except UniqueViolation:
            raise faults.INVALID_WEBAUTHN_CREDENTIAL() from None

    async def _take(self, challenge: str, purpose: Purpose, user_id: int) -> bool:
        hashed = token_hash(challenge)
        until = await self._db.transact(lambda tx: repository.take(tx, hashed, purpose, user_id))
        return until is not None and until > self._clock.now_ms()

    # -- the account's own ------------------------------------------------------------------------------------

    async def listing(self, user_id: int) -> list[PasskeyView]:
        self.demand_enabled()
        return [_view(row) for row in await repository.list_of(self._db, user_id)]

    async def rename(self, user_id: int, credential_id: str, name: str) -> None:
        """Raises UNKNOWN_WEBAUTHN_CREDENTIAL."""
        if not await self._db.transact(lambda tx: repository.rename(tx, user_id, credential_id, name)):
            raise faults.UNKNOWN_WEBAUTHN_CREDENTIAL()

    async def delete(self, user_id: int, credential_id: str) -> None:
        """Raises UNKNOWN_WEBAUTHN_CREDENTIAL."""

        async def work(tx: Transaction) -> None:
            if not await repository.drop(tx, user_id, credential_id):
                raise faults.UNKNOWN_WEBAUTHN_CREDENTIAL()
            await self._users.drop_passkey(tx, user_id)
            await self._users.tell(tx, user_id)

        await self._db.transact(work)

    async def forget(self, tx: Transaction, user_id: int) -> None:
        """Every passkey of the account, in the caller's unit."""
        await repository.drop_all(tx, user_id)
        await self._users.set(tx, user_id, passkeys=0)

    async def sweep(self, tx: Transaction) -> None:
        """Challenges that have expired."""
        await repository.sweep(tx, self._clock.now_ms())

    def demand_enabled(self) -> None:
        if not self._enabled:
            raise faults.PASSKEYS_DISABLED()

    def _party(self) -> Any:
        from flux.community.passkeys.ceremony import Party

        return Party(self._rp_id, NAME, self._origins)


def _raw(challenge: str) -> bytes:
    """A challenge of ours; what never was one is whatever bytes it is."""
    try:
        return base64.urlsafe_b64decode(challenge + "=" * (-len(challenge) % 4))
    except ValueError:
        return b""


def _handle_fits(body: PasskeyAnswer, row: PasskeyRow) -> bool:
    """An answer may name its user; then it must be the passkey's."""
    inner = body.response.get("response")
    handle = inner.get("userHandle") if isinstance(inner, dict) else None
    return handle is None or (isinstance(handle, str) and _raw(handle) == str(row.user_id).encode())


def _transports(answer: dict[str, Any]) -> list[str]:
    inner = answer.get("response")
    named = inner.get("transports") if isinstance(inner, dict) else None
    return [each[:32] for each in named[:8] if isinstance(each, str)] if isinstance(named, list) else []


def _view(row: PasskeyRow) -> PasskeyView:
    used = None if row.last_used_at is None else iso(row.last_used_at)
    return PasskeyView(row.credential_id, row.name, iso(row.created_at), used)


def _host(public_url: str) -> str:
    host = urlsplit(public_url).hostname or "localhost"
    return "localhost" if host in LOOPBACK else host


def _origins(public_url: str) -> tuple[str, ...]:
    """The instance's own; on loopback also under the name that browsers allow passkeys for."""
    parts = urlsplit(public_url)
    own = f"{parts.scheme}://{parts.netloc}"
    if parts.hostname not in LOOPBACK:
        return (own,)
    port = f":{parts.port}" if parts.port else ""
    return (own, f"{parts.scheme}://localhost{port}")
