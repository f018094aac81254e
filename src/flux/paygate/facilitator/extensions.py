"""The x402 extensions of a 402: `bazaar`, what the operation takes and gives, and `payment-identifier`, which lets a client
name its payment so that a repeated call is answered again and not charged again."""

from __future__ import annotations

import re
from collections import OrderedDict
from urllib.parse import urlsplit

import msgspec

from flux.paygate.facilitator.bazaar import described
from flux.paygate.facilitator.payloads import BadPayload, decoded_header
from flux.paygate.listings.model import ANYTHING, CallPlan, Meaning
from flux.paygate.listings.service import Listings

BAZAAR, IDENTIFIER = "bazaar", "payment-identifier"
NAMES = (BAZAAR, IDENTIFIER)
KEPT = 2_000
_ID = re.compile(r"[A-Za-z0-9_-]{16,128}\Z")
_PLACE = re.compile(r"\{([^{}]+)\}")
_IDENTIFIER_DECLARED = {
    "info": {"required": False},
    "schema": {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "required": {"type": "boolean"},
            "id": {"type": "string", "minLength": 16, "maxLength": 128, "pattern": "^[a-zA-Z0-9_-]+$"},
        },
        "required": ["required"],
    },
}


class Extensions:
    """Remembers what it said of an operation until its listing changes."""

    def __init__(self, listings: Listings, api_url: str) -> None:
        self._listings = listings
        self._api_path = urlsplit(api_url).path
        self._kept: OrderedDict[tuple[str, int, str, str, str], msgspec.Raw] = OrderedDict()

    async def of(self, plan: CallPlan, meaning: Meaning, method: str, mount: str) -> msgspec.Raw:
        """As JSON, for the header."""
        listing = plan.listing
        method = meaning.method if meaning.method != ANYTHING.method else method
        key = (listing.id, listing.version, method, meaning.template, mount)
        known = self._kept.get(key)
        if known is None:
            document = await self._listings.openapi(listing)
            bazaar = described(document, method, meaning.template)
            if "{" in meaning.template:
                place = f"{self._api_path}/{mount}/{listing.id}{meaning.template}"
                bazaar["routeTemplate"] = _PLACE.sub(r":\1", place)
            said = {BAZAAR: bazaar, IDENTIFIER: _IDENTIFIER_DECLARED}
            known = self._kept[key] = msgspec.Raw(msgspec.json.encode(said))
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return known


def identifier(header: str) -> str | None:
    """The name that the client gave its payment in a proof's header; None without one. Raises `BadPayload` for one that
    is no name; what else is wrong with the header is for others to say."""
    try:
        fields = decoded_header(header)
    except BadPayload:
        return None
    extensions = fields.get("extensions")
    extension = extensions.get(IDENTIFIER) if isinstance(extensions, dict) else None
    info = extension.get("info") if isinstance(extension, dict) else None
    name = info.get("id") if isinstance(info, dict) else None
    if name is None:
        return None
    if not isinstance(name, str) or not _ID.match(name):
        raise BadPayload("extensions.payment-identifier.info.id: 16 to 128 letters, digits, - or _")
    return name
