"""What can be done with webhooks, and writing down what they are to be told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from flux.content import faults
from flux.content.changes import given
from flux.content.folders.service import Folders
from flux.content.pages import Rows, Window
from flux.content.plans import Plans
from flux.content.webhooks import repository, rules
from flux.content.webhooks.rows import Delivery, Webhook
from flux.content.webhooks.rules import Happening
from flux.content.webhooks.schemas import WebhookChange, WebhookCreate
from flux.kernel.house import House
from flux.kernel.identity import new_token
from flux.kernel.outside.guard import Guard
from flux.kernel.store import LOWER, Reader, Transaction, iso, random_key

SEND = "content.webhook"
"""The job that sends one message: `{"delivery": key}`."""
ANNOUNCE = "content.webhook.announce"
"""The job that writes down what happened to many resources at once: `{"happened": [Happening, …]}`."""
MOST_AT_ONCE = 200
PURPOSE = "content webhooks"
_HINT = 4


class Webhooks:
    def __init__(self, house: House, plans: Plans, folders: Folders, guard: Guard) -> None:
        self._db = house.db
        self._clock = house.clock
        self._jobs = house.jobs
        self._vault = house.vault
        self._plans = plans
        self._folders = folders
        self._guard = guard

    async def listing(self, environment: str, at: Window) -> Rows:
        return await repository.listing(self._db, environment, at)

    async def one(self, reader: Reader | None, environment: str, key: str) -> Webhook:
        """Raises `WEBHOOK_NOT_FOUND`."""
        found = await repository.one(reader or self._db, environment, key)
        if found is None:
            raise faults.WEBHOOK_NOT_FOUND()
        return found

    async def create(self, environment: str, body: WebhookCreate) -> tuple[Webhook, str]:
        """The webhook, and its secret in plain."""
        self._check_target(body.url)
        secret = _new_secret()
        row = Webhook(
            key=random_key(12, LOWER),
            environment=environment,
            name=body.name,
            url=body.url,
            events=_joined(list(body.events)),
            folders=await self._folder_keys(environment, body.folders),
            is_enabled=int(body.is_enabled),
            secret=self._vault.seal(PURPOSE, secret.encode()),
            secret_hint=secret[-_HINT:],
            created_at=self._clock.now_ms(),
        )

        async def count(tx: Transaction) -> int:
            return await repository.count(tx, environment)

        async def work(tx: Transaction) -> None:
            await repository.insert(tx, row)

        await self._plans.adding("webhooks", count, work)
        return row, secret

    async def change(self, environment: str, key: str, body: WebhookChange) -> Webhook:
        changes = given(body)
        if "url" in changes:
            self._check_target(changes["url"])
        if "events" in changes:
            changes["events"] = _joined(changes["events"])
        if "folders" in changes:
            changes["folders"] = await self._folder_keys(environment, changes["folders"])

        async def work(tx: Transaction) -> Webhook:
            await repository.update(tx, (await self.one(tx, environment, key)).key, changes)
            return await self.one(tx, environment, key)

        return await self._db.transact(work)

    async def renew_secret(self, environment: str, key: str) -> tuple[Webhook, str]:
        """Messages from now on are signed with the new one, those that wait included."""
        secret = _new_secret()
        changes = {"secret": self._vault.seal(PURPOSE, secret.encode()), "secret_hint": secret[-_HINT:]}

        async def work(tx: Transaction) -> Webhook:
            await repository.update(tx, (await self.one(tx, environment, key)).key, changes)
            return await self.one(tx, environment, key)

        return await self._db.transact(work), secret

    async def delete(self, environment: str, key: str) -> None:
        """Its messages go too, those that wait included."""

        async def work(tx: Transaction) -> None:
            await repository.delete(tx, (await self.one(tx, environment, key)).key)

        await self._db.transact(work)

    # -- messages ---------------------------------------------------------------------------------------------

    async def announce(self, tx: Transaction, happened: Sequence[Happening]) -> None:
        """Write down what every webhook that wants it is to be told, in the unit of work that did it; all of one
        environment."""
        enabled = await repository.enabled(tx, happened[0].environment) if happened else []
        if not enabled:
            return
        now = self._clock.now_ms()
        for what in happened:
            hooks = [hook for hook in enabled if rules.wants(hook, what.event, what.folder)]
            if hooks:
                body = rules.message(random_key(16), what, iso(now))
                for hook in hooks:
                    await self._queue(tx, hook.key, what.event, body, now)

    async def listens(self, tx: Transaction, environment: str, event: str, folder: str) -> bool:
        """Whether anybody is to be told of such events in the folder."""
        return any(rules.wants(hook, event, folder) for hook in await repository.enabled(tx, environment))

    async def announce_many(self, tx: Transaction, happened: Sequence[Happening]) -> None:
        """As `announce`, but written down a few at a time once this unit is committed: there may be many."""
        for start in range(0, len(happened), MOST_AT_ONCE):
            some = [msgspec.to_builtins(one) for one in happened[start : start + MOST_AT_ONCE]]
            await self._jobs.enqueue(tx, ANNOUNCE, {"happened": some})

    async def told_later(self, payload: dict[str, Any]) -> None:
        """The job `ANNOUNCE`."""
        happened = msgspec.convert(payload["happened"], list[Happening])

        async def work(tx: Transaction) -> None:
            await self.announce(tx, happened)

        await self._db.transact(work)

    async def deliveries(self, environment: str, key: str, at: Window, status: str | None) -> Rows:
        found = await self.one(None, environment, key)
        return await repository.deliveries(self._db, found.key, at, status)

    async def ping(self, environment: str, key: str) -> Delivery:
        """A message that says nothing, to try the address."""
        now = self._clock.now_ms()
        body = rules.ping(random_key(16), environment, iso(now))

        async def work(tx: Transaction) -> Delivery:
            found = await self.one(tx, environment, key)
            return await self._queue(tx, found.key, rules.PING, body, now)

        return await self._db.transact(work)

    async def redeliver(self, environment: str, key: str, delivery: str) -> Delivery:
        """The same message once more, as one of its own. Raises `WEBHOOK_DELIVERY_NOT_FOUND`."""

        async def work(tx: Transaction) -> Delivery:
            found = await self.one(tx, environment, key)
            before = await repository.delivery(tx, delivery)
            if before is None or before.webhook != found.key:
                raise faults.WEBHOOK_DELIVERY_NOT_FOUND()
            return await self._queue(tx, found.key, before.event, before.payload, self._clock.now_ms())

        return await self._db.transact(work)

    # -- inside -----------------------------------------------------------------------------------------------

    async def _queue(self, tx: Transaction, webhook: str, event: str, body: bytes, now: int) -> Delivery:
        row = Delivery(
            key=random_key(16),
            webhook=webhook,
            event=event,
            payload=body,
            status="pending",
            attempts=0,
            last_status=None,
            last_error=None,
            duration_ms=None,
            created_at=now,
            next_attempt_at=now,
            finished_at=None,
        )
        await repository.insert_delivery(tx, row)
        await self._jobs.enqueue(tx, SEND, {"delivery": row.key})
        return row

    async def _folder_keys(self, environment: str, names: list[str]) -> bytes:
        """Raises `FOLDER_NOT_FOUND`."""
        keys = [(await self._folders.find(None, environment, name)).key for name in names]
        return msgspec.json.encode(sorted(set(keys)))

    def _check_target(self, url: str) -> None:
        if problems := rules.target_problems(self._guard, url):
            raise faults.VALIDATION_ERROR(detail=problems)


def _new_secret() -> str:
    return f"whsec_{new_token(24)}"


def _joined(events: list[str]) -> str:
    return ",".join(event for event in rules.EVENTS if event in events)
