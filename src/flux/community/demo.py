"""A small believable community, for looking around: four people, a guild, a few channels, some talk, a bot."""

from __future__ import annotations

from flux.community.auth.admission import Origin
from flux.community.auth.register import RegisterService
from flux.community.auth.schemas import Register
from flux.community.channels.schemas import ChannelCreate
from flux.community.channels.service import ChannelService
from flux.community.guilds.schemas import GuildCreate
from flux.community.guilds.service import GuildService
from flux.community.inputs import Permissions
from flux.community.invites.schemas import InviteCreate
from flux.community.invites.service import InviteService
from flux.community.members.service import MemberService
from flux.community.messages.pins import PinService
from flux.community.messages.schemas import EmbedField, MessageCreate, ReferenceInput, RichEmbed
from flux.community.messages.send import SendService
from flux.community.oauth2.applications import ApplicationService
from flux.community.oauth2.consent import ConsentService
from flux.community.oauth2.schemas import ApplicationCreate, Consent
from flux.community.principals import Principal
from flux.community.roles.schemas import RoleCreate
from flux.community.roles.service import RoleService
from flux.community.standing import records, rules
from flux.community.users.records import UserRow
from flux.community.users.service import UserService
from flux.kernel.store import Database, Transaction
from flux.kernel.wire import Plane, Snowflake

PASSWORD = "lighthouse keepers"  # noqa: S105
ORIGIN = Origin("127.0.0.1", "flux-demo", "desktop")
PEOPLE = (
    ("ada", "Ada", "1985-12-10"),
    ("grace", "Grace", "1986-12-09"),
    ("alan", "Alan", "1992-06-23"),
    ("katherine", "Katherine", "1988-08-26"),
)
CHANNELS = (("announcements", "What everybody should know"), ("workshop", "Lenses, lamps and clockwork"))
TALK = (
    ("ada", "Morning, everyone. The new lamp is in: 40 watts less, two miles more."),
    ("grace", "Nice. Did the clockwork survive the move?"),
    ("ada", "It did, but it loses four seconds an hour. Katherine, could you look at the numbers?"),
    ("katherine", "On it. My guess is the damper, not the spring."),
    (
        "alan",
        "If it is the damper I have a spare one in the shed. **Please** don't open the spring case again.",
    ),
    ("katherine", "Confirmed, it was the damper: 0.2 s an hour now. Thanks @everyone for the patience!"),
)


class Demo:
    """Uses the plane's own services, so what it makes is what people would make."""

    def __init__(self, plane: Plane, db: Database) -> None:
        self._services = plane.services
        self._db = db
        self._users: UserService = self._services[UserService]

    async def fill(self) -> list[str]:
        """Lines to print. Nothing happens when it was filled before."""
        if await self._users.by_email(_mail("ada")) is not None:
            return [f"community: the demo is already there; log in as {_mail('ada')} / {PASSWORD}"]
        people = {name: await self._person(name, shown, born) for name, shown, born in PEOPLE}
        guild_id, general, code = await self._guild(people)
        await self._talk(people, general)
        token = await self._bot(people["ada"], guild_id, general)
        return [
            f"community: guild “The Lighthouse” ({guild_id}), invite {code}",
            f"community: log in as {', '.join(_mail(name) for name in people)} / {PASSWORD}",
            f"community: bot Foghorn, token {token}",
        ]

    async def _person(self, name: str, shown: str, born: str) -> UserRow:
        register: RegisterService = self._services[RegisterService]
        body = Register(
            email=_mail(name),
            username=name,
            global_name=shown,
            password=PASSWORD,
            date_of_birth=born,
            consent=True,
        )
        issued = await register.register(body, ORIGIN)

        async def work(tx: Transaction) -> UserRow:
            return await self._users.set(tx, int(issued.user_id), email_verified=1)

        return await self._db.transact(work)

    async def _guild(self, people: dict[str, UserRow]) -> tuple[int, int, str]:
        """The guild, its first text channel and an invite."""
        guilds: GuildService = self._services[GuildService]
        channels: ChannelService = self._services[ChannelService]
        invites: InviteService = self._services[InviteService]
        ada = people["ada"]
        made = await guilds.create(Principal("user", ada), GuildCreate(name="The Lighthouse"))
        guild_id = int(made.id)
        shown = await channels.listing(ada, guild_id)
        general = next(int(each.id) for each in shown if each.type == records.TEXT)
        category = next(int(each.id) for each in shown if each.type == records.CATEGORY)
        for name, topic in CHANNELS:
            body = ChannelCreate(name=name, topic=topic, parent_id=Snowflake(category))
            await channels.create(ada, guild_id, body)
        invite = await invites.create(ada, general, InviteCreate(max_age=0))
        for someone in people.values():
            if someone is not ada:
                await invites.accept(someone, invite.code, ORIGIN.address)
        await self._keepers(ada, people["grace"], guild_id)
        return guild_id, general, invite.code

    async def _keepers(self, ada: UserRow, grace: UserRow, guild_id: int) -> None:
        """A role that may keep order."""
        roles: RoleService = self._services[RoleService]
        members: MemberService = self._services[MemberService]
        bits = Permissions(rules.MANAGE_MESSAGES | rules.PIN_MESSAGES | rules.KICK_MEMBERS)
        body = RoleCreate(name="Keepers", color=0xE67E22, hoist=True, permissions=bits)
        role = await roles.create(ada, guild_id, body)
        await members.change_role(ada, guild_id, grace.id, int(role.id), add=True)

    async def _talk(self, people: dict[str, UserRow], general: int) -> None:
        send: SendService = self._services[SendService]
        pins: PinService = self._services[PinService]
        last: Snowflake | None = None
        for number, (name, content) in enumerate(TALK):
            answers = None if number % 2 == 0 or last is None else ReferenceInput(message_id=last)
            said = await send.send(
                people[name], general, MessageCreate(content=content, message_reference=answers)
            )
            last = Snowflake(int(said.id))
        fields = [EmbedField("Light", "every 12 s", True), EmbedField("Range", "21 miles", True)]
        card = RichEmbed(title="Watch list", description="Grace until noon, Alan after.", fields=fields)
        said = await send.send(people["ada"], general, MessageCreate(embeds=[card]))
        await pins.pin(people["ada"], general, int(said.id))

    async def _bot(self, ada: UserRow, guild_id: int, general: int) -> str:
        applications: ApplicationService = self._services[ApplicationService]
        consent: ConsentService = self._services[ConsentService]
        send: SendService = self._services[SendService]
        made = await applications.create(ada, ApplicationCreate(name="Foghorn"))
        await consent.give(ada, Consent(client_id=made.id, scope="bot", guild_id=Snowflake(guild_id)))
        bot = await self._users.require(int(made.bot.id))
        await send.send(bot, general, MessageCreate(content="Visibility: 9 miles. No fog expected today."))
        return str(made.bot.token)


def _mail(name: str) -> str:
    return f"{name}@lighthouse.example"
