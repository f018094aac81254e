"""One listing: create, read, replace, patch, delete."""

from __future__ import annotations

from typing import Any

from flux.kernel.wire import Body, Call, Reply, Routes
from flux.paygate.bodies import read_members, read_struct, struct_of
from flux.paygate.faults import (
    API_ALREADY_EXISTS,
    API_NOT_FOUND,
    BANNED,
    DUPLICATE_ENDPOINT,
    ENDPOINT_UNREACHABLE,
    FORBIDDEN,
    INVALID_CURRENCY,
    INVALID_ENDPOINT,
    INVALID_OPENAPI,
    INVALID_PARAMETER,
    INVALID_PRICE,
    PROVIDER_BLOCKED,
)
from flux.paygate.listings.merging import merged
from flux.paygate.listings.model import Listing
from flux.paygate.listings.schemas import ListingBody
from flux.paygate.listings.service import Listings
from flux.paygate.listings.stats import ListingStats
from flux.paygate.listings.views import ListingViews
from flux.paygate.replies import not_modified, viewer
from flux.paygate.scalars import ApiId
from flux.paygate.words import API, OPEN, SESSION

routes = Routes(tag="listings", prefix=API)
CONTENT = [
    PROVIDER_BLOCKED, INVALID_PARAMETER, INVALID_ENDPOINT, INVALID_PRICE, INVALID_CURRENCY, INVALID_OPENAPI,
    API_ALREADY_EXISTS, DUPLICATE_ENDPOINT, ENDPOINT_UNREACHABLE,
]  # fmt: skip
OWNED = [API_NOT_FOUND, FORBIDDEN]


async def shown(call: Call, listing: Listing) -> dict[str, Any]:
    """The listing with its document and fresh numbers."""
    stats = await call.use(ListingStats).of(listing.id)
    view = call.use(ListingViews).summary(listing, viewer(call), stats)
    view["openapi"] = await call.use(Listings).openapi(listing)
    return view


@routes.get("/apis/{api_id}", auth=OPEN, raises=[API_NOT_FOUND])
async def show_listing(call: Call, api_id: ApiId) -> Reply:
    """One listing, with its OpenAPI document."""
    listing = await call.use(Listings).get(api_id)
    return not_modified(call, listing.etag) or Reply(
        await shown(call, listing), headers={"ETag": listing.etag}
    )


@routes.post("/apis", auth=SESSION, status=201, raises=[*CONTENT, BANNED])
async def create_listing(call: Call, body: Body[ListingBody]) -> Reply:
    """List an API. The answer holds its secret, this once."""
    listings = call.use(Listings)
    wallet = call.principal.address
    await listings.may_create(wallet)
    listing, secret = await listings.create(wallet, await read_struct(call, ListingBody))
    view = {**await shown(call, listing), "listingSecret": secret}
    location = f"{call.use(ListingViews).gateway_url(listing).rpartition('/gateway/')[0]}/apis/{listing.id}"
    return Reply(view, 201, {"Location": location, "ETag": listing.etag})


@routes.put("/apis/{api_id}", auth=SESSION, raises=[*OWNED, *CONTENT])
async def replace_listing(call: Call, api_id: ApiId, body: Body[ListingBody]) -> Reply:
    """Replace all writable fields; absent optional ones return to their defaults."""

    async def make(current: Listing) -> tuple[ListingBody, bool]:
        return await read_struct(call, ListingBody), True

    return await _edited(call, api_id, make)


@routes.patch("/apis/{api_id}", auth=SESSION, raises=[*OWNED, *CONTENT])
async def patch_listing(call: Call, api_id: ApiId, body: Body[ListingBody]) -> Reply:
    """Change some fields (JSON merge patch)."""

    async def make(current: Listing) -> tuple[ListingBody, bool]:
        patch = await read_members(call)
        document = await call.use(Listings).openapi(current)
        ground = call.use(ListingViews).writable(current, document)
        return struct_of(merged(ground, patch), ListingBody), "upstreamHeaders" in patch

    return await _edited(call, api_id, make)


async def _edited(call: Call, api_id: str, make: Any) -> Reply:
    listing = await call.use(Listings).edit(api_id, call.principal.address, call.header("if-match"), make)
    return Reply(await shown(call, listing), headers={"ETag": listing.etag})


@routes.delete(
    "/apis/{api_id}", auth=SESSION, status=204, raises=[*OWNED, PROVIDER_BLOCKED, INVALID_PARAMETER]
)
async def delete_listing(call: Call, api_id: ApiId) -> None:
    """Take a listing down; its history stays."""
    listings = call.use(Listings)
    listing = await listings.writable(api_id, call.principal.address)
    listings.check_match(listing, call.header("if-match"))
    await listings.delete(listing)


@routes.post("/apis/{api_id}/secret", auth=SESSION, raises=[*OWNED, PROVIDER_BLOCKED, INVALID_PARAMETER])
async def rotate_secret(call: Call, api_id: ApiId) -> Reply:
    """Make a new secret for the origin signature; it is shown this once."""
    listings = call.use(Listings)
    listing = await listings.writable(api_id, call.principal.address)
    listings.check_match(listing, call.header("if-match"))
    listing, secret = await listings.rotate_secret(listing)
    return Reply({"id": listing.id, "listingSecret": secret}, headers={"ETag": listing.etag})
