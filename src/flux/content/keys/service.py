"""What can be done with API keys, and who a request's credentials belong to."""

from __future__ import annotations

from flux.content import faults
from flux.content.access import KeyHolder, Side
from flux.content.changes import given
from flux.content.generations.service import advance
from flux.content.keys import repository, rules
from flux.content.keys.rows import Key
from flux.content.keys.schemas import BearerView, KeyChange, KeyCreate
from flux.content.pages import Rows, Window
from flux.content.plans import Plans
from flux.content.roles.service import Roles
from flux.kernel.house import House
from flux.kernel.identity import new_token, same, token_hash
from flux.kernel.store import LOWER, Reader, Transaction, iso, random_key
from flux.kernel.wire import Call


class Keys:
    def __init__(self, house: House, plans: Plans, roles: Roles) -> None:
        self._db = house.db
        self._clock = house.clock
        self._window = house.settings.content.secure_window_seconds
        self._plans = plans
        self._roles = roles

    async def listing(self, environment: str, side: Side, at: Window) -> Rows:
        return await repository.listing(self._db, environment, side, at)

    async def one(self, environment: str, side: Side, key: str) -> Key:
        return await self._found(self._db, environment, side, key)

    async def create(self, environment: str, side: Side, body: KeyCreate) -> tuple[Key, str]:
        """The key and its secret, which is not known to anyone afterwards."""
        secret, verifying = rules.generate()
        row = Key(
            key=random_key(10, LOWER),
            environment=environment,
            side=side,
            description=body.description,
            role=body.role,
            public_key=random_key(24),
            secret_hash=token_hash(secret),
            secret_hint=rules.hint(secret),
            verifying_key=verifying,
            bearer_hash=None,
            bearer_prefix=None,
            bearer_issued_at=None,
            created_at=self._clock.now_ms(),
        )

        async def count(tx: Transaction) -> int:
            return await repository.count(tx, environment)

        async def work(tx: Transaction) -> None:
            await self._check_role(tx, environment, side, body.role)
            await repository.insert(tx, row)

        await self._plans.adding("api_keys", count, work)
        return row, secret

    async def change(self, environment: str, side: Side, key: str, body: KeyChange) -> Key:
        async def work(tx: Transaction) -> Key:
            await advance(tx, environment)
            await self._found(tx, environment, side, key)
            if isinstance(body.role, str):
                await self._check_role(tx, environment, side, body.role)
            await repository.update(tx, key, given(body))
            return await self._found(tx, environment, side, key)

        return await self._db.transact(work)

    async def delete(self, environment: str, side: Side, key: str) -> None:
        async def work(tx: Transaction) -> None:
            await advance(tx, environment)
            await self._found(tx, environment, side, key)
            await repository.delete(tx, key)

        await self._db.transact(work)

    async def issue_bearer(self, environment: str, key: str) -> BearerView:
        """A new token; the one before stops working."""
        token = rules.BEARER_PREFIX + new_token(32)
        now = self._clock.now_ms()
        shown = token[: rules.SHOWN_PREFIX]
        await self._set_bearer(
            environment,
            key,
            {"bearer_hash": token_hash(token), "bearer_prefix": shown, "bearer_issued_at": now},
        )
        return BearerView(token, shown, iso(now))

    async def revoke_bearer(self, environment: str, key: str) -> None:
        """No error when there is none."""
        await self._set_bearer(
            environment, key, {"bearer_hash": None, "bearer_prefix": None, "bearer_issued_at": None}
        )

    async def _set_bearer(self, environment: str, key: str, changes: dict[str, object]) -> None:
        async def work(tx: Transaction) -> None:
            await advance(tx, environment)
            await self._found(tx, environment, "flux", key)
            await repository.update(tx, key, changes)

        await self._db.transact(work)

    # -- signing in -------------------------------------------------------------------------------------------

    async def authenticate(self, call: Call, header: str, environment: str | None, side: Side) -> KeyHolder:
        """Who the Authorization header names. Raises `AUTHENTICATION_FAILED` for every reason alike.

        `environment` None takes the key's own.
        """
        credentials = rules.read_credentials(header)
        key = await self._known(credentials) if credentials else None
        if (
            credentials is None
            or key is None
            or key.side != side
            or environment not in (None, key.environment)
        ):
            raise faults.AUTHENTICATION_FAILED()
        if credentials.scheme == "simple" and not same(token_hash(credentials.secret), key.secret_hash):
            raise faults.AUTHENTICATION_FAILED()
        if credentials.scheme == "secure":
            await self._check_signature(call, key, credentials.secret)
        grants = await self._roles.grants(self._db, key.environment, side, key.role)
        return KeyHolder(key.key, key.environment, side, grants)

    async def named(self, header: str) -> str | None:
        """The key that the header names, right or wrong; None when there is no such key."""
        credentials = rules.read_credentials(header)
        known = await self._known(credentials) if credentials else None
        return known.key if known else None

    async def _known(self, credentials: rules.Credentials) -> Key | None:
        if credentials.scheme != "bearer":
            return await repository.by_public_key(self._db, credentials.public_key)
        if not credentials.secret.startswith(rules.BEARER_PREFIX):
            return None
        return await repository.by_bearer(self._db, token_hash(credentials.secret))

    async def _check_signature(self, call: Call, key: Key, signature: str) -> None:
        stamp = call.header("date")
        moment = rules.timestamp_s(stamp)
        if stamp is None or moment is None or abs(self._clock.now_ms() / 1000 - moment) > self._window:
            raise faults.AUTHENTICATION_FAILED()
        path = call.scope["raw_path"].decode("latin-1") or "/"
        with_query = f"{path}?{call.query_string}" if call.query_string else path
        if not rules.is_signed(key.verifying_key, signature, (path, with_query), await call.body(), stamp):
            raise faults.AUTHENTICATION_FAILED()

    # -- inside -----------------------------------------------------------------------------------------------

    async def _found(self, reader: Reader, environment: str, side: Side, key: str) -> Key:
        found = await repository.one(reader, environment, side, key)
        if found is None:
            raise faults.API_KEY_NOT_FOUND()
        return found

    async def _check_role(self, tx: Transaction, environment: str, side: Side, role: str | None) -> None:
        """Raises `ROLE_NOT_FOUND`."""
        if role is not None:
            await self._roles.one_in(tx, environment, side, role)
