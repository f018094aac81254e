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
from flux.paygate.access.windows import SharedWindows
from flux.paygate.catalogue import endpoints as catalogue
from flux.paygate.catalogue.service import Quotes
from flux.paygate.chains import endpoints as chain_endpoints
from flux.paygate.chains.registry import Chains
from flux.paygate.chains.service import ChainReader
from flux.paygate.credit import endpoints as credit
from flux.paygate.credit.service import Credits
from flux.paygate.dashboard import endpoints as dashboard
from flux.paygate.dashboard.service import Dashboard
from flux.paygate.demo import fill
from flux.paygate.envelope import PaygateEnvelope
from flux.paygate.facilitator import endpoints as facilitator
from flux.paygate.facilitator.counter import Counter
from flux.paygate.facilitator.extensions import Extensions
from flux.paygate.facilitator.offers import Offers
from flux.paygate.facilitator.sender import KIND as SETTLEMENTS
from flux.paygate.facilitator.sender import SECONDS as SETTLEMENT_SECONDS
from flux.paygate.facilitator.sender import Sender, private_key
from flux.paygate.facilitator.service import Facilitator
from flux.paygate.faults import paygate
from flux.paygate.gate import Gate, implied
from flux.paygate.health import endpoints as health
from flux.paygate.history import endpoints as history
from flux.paygate.history.service import History
from flux.paygate.ledger import endpoints as ledger
from flux.paygate.ledger import jobs as lease_jobs
from flux.paygate.ledger import monitor
from flux.paygate.ledger.service import Ledger
from flux.paygate.ledger.settlements import Settlements
from flux.paygate.ledger.states import PaymentStates
from flux.paygate.listings import endpoints as listings
from flux.paygate.listings import stats
from flux.paygate.listings.service import Listings
from flux.paygate.listings.stats import ListingStats
from flux.paygate.listings.views import ListingViews
from flux.paygate.outside.breaker import Breakers
from flux.paygate.outside.dialer import Dialer
from flux.paygate.outside.guard import Guard
from flux.paygate.payment.service import Payments
from flux.paygate.relay import endpoints as relay
from flux.paygate.relay.collecting import Collector
from flux.paygate.relay.direct import Direct
from flux.paygate.relay.exchange import Exchange
from flux.paygate.relay.service import Flight, Relay
from flux.paygate.relay.unpaid import Unpaid
from flux.paygate.replays.service import Replays
from flux.paygate.selfdescription import endpoints as selfdescription
from flux.paygate.selfdescription.service import SelfDescription
from flux.paygate.wallets import endpoints as wallets
from flux.paygate.wallets.rules import Places
from flux.paygate.wallets.service import Wallets
from flux.paygate.words import API

MOUNT = "/paygate"
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


class Rooms:
    """Every service of the plane, each made once, in the order in which they stand on each other."""

    def __init__(self, house: House) -> None:
        self.settings = house.settings.paygate
        self.url = api_url(house)
        self.origins = tuple(self.settings.origins) or (origin_of(house),)
        self._lay_ground(house)
        self._open_trade(house)

    def _lay_ground(self, house: House) -> None:
        """The world outside, and who gets in."""
        settings, clock = self.settings, house.clock
        self.chains = Chains(settings)
        self.reader = ChainReader(self.chains, settings, clock, house.ports)
        own_names = [urlsplit(origin).hostname or "" for origin in (house.public_url, *self.origins)]
        guard = Guard(settings.allowed_targets, settings.denied_ports, own_names, house.doors.leads_home)
        self.dialer = Dialer(guard, settings, house.ports)
        self.breakers = Breakers(clock, house.ports, settings)
        # One process needs nobody's word for what it counted.
        self.windows = SharedWindows(house.db, house.bus, clock) if house.settings.bus.url else None
        self.turnstile = Turnstile(clock, settings, self.windows)
        self.providers = Providers(house.db, house.bus, clock)
        self.wallets = Wallets(house.db, clock, self.reader, Places(self.origins), settings)
        self.flight = Flight(settings.max_in_flight)

    def _open_trade(self, house: House) -> None:
        """Listings, payments, calls."""
        settings, clock, db = self.settings, house.clock, house.db
        self.history = History(db)
        self.credits = Credits(db, clock, settings.signature_seconds + settings.signature_skew_seconds)
        self.replays = Replays(db, clock)
        self.settlements = Settlements(db, clock)
        self.ledger = Ledger(db, clock, self.history, self.credits, self.replays, settings.max_releases)
        self.listings = Listings(
            db, house.bus, clock, house.vault, self.chains, self.dialer, self.providers, settings
        )
        self.monitor = monitor.ReorgMonitor(db, house.bus, clock, self.reader, self.history, self.credits)
        self.quotes = Quotes(self.listings, self.providers, self.breakers, clock, settings)
        self.stats = ListingStats(db, self.history, clock)
        key = private_key(settings.facilitator_key)
        self.sender = (
            Sender(key, db, self.reader, self.settlements, clock, settings) if key is not None else None
        )
        self.facilitator = Facilitator(self.reader, clock, settings, self.sender)
        self.offers = Offers(self.facilitator, self.url)
        extensions = Extensions(self.listings, self.url)
        payments = Payments(self.reader, clock, self.turnstile, settings)
        self.relay = Relay(
            listings=self.listings,
            quotes=self.quotes,
            offers=self.offers,
            extensions=extensions,
            unpaid=Unpaid(self.offers, extensions),
            direct=Direct(payments, self.ledger, self.replays, self.chains, settings),
            collector=Collector(self.facilitator, self.ledger, self.settlements, self.replays),
            ledger=self.ledger,
            credits=self.credits,
            exchange=Exchange(self.dialer, self.breakers, self.ledger, clock, settings),
            breakers=self.breakers,
            turnstile=self.turnstile,
            flight=self.flight,
            clock=clock,
            settings=settings,
            api_url=self.url,
        )


def build(house: House) -> Plane:
    rooms = Rooms(house)
    gate = Gate(house, rooms.turnstile, rooms.wallets, rooms.flight, rooms.origins)
    plane = Plane(
        name="paygate",
        mount=MOUNT,
        routes=_routes(),
        faults=paygate,
        envelope=PaygateEnvelope(),
        title="Flux paygate",
        gate=gate,
        implied=implied,
        limits=Limits(body_bytes=rooms.settings.management_body_bytes, depth=BODY_DEPTH),
        cors=gate.cors,
        on_start=[rooms.reader.start, rooms.providers.start, rooms.listings.start],
        on_stop=[rooms.dialer.close, rooms.reader.close],
        figures=rooms.breakers.figures(),
    )
    if rooms.windows is not None:
        plane.on_start.append(rooms.windows.start)
        plane.on_stop.append(rooms.windows.stop)
        house.jobs.every("paygate.windows", SWEEP_SECONDS, rooms.windows.sweep)
    plane.provide(
        rooms.settings, rooms.chains, rooms.reader, rooms.providers, rooms.wallets, rooms.history, rooms.ledger,
        rooms.listings, rooms.quotes, rooms.stats, rooms.relay, rooms.facilitator, rooms.offers, rooms.credits,
        SelfDescription(rooms.url.removesuffix(API), rooms.url, house.public_url),
        Dashboard(house.clock, rooms.chains, rooms.listings, rooms.history, rooms.credits, rooms.breakers),
        Counter(rooms.facilitator, rooms.listings, rooms.settlements),
        ListingViews(rooms.chains, rooms.url),
        PaymentStates(rooms.ledger, rooms.reader), health.Pulse(house.db, rooms.reader),
    )  # fmt: skip
    _schedule(house, rooms)
    return plane


def _schedule(house: House, rooms: Rooms) -> None:
    settings = rooms.settings
    house.jobs.every(
        lease_jobs.KIND, settings.lease_sweep_seconds, lease_jobs.LeaseSweeper(rooms.ledger).sweep
    )
    house.jobs.every(monitor.KIND, settings.reorg_check_seconds, rooms.monitor.look)
    house.jobs.every(stats.KIND, stats.SECONDS, rooms.stats.refresh)
    if rooms.sender is not None:
        house.jobs.every(SETTLEMENTS, SETTLEMENT_SECONDS, rooms.sender.sweep)
    house.jobs.every("paygate.sessions", SWEEP_SECONDS, rooms.wallets.sweep)
    house.jobs.every("paygate.credit", SWEEP_SECONDS, rooms.credits.sweep)
    house.jobs.every("paygate.replays", SWEEP_SECONDS, rooms.replays.sweep)


def _routes() -> Routes:
    rooms = (
        catalogue,
        listings,
        relay,
        history,
        ledger,
        wallets,
        chain_endpoints,
        credit,
        dashboard,
        selfdescription,
        access,
        facilitator,
        health,
    )
    return Routes.joined(room.routes for room in rooms)


async def demo(house: House) -> list[str]:
    return await fill(house)
