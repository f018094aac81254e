"""The only SQL about listings."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import msgspec

from flux.kernel.store import Database, Reader, Transaction
from flux.paygate.listings.model import Listing
from flux.paygate.listings.resources import resources_of

_COLUMNS = "document, version"
_DECODER = msgspec.json.Decoder(Listing)
_STANDING = "id = :id AND deleted_at IS NULL"


def _listing(document: bytes, version: int) -> Listing:
    listing = _DECODER.decode(document)
    return listing if listing.version == version else msgspec.structs.replace(listing, version=version)


async def get(db: Reader, api_id: str) -> Listing | None:
    """Not the deleted ones."""
    return await db.one(
        f"SELECT {_COLUMNS} FROM paygate_listings WHERE {_STANDING}", {"id": api_id}, _listing
    )


async def openapi(db: Reader, api_id: str) -> dict[str, Any] | None:
    raw = await db.value(f"SELECT openapi FROM paygate_listings WHERE {_STANDING}", {"id": api_id})
    document: dict[str, Any] | None = None if raw is None else msgspec.json.decode(raw)
    return document


async def count_of(db: Reader, provider: str) -> int:
    sql = "SELECT count(*) FROM paygate_listings WHERE provider = :provider AND deleted_at IS NULL"
    return int(await db.value(sql, {"provider": provider}))


async def counts(db: Reader, provider: str) -> tuple[int, int]:
    """(all, active) of a provider."""
    found = await db.one(
        "SELECT count(*), coalesce(sum(CASE WHEN status = 'active' THEN 1 ELSE 0 END), 0) FROM paygate_listings"
        " WHERE provider = :provider AND deleted_at IS NULL",
        {"provider": provider},
        lambda every, active: (int(every), int(active)),
    )
    return found or (0, 0)


async def by_name(db: Reader, provider: str, name_key: str) -> str | None:
    sql = "SELECT id FROM paygate_listings WHERE provider = :provider AND name_key = :name_key AND deleted_at IS NULL"
    found: str | None = await db.value(sql, {"provider": provider, "name_key": name_key})
    return found


async def by_endpoint(db: Reader, endpoint: str) -> tuple[str, str] | None:
    """(id, provider) of the listing that sells the target."""
    sql = "SELECT id, provider FROM paygate_listings WHERE endpoint_key = :endpoint AND deleted_at IS NULL"
    return await db.one(sql, {"endpoint": endpoint}, lambda api_id, provider: (api_id, provider))


async def insert(
    tx: Transaction, listing: Listing, document: dict[str, Any] | None, keys: dict[str, Any]
) -> None:
    """Raises `UniqueViolation` naming name_key or endpoint_key."""
    await tx.run(
        "INSERT INTO paygate_listings (id, provider, name_key, endpoint_key, status, currency, chain_id, category,"
        " price_key, search, document, openapi, version, created_at, updated_at) VALUES (:id, :provider, :name_key,"
        " :endpoint_key, :status, :currency, :chain_id, :category, :price_key, :search, :document, :openapi, :version,"
        " :created_at, :updated_at)",
        _values(listing, document, keys),
    )
    await _write_around(tx, listing)


async def update(
    tx: Transaction, listing: Listing, document: dict[str, Any] | None, keys: dict[str, Any], expected: int
) -> bool:
    """False when the listing has another version by now, or is gone. Raises `UniqueViolation`."""
    values = {**_values(listing, document, keys), "expected": expected}
    changed = await tx.run(
        "UPDATE paygate_listings SET name_key = :name_key, endpoint_key = :endpoint_key, status = :status,"
        " currency = :currency, chain_id = :chain_id, category = :category, price_key = :price_key, search = :search,"
        " document = :document, openapi = :openapi, version = :version, updated_at = :updated_at"
        f" WHERE {_STANDING} AND version = :expected",
        {key: value for key, value in values.items() if key not in ("provider", "created_at")},
    )
    if not changed:
        return False
    for table in ("paygate_listing_tags", "paygate_recipients", "paygate_resources"):
        await tx.run(f"DELETE FROM {table} WHERE listing_id = :id", {"id": listing.id})
    await _write_around(tx, listing)
    return True


async def delete(tx: Transaction, api_id: str, now: int) -> bool:
    """Softly: history keeps its listing, name and target are free again."""
    return bool(
        await tx.run(
            f"UPDATE paygate_listings SET deleted_at = :now WHERE {_STANDING}", {"id": api_id, "now": now}
        )
    )


async def _write_around(tx: Transaction, listing: Listing) -> None:
    """What searches go by."""
    await _write_tags(tx, listing)
    await _write_recipients(tx, listing)
    await _write_resources(tx, listing)


async def _write_tags(tx: Transaction, listing: Listing) -> None:
    tags = dict.fromkeys(tag.casefold() for tag in listing.tags)
    if tags:
        await tx.run_many(
            "INSERT INTO paygate_listing_tags (listing_id, tag) VALUES (:id, :tag)",
            [{"id": listing.id, "tag": tag} for tag in tags],
        )


async def _write_recipients(tx: Transaction, listing: Listing) -> None:
    payees = dict.fromkeys([listing.payee, *(op.recipient for op in listing.endpoints if op.recipient)])
    await tx.run_many(
        "INSERT INTO paygate_recipients (address, listing_id) VALUES (:address, :id)",
        [{"address": str(payee), "id": listing.id} for payee in payees],
    )


async def _write_resources(tx: Transaction, listing: Listing) -> None:
    rows = [
        {"id": listing.id, "position": position, **asdict(resource)}
        for position, resource in enumerate(resources_of(listing))
    ]
    if rows:
        await tx.run_many(
            "INSERT INTO paygate_resources (listing_id, position, method, path, chain_id, pay_to)"
            " VALUES (:id, :position, :method, :path, :chain_id, :pay_to)",
            rows,
        )


async def resources(
    db: Database, chain_ids: list[int], pay_to: str | None, limit: int, offset: int
) -> tuple[list[tuple[Listing, str, str]], int]:
    """(listing, method, path) of what active listings sell over x402 on these chains, newest listings first; and how many
    there are in all."""
    chains = {f"chain{index}": chain_id for index, chain_id in enumerate(chain_ids)}
    named = ", ".join(f":{name}" for name in chains)
    source = (
        " FROM paygate_resources r JOIN paygate_listings l ON l.id = r.listing_id"
        f" WHERE l.deleted_at IS NULL AND l.status = 'active' AND r.chain_id IN ({named})"
    )
    params: dict[str, Any] = dict(chains)
    if pay_to is not None:
        source += " AND r.pay_to = :pay_to"
        params["pay_to"] = pay_to
    rows = await db.scan(
        f"SELECT l.document, l.version, r.method, r.path{source}"
        " ORDER BY l.created_at DESC, l.id DESC, r.position LIMIT :limit OFFSET :offset",
        {**params, "limit": limit, "offset": offset},
        lambda document, version, method, path: (_listing(document, version), method, path),
    )
    [total] = await db.scan(f"SELECT count(*){source}", params, int)
    return rows, total


async def is_recipient(db: Reader, address: str) -> bool:
    """Whether a standing listing pays this address."""
    sql = (
        "SELECT 1 FROM paygate_recipients r JOIN paygate_listings l ON l.id = r.listing_id"
        " WHERE r.address = :address AND l.deleted_at IS NULL LIMIT 1"
    )
    return await db.value(sql, {"address": address}) is not None


def _values(listing: Listing, document: dict[str, Any] | None, keys: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": listing.id,
        "provider": listing.provider,
        "endpoint_key": listing.endpoint,
        "status": listing.status,
        "currency": listing.currency,
        "chain_id": listing.chain_id,
        "category": listing.category,
        "document": msgspec.json.encode(listing, enc_hook=str),
        "openapi": None if document is None else msgspec.json.encode(document),
        "version": listing.version,
        "created_at": listing.created_at,
        "updated_at": listing.updated_at,
        **keys,
    }


async def set_stats(tx: Transaction, api_id: str, stats: dict[str, Any]) -> None:
    await tx.run(
        "UPDATE paygate_listings SET calls = :calls, latency_ms = :latency_ms, stats = :stats WHERE id = :id",
        {
            "id": api_id,
            "calls": stats["calls"],
            "latency_ms": stats["p50LatencyMs"],
            "stats": msgspec.json.encode(stats),
        },
    )


SORTS = {
    "newest": "created_at DESC, id DESC",
    "price": "price_key, created_at DESC, id DESC",
    "-price": "price_key DESC, created_at DESC, id DESC",
    "calls": "calls DESC, created_at DESC, id DESC",
    "latency": "CASE WHEN latency_ms IS NULL THEN 1 ELSE 0 END, latency_ms, created_at DESC, id DESC",
}
_FILTERS = {
    "currency": "currency = :currency",
    "chain_id": "chain_id = :chain_id",
    "provider": "provider = :provider",
    "category": "category = :category",
    "tag": "id IN (SELECT listing_id FROM paygate_listing_tags WHERE tag = :tag)",
    "max_price": "price_key <= :max_price",
}


async def search(
    db: Database, filters: dict[str, Any], words: list[str], sort: str, limit: int, offset: int
) -> tuple[list[tuple[Listing, dict[str, Any] | None]], int]:
    """Active listings with their numbers, and how many there are in all. Every word must occur."""
    conditions = ["deleted_at IS NULL", "status = 'active'", *(_FILTERS[name] for name in filters)]
    params = dict(filters)
    for index, word in enumerate(words):
        conditions.append(f"search LIKE :word{index} ESCAPE '!'")
        escaped = word.replace("!", "!!").replace("%", "!%").replace("_", "!_")
        params[f"word{index}"] = f"%{escaped}%"
    clause = " AND ".join(conditions)
    rows = await db.scan(
        f"SELECT {_COLUMNS}, stats FROM paygate_listings WHERE {clause} ORDER BY {SORTS[sort]} LIMIT :limit OFFSET :offset",
        {**params, "limit": limit, "offset": offset},
        lambda document, version, stats: (
            _listing(document, version),
            msgspec.json.decode(stats) if stats else None,
        ),
    )
    [total] = await db.scan(f"SELECT count(*) FROM paygate_listings WHERE {clause}", params, int)
    return rows, total
