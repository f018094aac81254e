"""The community plane, put together.

`build` makes each room's services in the order of the rooms (see the package's docstring), gives each what it needs,
and hands the wire a `Plane`.
"""

from __future__ import annotations

from pathlib import Path

from flux.community import furnishing, identities
from flux.community.account import bot_endpoints, change_endpoints, preference_endpoints
from flux.community.account import endpoints as account_endpoints
from flux.community.account.service import AccountService
from flux.community.admin import endpoints as admin_endpoints
from flux.community.admin.addresses import AddressBans
from flux.community.admin.service import AdminService
from flux.community.announcing import Announcer
from flux.community.auth.mails import Mails
from flux.community.auth.sessions import SessionService
from flux.community.bans import endpoints as ban_endpoints
from flux.community.bans.service import EXPIRY, BanService
from flux.community.belated.service import correct_what_is_late
from flux.community.channels import endpoints as channel_endpoints
from flux.community.channels.ordering import OrderingService
from flux.community.channels.overwrites import Overwrites
from flux.community.channels.private import PrivateChannels
from flux.community.channels.service import ChannelService
from flux.community.conversations import endpoints as conversation_endpoints
from flux.community.conversations.groups import GroupService
from flux.community.conversations.service import ConversationService
from flux.community.demo import Demo
from flux.community.envelope import CommunityEnvelope
from flux.community.erasure.service import JOB as ERASE
from flux.community.erasure.service import Erasure
from flux.community.faults import community
from flux.community.furnishing import furnish, hang, preview
from flux.community.gate import Gatekeeper, implied
from flux.community.guilds import endpoints as guild_endpoints
from flux.community.guilds.service import GuildService
from flux.community.guilds.state import GuildStates
from flux.community.guilds.vanity import VanityService
from flux.community.identities import Identities
from flux.community.inbox import endpoints as inbox_endpoints
from flux.community.inbox.pinned import PinnedService
from flux.community.inbox.service import InboxService
from flux.community.instance import endpoints as instance_endpoints
from flux.community.instance.service import InstanceService
from flux.community.invites import endpoints as invite_endpoints
from flux.community.invites.groups import GroupInvites
from flux.community.invites.service import InviteService
from flux.community.loudness import endpoints as loudness_endpoints
from flux.community.loudness.service import LoudnessService
from flux.community.members import endpoints as member_endpoints
from flux.community.members.joining import Joining
from flux.community.members.pruning import PruningService
from flux.community.members.searching import SearchingService
from flux.community.members.service import MemberService
from flux.community.mentions.service import MentionService
from flux.community.messages import endpoints as message_endpoints
from flux.community.messages import reaction_endpoints, withdrawing_endpoints
from flux.community.messages.bookmarks import BookmarkService
from flux.community.messages.composing import Composing
from flux.community.messages.ghostwriting import GhostwritingService
from flux.community.messages.pins import PinService
from flux.community.messages.purging import Purging
from flux.community.messages.reactions import ReactionService
from flux.community.messages.send import SendService
from flux.community.messages.service import MessageService
from flux.community.messages.views import MessageViews
from flux.community.messages.welcome import Welcome
from flux.community.messages.withdrawing import JOB as WITHDRAW
from flux.community.messages.withdrawing import WithdrawingService
from flux.community.messages.writing import Writing
from flux.community.notes import endpoints as note_endpoints
from flux.community.notes.service import NoteService
from flux.community.oauth2 import authorization_endpoints
from flux.community.oauth2 import endpoints as oauth2_endpoints
from flux.community.oauth2.applications import ApplicationService
from flux.community.oauth2.consent import ConsentService
from flux.community.oauth2.tokens import TokenService
from flux.community.profiles import endpoints as profile_endpoints
from flux.community.profiles.service import ProfileService
from flux.community.realtime import endpoints as realtime_endpoints
from flux.community.realtime.conversation import Gateway
from flux.community.realtime.hub import Hub
from flux.community.realtime.lists import MemberLists
from flux.community.realtime.neighbours import Neighbours
from flux.community.realtime.presence import Presence
from flux.community.realtime.ready import ReadyMaker
from flux.community.realtime.rosters import Rosters
from flux.community.realtime.statuses import Statuses
from flux.community.relationships import endpoints as relationship_endpoints
from flux.community.relationships.service import RelationshipService
from flux.community.roles import endpoints as role_endpoints
from flux.community.roles.service import RoleService
from flux.community.standing.service import StandingService
from flux.community.upkeep import Upkeep
from flux.community.users import endpoints as user_endpoints
from flux.community.users.service import UserService
from flux.community.voice import endpoints as voice_endpoints
from flux.community.voice.service import RegionService
from flux.kernel.house import House
from flux.kernel.identity import new_token
from flux.kernel.quota import Quota
from flux.kernel.store.migrations import MigrationSet
from flux.kernel.wire import Cors, Limits, Plane, Routes

MOUNT = "/community"
EXPOSED = (
    "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, X-RateLimit-Reset-After, X-RateLimit-Bucket, "
    "X-RateLimit-Global, Retry-After, X-Fluxer-Sudo-Mode-JWT, X-Request-Id"
)


def migrations() -> MigrationSet:
    return MigrationSet("community", Path(__file__).parent / "migrations")


def routes() -> Routes:
    rooms = (
        account_endpoints, bot_endpoints, change_endpoints, preference_endpoints, user_endpoints, note_endpoints, inbox_endpoints, loudness_endpoints,
        profile_endpoints, *identities.ROOMS, oauth2_endpoints, authorization_endpoints, guild_endpoints,
        role_endpoints,
        channel_endpoints, member_endpoints, invite_endpoints, ban_endpoints, message_endpoints,
        reaction_endpoints, withdrawing_endpoints, voice_endpoints, conversation_endpoints, relationship_endpoints, realtime_endpoints,
        admin_endpoints, instance_endpoints, *furnishing.ROOMS,
    )  # fmt: skip
    return Routes.joined(room.routes for room in rooms)


def build(house: House) -> Plane:
    plane = assemble(house)
    services = plane.services
    sweepers = (
        *identities.sweepers(plane),
        services[TokenService],
        services[InviteService],
        services[SendService],
    )
    Upkeep(house.db, *sweepers).schedule(house.jobs)
    house.jobs.handle(ERASE, services[Erasure].run)
    furnishing.schedule(plane, house.jobs)
    house.jobs.handle(WITHDRAW, services[WithdrawingService].run)
    house.jobs.handle(EXPIRY, services[BanService].expire)
    return plane


def assemble(house: House) -> Plane:
    """The plane without its schedules: any number of them may stand in one house."""
    settings = house.settings.community
    plane = Plane(
        name="community",
        mount=MOUNT,
        title="Flux community",
        routes=routes(),
        faults=community,
        envelope=CommunityEnvelope(),
        implied=implied,
        strip=("/v1",),
        limits=Limits(body_seconds=house.settings.server.body_seconds, depth=house.settings.server.depth),
        cors=Cors(expose_headers=EXPOSED),
    )
    Builder(house, plane).build()
    texts = house.sandbox or house.settings.post.sms != "outbox"
    plane.provide(InstanceService(settings, house.public_url, MOUNT, texts=texts))
    return plane


async def demo(house: House) -> list[str]:
    """A small community to look around in; idempotent."""
    return await Demo(assemble(house), house.db).fill()


class Builder:
    """Wires the rooms. Each method makes one storey; services reach endpoints through `plane.provide`."""

    def __init__(self, house: House, plane: Plane) -> None:
        self.house = house
        self.plane = plane
        self.settings = house.settings.community
        self.announcer = Announcer(house.bus)
        self.quota = Quota(house.clock)

    def build(self) -> None:
        self._people()
        self.files = furnish(self.house, self.plane, self.users, self.where, self.announcer)
        self._places()
        self._speech()
        self._doors()
        self._realtime()

    def _people(self) -> None:
        house, settings = self.house, self.settings
        self.users = UserService(house.db, house.clock, house.ids, self.announcer)
        self.where = StandingService(house.db, house.clock)
        self.sessions = SessionService(house.db, house.clock, self.users, self.announcer, settings.limits)
        self.private = PrivateChannels(
            house.db, house.clock, house.ids, self.users, self.where, self.announcer, settings.limits
        )
        self.mails = Mails(house.post, house.clock, self.users, house.public_url + MOUNT)
        self.identities = Identities(
            house, self.plane, self.users, self.sessions, self.mails, self.private, self.quota
        )
        self.identities.build()
        self.plane.provide(self.users, self.sessions, self.private)

    def _places(self) -> None:
        house, limits = self.house, self.settings.limits
        self.roles = RoleService(house.db, house.ids, self.where, self.files.audit, self.announcer, limits)
        overwrites = Overwrites(limits)
        self.regions = RegionService(self.where, self.settings.voice)
        self.plane.provide(self.regions)
        self.channels = ChannelService(
            house.db, house.clock, house.ids, self.where, self.private, overwrites, self.regions,
            self.files.audit, self.announcer,
            limits,
        )  # fmt: skip
        self.joining = Joining(house.clock, self.users, self.announcer, limits)
        self.members = MemberService(
            house.db, house.clock, self.users, self.where, self.roles, self.joining, self.files.audit,
            self.files.assets, self.announcer, limits,
        )  # fmt: skip
        self.guilds = GuildService(
            house.db, house.clock, house.ids, self.where, self.users, self.roles, self.channels, self.joining,
            self.files.assets, self.files.audit, self.announcer, self.settings,
        )  # fmt: skip
        self._wholes()

    def _wholes(self) -> None:
        """Guilds with all that is in them."""
        house = self.house
        self.vanity = VanityService(house.db, self.where, self.files.audit, self.announcer)
        self.states = GuildStates(
            house.db,
            self.where,
            self.roles,
            self.channels,
            self.members,
            self.files.emojis,
            self.files.stickers,
        )
        searching = SearchingService(house.db, self.where, self.members)
        ordering = OrderingService(
            house.db, self.where, self.files.audit, self.announcer, self.settings.limits
        )
        pruning = PruningService(
            house.db, house.clock, self.users, self.where, self.joining, self.files.audit
        )
        self.plane.provide(searching, ordering, pruning)
        self.plane.provide(self.roles, self.channels, self.members, self.guilds, self.vanity)

    def _speech(self) -> None:
        house, settings = self.house, self.settings
        base = house.public_url + MOUNT
        views = MessageViews(self.users, self.files.emojis, base, settings.kept_page_bytes)
        composing = Composing(settings, self.roles)
        self.mentions = MentionService(house.db)
        writing = Writing(house.ids, views, self.mentions, self.announcer)
        self.welcome = Welcome(self.where, writing)
        linking = preview(house, self.plane, self.where, views, writing)
        self.relationships = RelationshipService(
            house.db, house.clock, self.users, self.members, self.announcer, settings.limits
        )
        send = SendService(
            house.db, house.clock, self.where, views, writing, self.relationships, self.private, self.announcer,
            composing, self.files.uploads, self.files.stickers, linking,
        )  # fmt: skip
        self.conversations = ConversationService(
            house.db, house.clock, self.users, self.where, self.private, self.relationships, writing, self.announcer,
            settings.limits,
        )  # fmt: skip
        groups = GroupService(house.db, self.where, self.private, self.files.assets, writing)
        messages = MessageService(
            house.db, house.clock, self.where, views, writing, composing, self.files.uploads, self.files.audit, linking,
        )  # fmt: skip
        ghost = GhostwritingService(
            house.db, house.clock, self.where, views, writing, composing, self.files.uploads, linking
        )
        hang(self.house, self.plane, self.users, self.where, self.announcer, self.files, ghost)
        self.plane.provide(self.relationships, send, self.conversations, groups, messages)
        self._marks(messages, views, writing)

    def _marks(self, messages: MessageService, views: MessageViews, writing: Writing) -> None:
        """What people do with messages."""
        house, limits = self.house, self.settings.limits
        self._keep(messages, views)
        pins = PinService(
            house.db, house.clock, self.where, messages, views, writing, self.files.audit, limits
        )
        reactions = ReactionService(
            house.db, house.clock, self.users, self.where, messages, writing, self.files.emojis, limits
        )
        bookmarks = BookmarkService(
            house.db, house.clock, self.users, self.where, messages, views, self.announcer, limits
        )
        withdrawing = WithdrawingService(
            house.db, house.clock, house.jobs, self.users, self.where, writing, self.settings
        )
        self.plane.provide(pins, reactions, bookmarks, withdrawing)

    def _keep(self, messages: MessageService, views: MessageViews) -> None:
        """What people keep for themselves."""
        house = self.house
        self.notes = NoteService(house.db, self.users, self.announcer)
        self.loudness = LoudnessService(house.db, self.users, self.where, self.announcer)
        self.inbox = InboxService(
            house.db, house.clock, self.where, self.members, self.mentions, messages, views, self.announcer
        )
        self.pinned = PinnedService(house.db, house.clock, self.where, messages, self.announcer)
        profiles = ProfileService(house.db, self.users, self.where, self.members, self.relationships)
        self.plane.provide(profiles, self.notes, self.loudness, self.inbox, self.pinned)

    def _doors(self) -> None:
        house = self.house
        self.bans = BanService(
            house.db, house.clock, self.users, self.where, self.joining, Purging(self.announcer), self.files.audit,
            self.announcer, house.jobs,
        )  # fmt: skip
        self.plane.provide(self.bans)
        applications = ApplicationService(
            house.db,
            house.clock,
            house.ids,
            self.users,
            self.members,
            self.joining,
            self.where,
            self.announcer,
        )
        consent = ConsentService(
            house.db, house.clock, self.users, applications, self.where, self.roles, self.members, self.joining,
            self.welcome, self.files.audit, house.public_url,
        )  # fmt: skip
        grants = TokenService(house.db, house.clock, self.users, applications)
        self.plane.provide(applications, consent, grants)
        self._above(applications, grants)

    def _above(self, applications: ApplicationService, grants: TokenService) -> None:
        """What stands above every account: its end, its operator, the gate."""
        house = self.house
        addresses = AddressBans(house.db, house.bus, house.clock)
        people = self.identities
        erasure = Erasure(
            house.db, house.clock, house.jobs, self.users, self.where, self.sessions, people.login, people.factors,
            people.passkeys, self.members, self.joining, self.relationships, grants,
        )  # fmt: skip
        account = AccountService(
            house.db, house.clock, self.users, self.sessions, people.emails, self.mails, self.where, erasure,
            self.files.assets, self.members, self.settings,
        )  # fmt: skip
        admin = AdminService(
            house.db,
            house.clock,
            self.users,
            self.sessions,
            people.factors,
            people.passkeys,
            erasure,
            self.guilds,
        )
        self.gatekeeper = Gatekeeper(
            house, self.users, self.sessions, people.admission, applications, grants, addresses, self.quota
        )
        self.plane.gate = self.gatekeeper.admit
        self.plane.on_start.append(addresses.load)
        self.plane.provide(addresses, erasure, account, admin)

    def _realtime(self) -> None:
        house, limits = self.house, self.settings.realtime
        presence = Presence(house.bus, new_token(8))
        statuses = Statuses(
            presence, house.clock, self.users, self.relationships, self.private, self.files.emojis, self.announcer
        )  # fmt: skip
        ready = ReadyMaker(
            self.users, self.states, self.private, self.relationships, self.notes, self.loudness, self.inbox, self.pinned, statuses,
            self.regions,
        )  # fmt: skip
        lists = MemberLists(self.users, self.members, self.roles, self.states, presence)
        hub = Hub(
            house.bus, house.clock, self.users, self.members, self.states, ready, statuses,
            Rosters(presence, self.announcer), lists, Neighbours(house.bus, house.clock, limits), limits,
        )  # fmt: skip
        group_invites = GroupInvites(
            house.db, house.clock, self.users, self.where, self.conversations, self.announcer, self.settings.limits
        )  # fmt: skip
        invites = InviteService(
            house.db, house.clock, self.users, self.where, self.joining, self.bans, self.welcome, hub, self.vanity,
            group_invites, self.files.audit, self.announcer, self.settings.limits,
        )  # fmt: skip
        gateway = Gateway(hub, self.gatekeeper.identify, lists, self.quota, house.clock)
        self.plane.on_start.append(hub.start)
        self.plane.on_drain.append(hub.drain)
        self.plane.on_stop.append(hub.stop)
        self.plane.provide(invites, gateway, statuses)
        correct_what_is_late(house.bus, self.plane.services, self.where)
