"""The content plane, put together: services on the house, routes, gate, envelope."""

from __future__ import annotations

from pathlib import Path

from flux.content import bootstrapping, demonstration
from flux.content.accounts import endpoints as accounts
from flux.content.accounts.service import Accounts
from flux.content.apis import endpoints as apis
from flux.content.apis.service import Apis
from flux.content.components import endpoints as components
from flux.content.components.service import Components
from flux.content.delivery import endpoints as delivery
from flux.content.delivery import sharing
from flux.content.delivery.answers import Answers
from flux.content.delivery.door import Door
from flux.content.delivery.service import Delivery
from flux.content.delivery.snapshots import Snapshots
from flux.content.delivery.writes import Writes
from flux.content.embeddings.service import Embeddings
from flux.content.envelope import ContentEnvelope
from flux.content.faults import content
from flux.content.folders import endpoints as folders
from flux.content.folders.service import Folders
from flux.content.gate import Gate, implied
from flux.content.generations.service import Generations
from flux.content.keys import endpoints as keys
from flux.content.keys.service import Keys
from flux.content.locales import endpoints as locales
from flux.content.locales.service import Locales
from flux.content.organisations import endpoints as organisations
from flux.content.organisations.service import Organisations
from flux.content.plans import Plans
from flux.content.projection import jobs
from flux.content.projection.service import Projection
from flux.content.resources import batch_endpoints as batches
from flux.content.resources import endpoints as resources
from flux.content.resources import revision_endpoints as revisions
from flux.content.resources.batching import Batches
from flux.content.resources.revisions import Revisions
from flux.content.resources.service import Resources
from flux.content.resources.writing import Writing
from flux.content.roles import endpoints as roles
from flux.content.roles.service import Roles
from flux.content.schemas import endpoints as schemas
from flux.content.schemas.fields import Fields
from flux.content.schemas.owners import Owners
from flux.content.schemas.service import Schemas
from flux.content.schemas.syncing import Syncing
from flux.content.search.ranking import Ranking
from flux.content.search.service import Search
from flux.content.search.tallies import Tallies
from flux.content.settled import Settled
from flux.content.webhooks import endpoints as webhooks
from flux.content.webhooks.sending import Sending
from flux.content.webhooks.service import ANNOUNCE, Webhooks
from flux.kernel.house import House
from flux.kernel.outside.guard import Guard
from flux.kernel.store.migrations import MigrationSet
from flux.kernel.wire import Limits, Plane, Routes

_ROOMS = (
    accounts.routes,
    organisations.routes,
    locales.routes,
    roles.routes,
    keys.routes,
    folders.routes,
    schemas.routes,
    components.routes,
    batches.routes,
    resources.routes,
    revisions.routes,
    apis.routes,
    webhooks.routes,
    delivery.routes,
)


def build(house: House) -> Plane:
    plane = furnished(house)
    jobs.register(house.jobs, plane.services[Projection])
    plane.services[Sending].register(house.jobs)
    house.jobs.handle(ANNOUNCE, plane.services[Webhooks].told_later)
    return plane


def furnished(house: House) -> Plane:
    """The plane with its services, not yet on duty: no job of it runs. Bootstrap and demo work with this."""
    settings = house.settings.content
    plane = Plane(
        name="content",
        mount="/content",
        routes=Routes.joined(_ROOMS),
        faults=content,
        envelope=ContentEnvelope(),
        title="Flux content",
        gate=Gate(house),
        implied=implied,
        cors=sharing.policy,
        before_preflight=sharing.introduce,
        limits=Limits(
            body_bytes=settings.max_request_bytes,
            body_bytes_by_tag={delivery.routes.tag: settings.max_delivery_request_bytes},
            body_seconds=house.settings.server.body_seconds,
            depth=house.settings.server.depth,
            request_seconds=settings.request_timeout,
        ),
    )
    _furnish(plane, house)
    _deliver(plane, house)
    return plane


def _furnish(plane: Plane, house: House) -> None:
    """What content is made of, in the order of who needs whom."""
    settled = Settled(house)
    plans = Plans(house.db, house.settings.content.plan_limits)
    projection = Projection(house)
    embeddings = Embeddings(house)
    plane.on_stop.append(embeddings.close)
    locales_ = Locales(house, plans)
    roles_ = Roles(house, plans)
    folders_ = Folders(house, plans, projection)
    components_ = Components(house, plans)
    schemas_ = Schemas(house, plans, projection)
    guard = Guard(house.settings.content.webhooks.allowed_targets, setting="content.webhooks.allowed_targets")
    webhooks_, sending = Webhooks(house, plans, folders_, guard), Sending(house, guard)
    plane.on_stop.append(sending.close)
    writing = Writing(house, locales_, schemas_, projection, webhooks_)
    resources_ = Resources(house, plans, folders_, components_, writing, projection, embeddings)
    plane.provide(settled, plans, projection, embeddings, locales_, roles_, folders_, components_, schemas_)
    plane.provide(webhooks_, sending)
    plane.provide(
        Accounts(house),
        Organisations(house, plans, locales_, projection),
        Keys(house, plans, roles_),
        Fields(house, plans, schemas_),
        Owners(folders_, components_),
        Syncing(house, schemas_),
        resources_,
        Revisions(house, resources_, writing, embeddings),
        Batches(house, plans, resources_, writing, embeddings),
        Apis(house, plans, folders_),
    )


def _deliver(plane: Plane, house: House) -> None:
    """What shows it."""
    services = plane.services
    settled: Settled = services[Settled]
    generations = Generations(house)
    snapshots = Snapshots(
        house,
        generations,
        services[Organisations],
        services[Locales],
        services[Folders],
        services[Schemas],
        services[Components],
        services[Apis],
    )
    search = Search(house, generations)
    ranking = Ranking(house, search, services[Embeddings])
    plane.provide(
        Door(house, settled, snapshots, services[Keys], generations),
        Delivery(
            house,
            settled,
            snapshots,
            search,
            ranking,
            Tallies(house, settled, ranking),
            Answers(house, settled, generations),
        ),
        Writes(services[Resources]),
    )


def migrations() -> MigrationSet:
    return MigrationSet("content", Path(__file__).parent / "migrations")


async def bootstrap(house: House) -> dict[str, object]:
    return await bootstrapping.bootstrap(furnished(house), house)


async def renew(house: House, known: dict[str, object]) -> dict[str, object]:
    """Of what `bootstrap` told the operator's file, what each later start makes anew."""
    return await bootstrapping.renew(furnished(house), known)


async def demo(house: House) -> list[str]:
    return await demonstration.demo(furnished(house), house)
