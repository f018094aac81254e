"""The verbs of listings: create, replace, patch, delete, look up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from flux.kernel.bus.port import Bus
from flux.kernel.faults import FaultError, Mode, PortFailure
from flux.kernel.identity import Vault, new_token
from flux.kernel.store import Clock, Database, Transaction, UniqueViolation
from flux.paygate.access.service import Providers
from flux.paygate.amounts import parse_amount
from flux.paygate.chains.registry import Chains
from flux.paygate.faults import (
    API_ALREADY_EXISTS,
    API_NOT_FOUND,
    BANNED,
    DUPLICATE_ENDPOINT,
    ENDPOINT_UNREACHABLE,
    FORBIDDEN,
)
from flux.paygate.listings import repository, rules
from flux.paygate.listings.model import CallPlan, Listing, Meaning, Pricing
from flux.paygate.listings.rules import Content, Policy, bad_value
from flux.paygate.listings.schemas import ListingBody
from flux.paygate.outside.dialer import Dialer
from flux.paygate.scalars import new_api_id
from flux.settings.paygate import PaygateSettings

SEAL = "paygate.listing"
PLAN_SECONDS = 2.0
PLAN_CAPACITY = 2_000
CHANGED = "paygate.listing.changed"
MAX_WORDS = 10
_ATTEMPTS = 3
Make = Callable[[Listing], Awaitable[tuple[ListingBody, bool]]]
"""The content a listing should have, and whether it says anything about upstream headers."""


class Stale(Exception):
    """Somebody else changed the listing meanwhile."""


class Listings:
    """`plan` is cached for two seconds and dropped at once when the listing changes in any process."""

    def __init__(
        self,
        db: Database,
        bus: Bus,
        clock: Clock,
        vault: Vault,
        chains: Chains,
        dialer: Dialer,
        providers: Providers,
        settings: PaygateSettings,
    ) -> None:
        self._db = db
        self._bus = bus
        self._clock = clock
        self._vault = vault
        self._chains = chains
        self._dialer = dialer
        self._providers = providers
        self._settings = settings
        self._policy = Policy(chains, settings.allow_http_targets, settings.max_price, settings.openapi_bytes)
        self._plans: dict[str, tuple[float, CallPlan]] = {}
        self._opened: dict[bytes, bytes] = {}

    async def start(self) -> None:
        self._bus.subscribe(CHANGED, lambda _, payload: self._drop(payload.decode()))

    # -- looking up -------------------------------------------------------------------------------------------

    async def get(self, api_id: str) -> Listing:
        listing = await repository.get(self._db, api_id)
        if listing is None:
            raise API_NOT_FOUND(apiId=api_id)
        return listing

    async def openapi(self, listing: Listing) -> dict[str, Any] | None:
        return await repository.openapi(self._db, listing.id) if listing.has_openapi else None

    async def owned(self, api_id: str, wallet: str) -> Listing:
        """The listing, for its owner: existence before ownership before suspension."""
        listing = await self.get(api_id)
        if listing.provider != wallet:
            raise FORBIDDEN(reason="not_owner")
        return listing

    async def writable(self, api_id: str, wallet: str) -> Listing:
        listing = await self.owned(api_id, wallet)
        await self._providers.check(wallet)
        return listing

    async def may_create(self, wallet: str) -> None:
        await self._providers.check(wallet)

    async def plan(self, api_id: str) -> CallPlan:
        """For paid calls. Raises API_NOT_FOUND."""
        kept = self._plans.get(api_id)
        now = self._clock.monotonic()
        if kept is not None and kept[0] > now:
            return kept[1]
        listing = await self.get(api_id)
        plan = (
            kept[1]
            if kept is not None and kept[1].listing.version == listing.version
            else CallPlan(listing, self._chains)
        )
        if len(self._plans) >= PLAN_CAPACITY:
            self._plans.clear()
        self._plans[api_id] = (now + PLAN_SECONDS, plan)
        return plan

    async def search(
        self, filters: dict[str, Any], text: str, sort: str, limit: int, offset: int
    ) -> tuple[list[tuple[Listing, dict[str, Any] | None]], int]:
        """`filters` as the repository names them; `text` is split into words that must all occur."""
        words = list(dict.fromkeys(rules.name_key(text).split()))[:MAX_WORDS]
        return await repository.search(self._db, filters, words, sort, limit, offset)

    async def resources(
        self, chain_ids: list[int], pay_to: str | None, limit: int, offset: int
    ) -> tuple[list[tuple[CallPlan, Meaning]], int]:
        """What can be bought over x402 on these chains, and how many there are in all."""
        if not chain_ids:
            return [], 0
        rows, total = await repository.resources(self._db, chain_ids, pay_to, limit, offset)
        found = []
        for listing, method, path in rows:
            plan = CallPlan(listing, self._chains)
            found.append((plan, plan.meaning(method, path)))
        return found, total

    async def counts(self, wallet: str) -> tuple[int, int]:
        """How many listings a wallet has, and how many of them are active."""
        return await repository.counts(self._db, wallet)

    async def is_recipient(self, address: str) -> bool:
        return await repository.is_recipient(self._db, address)

    def secret(self, listing: Listing) -> str:
        return self._open(listing.sealed_secret).decode()

    def upstream_headers(self, listing: Listing) -> dict[str, str]:
        if listing.sealed_headers is None:
            return {}
        headers: dict[str, str] = msgspec.json.decode(self._open(listing.sealed_headers))
        return headers

    def _open(self, sealed: bytes) -> bytes:
        """Opening takes tens of microseconds, and every paid call needs it: what was opened is kept."""
        known = self._opened.get(sealed)
        if known is None:
            if len(self._opened) >= PLAN_CAPACITY:
                self._opened.clear()
            known = self._opened[sealed] = self._vault.open(SEAL, sealed)
        return known

    # -- writing ----------------------------------------------------------------------------------------------

    async def create(self, wallet: str, body: ListingBody) -> tuple[Listing, str]:
        """The listing and its secret, which is shown this once."""
        content = rules.judge(body, self._policy)
        limit = self._settings.listings_per_provider
        if await repository.count_of(self._db, wallet) >= limit:
            raise _too_many(limit)
        await self._check_conflicts(wallet, content, None)
        await self._probe(content)
        return await self.insert(wallet, body, content, limit)

    async def insert(
        self, wallet: str, body: ListingBody, content: Content, limit: int | None = None
    ) -> tuple[Listing, str]:
        """Without the probe. The unique keys decide a race; with a limit the unit is serialisable, so that no two take the
        last place."""
        now = self._clock.now_ms()
        secret = new_token()
        listing = Listing(
            id=new_api_id(self._clock),
            provider=wallet,
            sealed_secret=self._vault.seal(SEAL, secret.encode()),
            sealed_headers=self._sealed(content.headers),
            history=[],
            created_at=now,
            updated_at=now,
            version=1,
            **_content_fields(body, content),
        )

        async def work(tx: Transaction) -> None:
            if limit is not None and await repository.count_of(tx, wallet) >= limit:
                raise _too_many(limit)
            await repository.insert(tx, listing, content.openapi, _keys(listing))

        try:
            await self._db.transact(work, serializable=limit is not None)
        except UniqueViolation as taken:
            raise await self._conflict(taken, wallet, content) from None
        return listing, secret

    async def edit(self, api_id: str, wallet: str, if_match: str | None, make: Make) -> Listing:
        """PUT and PATCH. `make` gives the whole new content for the listing as it stands; it is asked again when
        somebody else was faster, unless the caller said which version it means."""
        for _ in range(_ATTEMPTS):
            current = await self.writable(api_id, wallet)
            body, headers_given = await make(current)
            self.check_match(current, if_match)
            try:
                return await self._replace(current, body, headers_given=headers_given)
            except Stale:
                continue
        raise bad_value("If-Match", "a listing that nobody else is changing", if_match or "", "header")

    @staticmethod
    def check_match(current: Listing, if_match: str | None) -> None:
        if if_match is None or if_match.strip() == "*":
            return
        if current.etag not in [tag.strip() for tag in if_match.split(",")]:
            raise bad_value("If-Match", "the listing's current ETag", if_match, "header")

    async def _replace(self, current: Listing, body: ListingBody, *, headers_given: bool) -> Listing:
        """Terms that changed are remembered for payments under way."""
        content = rules.judge(body, self._policy)
        await self._check_conflicts(current.provider, content, current.id)
        if content.target.base != current.endpoint:
            await self._probe(content)
        now = self._clock.now_ms()
        fresh = Listing(
            id=current.id,
            provider=current.provider,
            sealed_secret=current.sealed_secret,
            sealed_headers=self._sealed(content.headers) if headers_given else current.sealed_headers,
            history=[],
            created_at=current.created_at,
            updated_at=now,
            version=current.version + 1,
            **_content_fields(body, content),
        )
        fresh = msgspec.structs.replace(fresh, history=self._history(current, fresh, now))
        return await self._store(current, fresh, content)

    async def rotate_secret(self, current: Listing) -> tuple[Listing, str]:
        """A new secret for the origin signature; the old one is void at once."""
        secret = new_token()
        fresh = msgspec.structs.replace(
            current,
            sealed_secret=self._vault.seal(SEAL, secret.encode()),
            version=current.version + 1,
            updated_at=self._clock.now_ms(),
        )
        return await self._store(current, fresh, None), secret

    async def delete(self, listing: Listing) -> None:
        now = self._clock.now_ms()

        async def work(tx: Transaction) -> bool:
            tx.after_commit(lambda: self._announce(listing.id))
            return await repository.delete(tx, listing.id, now)

        if not await self._db.transact(work):
            raise API_NOT_FOUND(apiId=listing.id)

    async def _store(self, current: Listing, fresh: Listing, content: Content | None) -> Listing:
        async def work(tx: Transaction) -> bool:
            document = content.openapi if content else await repository.openapi(tx, current.id)
            tx.after_commit(lambda: self._announce(fresh.id))
            return await repository.update(tx, fresh, document, _keys(fresh), current.version)

        try:
            changed = await self._db.transact(work)
        except UniqueViolation as taken:
            assert content is not None
            raise await self._conflict(taken, current.provider, content) from None
        if not changed:
            raise Stale
        return fresh

    def _history(self, current: Listing, fresh: Listing, now: int) -> list[Pricing]:
        """Pricings that may still hold for a payment: those replaced within its greatest age and the grace."""
        kept_ms = round(
            self._settings.max_payment_age_hours * 3_600_000 + self._settings.price_grace_minutes * 60_000
        )
        past = [pricing for pricing in current.history if (pricing.until or 0) >= now - kept_ms]
        if current.pricing != fresh.pricing:
            past.insert(0, msgspec.structs.replace(current.pricing, until=now))
        return past

    async def _check_conflicts(self, wallet: str, content: Content, own: str | None) -> None:
        by_name = await repository.by_name(self._db, wallet, rules.name_key(content.name))
        if by_name is not None and by_name != own:
            raise API_ALREADY_EXISTS(name=content.name, detail={"existingApiId": by_name})
        by_endpoint = await repository.by_endpoint(self._db, content.target.base)
        if by_endpoint is not None and by_endpoint[0] != own:
            known = {"existingApiId": by_endpoint[0]} if by_endpoint[1] == wallet else {}
            raise DUPLICATE_ENDPOINT(endpoint=content.target.base, detail=known)

    async def _conflict(self, taken: UniqueViolation, wallet: str, content: Content) -> Exception:
        if "name_key" in taken.constraint:
            existing = await repository.by_name(self._db, wallet, rules.name_key(content.name))
            return API_ALREADY_EXISTS(name=content.name, detail={"existingApiId": existing})
        if "endpoint_key" in taken.constraint:
            return DUPLICATE_ENDPOINT(endpoint=content.target.base)
        return taken

    async def _probe(self, content: Content) -> None:
        try:
            await self._dialer.probe(content.target.base)
        except PortFailure as failure:
            reason = failure.reason
            if reason not in ("dns", "connect", "tls", "timeout", "address_not_allowed"):
                reason = "timeout" if failure.mode is Mode.TIMEOUT else "connect"
            raise ENDPOINT_UNREACHABLE(endpoint=content.target.base, reason=reason) from failure

    def _sealed(self, headers: dict[str, str]) -> bytes | None:
        return self._vault.seal(SEAL, msgspec.json.encode(headers)) if headers else None

    def _announce(self, api_id: str) -> None:
        self._drop(api_id)
        self._bus.publish(CHANGED, api_id.encode())

    def _drop(self, api_id: str) -> None:
        self._plans.pop(api_id, None)


def _too_many(limit: int) -> FaultError:
    return BANNED(scope="wallet", reason="too_many_listings", detail={"limit": limit})


def price_key(price: str) -> str:
    """Sorts as text like the price sorts as a number: 18 digits before the point and 18 behind it."""
    return str(parse_amount(price).base_units(18)).rjust(36, "0")


def _keys(listing: Listing) -> dict[str, Any]:
    words = [listing.name, listing.description, *listing.tags, *listing.capabilities]
    words += [op.summary for op in listing.endpoints if op.summary]
    words += [op.summary for op in listing.declared if op.summary]
    return {
        "name_key": rules.name_key(listing.name),
        "price_key": price_key(listing.price),
        "search": rules.name_key(" \n".join(words)),
    }


def _content_fields(body: ListingBody, content: Content) -> dict[str, Any]:
    return {
        "name": content.name,
        "endpoint": content.target.base,
        "price": content.price,
        "currency": content.currency,
        "description": body.description,
        "chain_id": content.chain.chain_id,
        "recipient": body.recipient,
        "status": body.status,
        "endpoints": content.operations,
        "declared": content.declared,
        "has_openapi": content.openapi is not None,
        "capabilities": content.capabilities,
        "tags": body.tags,
        "category": body.category,
        "monthly_quota": body.monthly_quota,
        "rate_limit": content.rate_limit,
        "charge_policy": body.charge_policy,
        "prepaid_credit": body.prepaid_credit,
        "x402": content.x402,
        "validate_json": body.validate_json,
        "timeout_seconds": body.timeout_seconds,
        "allow_relayed_payments": body.allow_relayed_payments,
        "hide_endpoint": body.hide_endpoint,
        "forward_authorization": body.forward_authorization,
        "forward_set_cookie": body.forward_set_cookie,
        "forward_client_ip": body.forward_client_ip,
        "require_signature_version": body.require_signature_version,
    }
