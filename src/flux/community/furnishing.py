"""Puts together what people fill their places with: files, images, expressions, webhooks, and the log of who did what.

A part of plane.py that would make it two things.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from flux.community.account.preferences import PreferenceService
from flux.community.announcing import Announcer
from flux.community.audit import endpoints as audit_endpoints
from flux.community.audit.service import AuditService
from flux.community.expressions import endpoints as expression_endpoints
from flux.community.expressions import sticker_endpoints
from flux.community.expressions.emojis import EmojiService
from flux.community.expressions.stickers import StickerService
from flux.community.media import endpoints as media_endpoints
from flux.community.media.darkroom import Darkroom
from flux.community.media.gallery import Gallery
from flux.community.media.screening import Screening
from flux.community.media.service import AssetService
from flux.community.media.sweeping import AssetSweeping
from flux.community.messages.ghostwriting import GhostwritingService
from flux.community.messages.linking import Linking
from flux.community.messages.views import MessageViews
from flux.community.messages.writing import Writing
from flux.community.standing.service import StandingService
from flux.community.unfurling.service import UnfurlingService
from flux.community.uploads import endpoints as upload_endpoints
from flux.community.uploads.forms import Forms
from flux.community.uploads.service import UploadService
from flux.community.users.service import UserService
from flux.community.webhooks import endpoints as webhook_endpoints
from flux.community.webhooks import token_endpoints as webhook_token_endpoints
from flux.community.webhooks.service import WebhookService
from flux.community.webhooks.speaking import SpeakingService
from flux.kernel.house import House
from flux.kernel.jobs.port import Jobs
from flux.kernel.outside.fetching import Fetcher
from flux.kernel.outside.guard import Guard
from flux.kernel.wire import Plane

ROOMS = (
    media_endpoints, upload_endpoints, expression_endpoints, sticker_endpoints, audit_endpoints, webhook_endpoints,
    webhook_token_endpoints,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Files:
    """What the rooms above need of these."""

    assets: AssetService
    uploads: UploadService
    audit: AuditService
    emojis: EmojiService
    stickers: StickerService


def furnish(
    house: House, plane: Plane, users: UserService, where: StandingService, announcer: Announcer
) -> Files:
    settings = house.settings.community
    darkroom = Darkroom(settings.media)
    screening = Screening(settings.media, sandbox=house.sandbox)
    assets = AssetService(
        house.db, house.clock, house.blobs, darkroom, screening, settings.limits, settings.media
    )
    uploads = UploadService(house.db, house.clock, house.ids, house.blobs, screening, settings.media)
    audit = AuditService(house.db, house.ids, users, where)
    more = (house.db, house.ids, users, where, assets, audit, announcer)
    files = Files(
        assets,
        uploads,
        audit,
        EmojiService(*more, settings.limits),
        StickerService(*more, settings.limits),
    )
    plane.on_stop.append(darkroom.close)
    gallery = Gallery(house.blobs, darkroom, settings.media)
    sweeping = AssetSweeping(house.db, house.clock, house.blobs, settings.media)
    plane.provide(assets, uploads, audit, files.emojis, files.stickers, gallery, sweeping)
    plane.provide(Forms(uploads, settings.limits), PreferenceService(users, files.emojis))
    return files


def hang(
    house: House,
    plane: Plane,
    users: UserService,
    where: StandingService,
    announcer: Announcer,
    files: Files,
    ghost: GhostwritingService,
) -> None:
    """The webhooks, which speak through the messages."""
    limits = house.settings.community.limits
    webhooks = WebhookService(house.db, house.ids, users, where, files.assets, files.audit, announcer, limits)
    plane.provide(webhooks, SpeakingService(webhooks, ghost))


def preview(
    house: House, plane: Plane, where: StandingService, views: MessageViews, writing: Writing
) -> Linking:
    """Links and what they lead to."""
    settings = house.settings.community.unfurling
    own = [urlsplit(house.public_url).hostname or "", house.settings.community.host]
    guard = Guard(settings.allowed_targets, own_names=own, setting="community.unfurling.allowed_targets")
    fetcher = Fetcher(guard, house.ports, seconds=settings.seconds)
    linking = Linking(house.db, where, views, writing, house.jobs, settings)
    plane.provide(UnfurlingService(linking, fetcher, house.clock, settings))
    plane.on_stop.append(fetcher.close)
    return linking


def schedule(plane: Plane, jobs: Jobs) -> None:
    plane.services[UploadService].schedule(jobs)
    plane.services[AssetSweeping].schedule(jobs)
    plane.services[UnfurlingService].schedule(jobs)
