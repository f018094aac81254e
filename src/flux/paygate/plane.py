"""The paygate plane: its rooms put together. What `flux.app` calls."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from flux.kernel.house import House
from flux.kernel.store.migrations import MigrationSet
from flux.kernel.wire import Limits, Plane, Routes
from flux.paygate.access import endpoints as access
from flux.paygate.access.service import Providers
from flux.paygate.access.turnstile import Turnstile
from flux.paygate.catalogue import endpoints as catalogue
from flux.paygate.catalogue.service import Quotes
from flux.paygate.chains import endpoints as chain_endpoints
from flux.paygate.chains.registry import Chains
from flux.paygate.chains.service import ChainReader
from flux.paygate.demo import fill
from flux.paygate.envelope import PaygateEnvelope
from flux.paygate.faults import paygate
from flux.paygate.gate import Gate, implied
from flux.paygate.health import endpoints as health
from flux.paygate.history import endpoints as history
from flux.paygate.history.service import History
from flux.paygate.ledger import endpoints as ledger
from flux.paygate.ledger import jobs as lease_jobs
from flux.paygate.ledger.service import Ledger
from flux.paygate.ledger.states import PaymentStates
from flux.paygate.listings import endpoints as listings
from flux.paygate.listings import stats
from flux.paygate.listings.service import Listings
from flux.paygate.listings.stats import ListingStats
from flux.paygate.listings.views import ListingViews
from flux.paygate.outside.dialer import Dialer
from flux.paygate.outside.guard import Guard
from flux.paygate.payment.service import Payments
from flux.paygate.relay import endpoints as relay
from flux.paygate.relay.exchange import Exchange
from flux.paygate.relay.service import Flight, Relay
from flux.paygate.wallets import endpoints as wallets
from flux.paygate.wallets.rules import Places
from flux.paygate.wallets.service import Wallets
from flux.paygate.words import API

MOUNT = "/paygate"
SWEEP_KIND = "paygate.sessions"
SWEEP_SECONDS = 300.0
BODY_DEPTH = 80
"""Deeper than an OpenAPI document may be, so that the document's own rule answers."""


def migrations() -> MigrationSet:
    return MigrationSet("paygate", Path(__file__).parent / "migrations")


def origin_of(house: House) -> str:
    """Where clients find the plane: under the instance's URL, or at a host of its own."""
    host = house.settings.paygate.host
    if not host:
        return house.public_url
    return f"{urlsplit(house.public_url).scheme}://{host}"


def api_url(house: House) -> str:
    mount = "" if house.settings.paygate.host else MOUNT
    return f"{origin_of(house)}{mount}{API}"


def build(house: House) -> Plane:
    settings = house.settings.paygate
    origins = tuple(settings.origins) or (origin_of(house),)
    chains = Chains(settings)
    reader = ChainReader(chains, settings, house.clock, house.ports)
    own_names = [urlsplit(origin).hostname or "" for origin in (house.public_url, *origins)]
    dialer = Dialer(Guard(settings.allowed_targets, settings.denied_ports, own_names), settings, house.ports)
    turnstile = Turnstile(house.clock, settings)
    providers = Providers(house.db, house.bus, house.clock)
    sessions = Wallets(house.db, house.clock, reader, Places(origins), settings)
    calls = History(house.db)
    book = Ledger(house.db, house.clock, calls, settings.max_releases)
    listed = Listings(house.db, house.bus, house.clock, house.vault, chains, dialer, providers, settings)
    quotes = Quotes(listed, providers, house.clock, settings)
    payments = Payments(reader, house.clock, turnstile, settings)
    flight = Flight(settings.max_in_flight)
    numbers = ListingStats(house.db, calls, house.clock)
    url = api_url(house)
    exchange = Exchange(dialer, book, settings)
    paid = Relay(
        listed, quotes, payments, book, exchange, turnstile, flight, chains, house.clock, settings, url
    )
    gate = Gate(house, turnstile, sessions, flight, origins)
    plane = Plane(
        name="paygate",
        mount=MOUNT,
        routes=_routes(),
        faults=paygate,
        envelope=PaygateEnvelope(),
        title="Flux paygate",
        gate=gate,
        implied=implied,
        limits=Limits(body_bytes=settings.management_body_bytes, depth=BODY_DEPTH),
        cors=gate.cors,
        on_start=[reader.start, dialer.start, providers.start, listed.start],
        on_stop=[dialer.close, reader.close],
    )
    plane.provide(
        settings, chains, reader, providers, sessions, calls, book, listed, quotes, numbers, paid,
        ListingViews(chains, url), PaymentStates(book, reader), health.Pulse(house.db, reader),
    )  # fmt: skip
    house.jobs.every(lease_jobs.KIND, lease_jobs.SECONDS, lease_jobs.LeaseSweeper(book).sweep)
    house.jobs.every(stats.KIND, stats.SECONDS, numbers.refresh)
    house.jobs.every(SWEEP_KIND, SWEEP_SECONDS, sessions.sweep)
    return plane


def _routes() -> Routes:
    rooms = (catalogue, listings, relay, history, ledger, wallets, chain_endpoints, access, health)
    return Routes.joined(room.routes for room in rooms)


async def demo(house: House) -> list[str]:
    return await fill(house)
