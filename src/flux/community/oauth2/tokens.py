"""Codes for tokens, refreshing, revoking and looking at them."""

from __future__ import annotations

from collections.abc import Mapping

from flux.community import faults
from flux.community.inputs import identifier
from flux.community.oauth2 import repository
from flux.community.oauth2.applications import ApplicationService
from flux.community.oauth2.records import ApplicationRow, GrantRow
from flux.community.oauth2.schemas import Authorization, AuthorizedApplication, Introspection, TokenView
from flux.community.users.service import UserService
from flux.kernel.identity import new_token, same, token_hash
from flux.kernel.store import Clock, Database, Transaction, iso

ACCESS_SECONDS = 604_800


class TokenService:
    def __init__(
        self, db: Database, clock: Clock, users: UserService, applications: ApplicationService
    ) -> None:
        self._db = db
        self._clock = clock
        self._users = users
        self._applications = applications

    async def grant(self, access_hash: bytes) -> GrantRow | None:
        """What a live access token allows."""
        row = await repository.by_access(self._db, access_hash)
        return row if row is not None and row.expires_at > self._clock.now_ms() else None

    async def exchange(self, fields: Mapping[str, str]) -> TokenView:
        """Raises INVALID_CLIENT, INVALID_CLIENT_SECRET, INVALID_GRANT, UNSUPPORTED_GRANT_TYPE."""
        kind = fields.get("grant_type")
        if kind not in ("authorization_code", "refresh_token"):
            raise faults.UNSUPPORTED_GRANT_TYPE()
        application = await self._client(fields)
        if kind == "authorization_code":
            return await self._from_code(application, fields)
        return await self._refresh(application, fields)

    async def _from_code(self, application: ApplicationRow, fields: Mapping[str, str]) -> TokenView:
        async def work(tx: Transaction) -> TokenView | None:
            # A code that is tried with the wrong redirect URI is used up all the same.
            code = await repository.use_code(tx, application.id, token_hash(fields.get("code", "")))
            if (
                code is None
                or code.expires_at < self._clock.now_ms()
                or code.redirect_uri != fields.get("redirect_uri")
            ):
                return None
            return await self._issue(tx, application.id, code.user_id, code.scopes)

        issued = await self._db.transact(work)
        if issued is None:
            raise faults.INVALID_GRANT()
        return issued

    async def _refresh(self, application: ApplicationRow, fields: Mapping[str, str]) -> TokenView:
        async def work(tx: Transaction) -> TokenView:
            grant = await repository.use_refresh(
                tx, application.id, token_hash(fields.get("refresh_token", ""))
            )
            if grant is None:
                raise faults.INVALID_GRANT()
            return await self._issue(tx, application.id, grant.user_id, grant.scopes)

        return await self._db.transact(work)

    async def _issue(self, tx: Transaction, application_id: int, user_id: int, scopes: str) -> TokenView:
        access, refresh = new_token(), new_token()
        now = self._clock.now_ms()
        values = {
            "access_hash": token_hash(access),
            "refresh_hash": token_hash(refresh),
            "application_id": application_id,
            "user_id": user_id,
            "scopes": scopes,
            "created_at": now,
            "expires_at": now + ACCESS_SECONDS * 1000,
        }
        await repository.add_token(tx, values)
        return TokenView(access, "Bearer", ACCESS_SECONDS, refresh, scopes)

    async def revoke(self, fields: Mapping[str, str]) -> None:
        """Unknown tokens are as good as revoked. Raises INVALID_CLIENT, INVALID_CLIENT_SECRET."""
        application = await self._client(fields)
        hashed = token_hash(fields.get("token", ""))
        await self._db.transact(lambda tx: repository.revoke(tx, application.id, hashed))

    async def introspect(self, fields: Mapping[str, str]) -> Introspection:
        """Of one's own tokens; anything else is inactive."""
        application = await self._client(fields)
        grant = await self.grant(token_hash(fields.get("token", "")))
        user = await self._users.find(grant.user_id) if grant else None
        if grant is None or user is None or grant.application_id != application.id:
            return Introspection(False)
        return Introspection(
            True,
            grant.scopes,
            str(grant.application_id),
            user.username,
            "Bearer",
            grant.expires_at // 1000,
            grant.created_at // 1000,
            str(user.id),
        )

    async def authorizations(self, user_id: int) -> list[Authorization]:
        """The applications that hold tokens of the account, by when the first was given."""
        found: dict[int, Authorization] = {}
        for application, scopes, since in await repository.authorized(self._db, user_id):
            known = found.get(application.id)
            before = [] if known is None else known.scopes
            found[application.id] = Authorization(
                application=AuthorizedApplication.of(application),
                scopes=list(dict.fromkeys([*before, *scopes.split()])),
                authorized_at=iso(since) if known is None else known.authorized_at,
            )
        return list(found.values())

    async def withdraw(self, user_id: int, application_id: int) -> None:
        """Raises UNKNOWN_APPLICATION for one that holds nothing."""
        if not await self._db.transact(lambda tx: repository.withdraw(tx, user_id, application_id)):
            raise faults.UNKNOWN_APPLICATION()

    async def sweep(self, tx: Transaction) -> None:
        """Codes that have expired. Access tokens stay: their refresh tokens do not expire."""
        await repository.sweep(tx, self._clock.now_ms())

    async def forget(self, tx: Transaction, user_id: int) -> None:
        """In the caller's unit: every application loses what the account granted it."""
        await repository.forget(tx, user_id)

    async def _client(self, fields: Mapping[str, str]) -> ApplicationRow:
        number = identifier(fields.get("client_id", ""))
        row = None if number is None else await self._applications.find(number)
        if row is None:
            raise faults.INVALID_CLIENT()
        if not same(row.secret_hash, token_hash(fields.get("client_secret", ""))):
            raise faults.INVALID_CLIENT_SECRET()
        return row
