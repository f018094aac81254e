"""A believable small catalogue. Needs no chain: nothing is probed and nothing is paid."""

from __future__ import annotations

import msgspec

from flux.kernel.faults import FaultError
from flux.kernel.house import House
from flux.paygate.access.service import Providers
from flux.paygate.chains.registry import Chains
from flux.paygate.faults import API_ALREADY_EXISTS, DUPLICATE_ENDPOINT
from flux.paygate.listings import rules
from flux.paygate.listings.rules import Policy
from flux.paygate.listings.schemas import ListingBody
from flux.paygate.listings.service import Listings
from flux.paygate.outside.dialer import Dialer
from flux.paygate.outside.guard import Guard
from flux.paygate.signing.accounts import checksummed

PROVIDER = "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
"""The well-known public development key number 0: never send it real money."""

WEATHER = {
    "name": "Weather (demo)",
    "endpoint": "https://weather.demo.example/v1",
    "pricePerRequest": "0.0001",
    "currency": "ETH",
    "description": "Current weather and a five-day forecast for any city. A demo listing: its target does not exist.",
    "tags": ["weather", "demo"],
    "category": "data",
    "openapi": {
        "openapi": "3.0.3",
        "info": {"title": "Weather", "version": "1.0.0"},
        "paths": {
            "/weather/{city}": {
                "parameters": [
                    {"name": "city", "in": "path", "required": True, "schema": {"type": "string"}}
                ],
                "get": {
                    "operationId": "currentWeather",
                    "summary": "The weather now",
                    "responses": {"200": {"description": "Temperature, wind and sky"}},
                },
            },
            "/forecast/{city}": {
                "parameters": [
                    {"name": "city", "in": "path", "required": True, "schema": {"type": "string"}}
                ],
                "get": {
                    "operationId": "forecast",
                    "summary": "The next five days",
                    "responses": {"200": {"description": "Five days"}},
                },
            },
        },
    },
    "endpoints": [
        {
            "method": "GET",
            "path": "/forecast/{city}",
            "pricePerRequest": "0.0003",
            "examples": ["What will the weather be in Oslo this week?"],
        }
    ],
}


async def fill(house: House) -> list[str]:
    """Idempotent: a listing that is there already stays as it is."""
    settings = house.settings.paygate
    chains = Chains(settings)
    dialer = Dialer(Guard(), settings, house.ports)
    providers = Providers(house.db, house.bus, house.clock)
    listings = Listings(house.db, house.bus, house.clock, house.vault, chains, dialer, providers, settings)
    body = msgspec.json.decode(msgspec.json.encode(WEATHER), type=ListingBody)
    if "ETH" not in chains.default.currencies:
        body.currency, body.price_per_request = "USDC", msgspec.Raw(b'"0.01"')
        body.endpoints = []
    content = rules.judge(body, Policy(chains, False, settings.max_price, settings.openapi_bytes))
    try:
        listing, _ = await listings.insert(PROVIDER, body, content)
    except FaultError as known:
        if known.fault not in (API_ALREADY_EXISTS, DUPLICATE_ENDPOINT):
            raise
        return ["paygate: the demo listing is there already"]
    return [f"paygate: {listing.name} by {checksummed(PROVIDER)}: GET /paygate/api/v2/apis/{listing.id}"]
