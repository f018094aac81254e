"""Who may do what in a guild: one line for every route that names a guild or a channel of one.

`need` is what the caller's roles must hold. The cases of routes that are not served yet are written down already; they
are tried as soon as the route is in the table (`test_guild_matrix.py`).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.community.actors import PASSWORD, Actor, Guild, Person, add_bot, admin, bot, guild, person

from flux.community import plane
from flux.community.principals import Auth
from flux.community.standing import rules as bits

OWNER = -1
"""Only the guild's owner; no permission helps."""
MEMBER = 0
"""Every member who sees the channel."""
BASE = bits.VIEW_CHANNEL | bits.READ_MESSAGE_HISTORY
"""What everybody has in the guild of the matrix."""
PNG = "data:image/png;base64," + (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)
assert base64.b64decode(PNG.partition(",")[2])
THUMB = "%F0%9F%91%8D"
NOTHING = [{"id": "{low_role}", "type": 0, "allow": "0", "deny": "0"}]
LATER = "2099-01-01T00:00:00.000Z"

Values = dict[str, str]
Maker = Callable[["Grounds"], Awaitable[Values]]


@dataclass
class Case:
    """One way to call a route. `make` prepares what a success uses up; it runs again only after one.

    `unless` is the code of the refusal; `instead` are codes that tell that the caller would have been let through.
    """

    route: str
    need: int
    body: Any = None
    make: Maker | None = None
    label: str = ""
    unless: str = "MISSING_PERMISSIONS"
    instead: tuple[str, ...] = ()
    query: str = ""
    values: Values | None = None

    @property
    def method(self) -> str:
        return self.route.partition(" ")[0]

    @property
    def path(self) -> str:
        return self.route.partition(" ")[2]

    @property
    def name(self) -> str:
        return f"{self.route} {self.label}".strip()

    @property
    def of_channel(self) -> bool:
        return "{channel_id}" in self.path


@dataclass
class Grounds:
    """The guild of the matrix. `probe` is a member and `robot` a bot whose only role is theirs alone."""

    owner: Person
    place: Guild
    probe: Person
    robot: Actor
    plain: Person
    chief: Person
    target: Person
    victim: Person
    outlaw: Person
    outsider: Person
    banned: Person
    probe_role: str
    robot_role: str
    low_role: str
    far_emoji: str
    far_sticker: str
    values: Values = field(default_factory=dict)
    cases: list[Case] = field(default_factory=list)

    async def grant(self, role_id: str, permissions: int) -> None:
        body = {"permissions": str(permissions)}
        await self.owner.ok("PATCH", f"/guilds/{self.place.id}/roles/{role_id}", body)

    async def channel(self) -> str:
        made = await self.owner.ok("POST", f"/guilds/{self.place.id}/channels", {"name": "brief", "type": 0})
        return str(made["id"])


async def grounds(server: Any) -> Grounds:
    owner, probe, plain, chief, target, victim, outlaw, outsider, banned = [
        await person(server) for _ in range(9)
    ]
    place = await guild(owner)
    await owner.ok("PATCH", f"/guilds/{place.id}/roles/{place.id}", {"permissions": str(BASE)})
    await place.admit(probe, plain, chief, target, victim)
    robot, application = await bot(owner)
    await add_bot(owner, application["id"], place.id)
    probe_role = await place.role(0, probe)
    robot_role = await place.role(0, robot)
    await place.role(bits.ADMINISTRATOR, chief)
    low_role = await place.role(0)
    # A new role goes below the others: those of the callers stand above the one they are to manage.
    order = [(low_role, 1), (probe_role, 3), (robot_role, 4)]
    body = [{"id": role_id, "position": position} for role_id, position in order]
    await owner.ok("PATCH", f"/guilds/{place.id}/roles", body)
    await owner.ok("PUT", f"/guilds/{place.id}/bans/{banned.id}", {})
    features = {"guild_id": place.id, "add_features": ["VANITY_URL"]}
    await admin(server).call("POST", "/admin/guilds/update-features", features)
    abroad = await guild(owner, "Elsewhere")
    await abroad.admit(probe, plain, chief)
    await add_bot(owner, application["id"], abroad.id)
    far = [
        (await owner.ok("POST", f"/guilds/{abroad.id}/{kind}", {"name": "far", "image": PNG}))["id"]
        for kind in ("emojis", "stickers")
    ]
    said = await place.say(owner, "the message")
    here = Grounds(
        owner, place, probe, robot, plain, chief, target, victim, outlaw, outsider, banned,
        probe_role, robot_role, low_role, *far,
    )  # fmt: skip
    here.values = {
        "guild_id": place.id, "channel_id": place.text, "message_id": said["id"], "role_id": low_role,
        "user_id": target.id, "overwrite_id": low_role, "emoji": THUMB,
    }  # fmt: skip
    here.cases = served()
    return here


# -- what a success uses up -----------------------------------------------------------------------------------


async def a_message(here: Grounds) -> Values:
    return {"message_id": (await here.place.say(here.owner))["id"]}


async def the_voice_channel(here: Grounds) -> Values:
    return {"channel_id": here.place.voice}


async def a_message_and_an_emoji_from_elsewhere(here: Grounds) -> Values:
    return {**await a_message(here), "emoji": f"far:{here.far_emoji}"}


async def a_pinned_message(here: Grounds) -> Values:
    made = await a_message(here)
    await here.owner.ok("PUT", f"/channels/{here.place.text}/pins/{made['message_id']}")
    return made


async def a_channel(here: Grounds) -> Values:
    return {"channel_id": await here.channel()}


async def a_role(here: Grounds) -> Values:
    return {"role_id": await here.place.role(0)}


async def an_overwrite(here: Grounds) -> Values:
    where = f"/channels/{here.place.text}/permissions/{here.low_role}"
    await here.owner.ok("PUT", where, {"type": 0, "allow": "0", "deny": "0"})
    return {}


async def somebody_to_kick(here: Grounds) -> Values:
    await here.place.admit(here.victim)
    return {"user_id": here.victim.id}


async def somebody_to_ban(here: Grounds) -> Values:
    return {"user_id": here.outlaw.id}


async def somebody_banned(here: Grounds) -> Values:
    await here.owner.ok("PUT", f"/guilds/{here.place.id}/bans/{here.outlaw.id}", {})
    return {"user_id": here.outlaw.id}


async def a_guild(here: Grounds) -> Values:
    return {"guild_id": (await guild(here.owner, "Brief")).id}


async def a_guild_with_an_heir(here: Grounds) -> Values:
    other = await guild(here.owner, "Handed over")
    await other.admit(here.target)
    return {"guild_id": other.id}


async def a_webhook(here: Grounds) -> Values:
    body = {"name": "hook"}
    made = await here.owner.ok("POST", f"/channels/{here.place.text}/webhooks", body)
    return {"webhook_id": made["id"]}


async def an_emoji(here: Grounds) -> Values:
    body = {"name": "dot", "image": PNG}
    return {"emoji_id": (await here.owner.ok("POST", f"/guilds/{here.place.id}/emojis", body))["id"]}


async def a_sticker(here: Grounds) -> Values:
    body = {"name": "dotted", "image": PNG}
    return {"sticker_id": (await here.owner.ok("POST", f"/guilds/{here.place.id}/stickers", body))["id"]}


# -- the cases ------------------------------------------------------------------------------------------------

GUILD, CHANNEL = "/guilds/{guild_id}", "/channels/{channel_id}"
MESSAGE = CHANNEL + "/messages/{message_id}"
NOT_IN_VOICE = ("USER_NOT_IN_VOICE",)


def cases() -> list[Case]:
    return [
        *_guild_cases(),
        *_role_cases(),
        *_member_cases(),
        *_channel_cases(),
        *_message_cases(),
        *_expressions(),
    ]


def _guild_cases() -> list[Case]:
    return [
        Case(f"GET {GUILD}", MEMBER),
        Case(f"PATCH {GUILD}", bits.MANAGE_GUILD, {"name": "Renamed"}),
        Case(f"DELETE {GUILD}", OWNER, {"password": PASSWORD}, make=a_guild),
        Case(f"POST {GUILD}/delete", OWNER, {"password": PASSWORD}, make=a_guild),
        Case(
            f"POST {GUILD}/transfer-ownership", OWNER,
            {"new_owner_id": "{target}", "password": PASSWORD}, make=a_guild_with_an_heir,
        ),
        Case(f"GET {GUILD}/channels", MEMBER),
        Case(f"POST {GUILD}/channels", bits.MANAGE_CHANNELS, {"name": "made", "type": 0}),
        Case(
            f"POST {GUILD}/channels", bits.MANAGE_CHANNELS | bits.MANAGE_ROLES,
            {"name": "made", "type": 0, "permission_overwrites": NOTHING}, label="with overwrites",
        ),
        Case(f"PATCH {GUILD}/channels", bits.MANAGE_CHANNELS, [{"id": "{text}", "position": 0}]),
        Case(f"GET {GUILD}/invites", bits.MANAGE_GUILD),
        Case(f"GET {GUILD}/audit-logs", bits.VIEW_AUDIT_LOG),
        Case(f"GET {GUILD}/vanity-url", bits.MANAGE_GUILD),
        Case(f"PATCH {GUILD}/vanity-url", bits.MANAGE_GUILD, {"code": None}),
        Case(f"GET {GUILD}/webhooks", bits.MANAGE_WEBHOOKS),
        Case("GET /webhooks/{webhook_id}", bits.MANAGE_WEBHOOKS, make=a_webhook),
        Case("PATCH /webhooks/{webhook_id}", bits.MANAGE_WEBHOOKS, {"name": "other"}, make=a_webhook),
        Case("DELETE /webhooks/{webhook_id}", bits.MANAGE_WEBHOOKS, make=a_webhook),
        Case(f"GET {GUILD}/bans", bits.BAN_MEMBERS),
        Case(f"PUT {GUILD}/bans/{{user_id}}", bits.BAN_MEMBERS, {}, make=somebody_to_ban),
        Case(f"DELETE {GUILD}/bans/{{user_id}}", bits.BAN_MEMBERS, make=somebody_banned),
    ]  # fmt: skip


def _role_cases() -> list[Case]:
    role = GUILD + "/roles/{role_id}"
    return [
        Case(f"GET {GUILD}/roles", MEMBER),
        Case(f"POST {GUILD}/roles", bits.MANAGE_ROLES, {"name": "made", "permissions": "0"}),
        Case(f"PATCH {GUILD}/roles", bits.MANAGE_ROLES, [{"id": "{low_role}", "position": 1}]),
        Case(
            f"PATCH {GUILD}/roles/hoist-positions",
            bits.MANAGE_ROLES,
            [{"id": "{low_role}", "hoist_position": 1}],
        ),
        Case(f"DELETE {GUILD}/roles/hoist-positions", bits.MANAGE_ROLES),
        Case(f"PATCH {role}", bits.MANAGE_ROLES, {"name": "changed"}),
        Case(f"DELETE {role}", bits.MANAGE_ROLES, make=a_role),
        Case(f"PUT {GUILD}/members/{{user_id}}/roles/{{role_id}}", bits.MANAGE_ROLES),
        Case(f"DELETE {GUILD}/members/{{user_id}}/roles/{{role_id}}", bits.MANAGE_ROLES),
    ]


def _member_cases() -> list[Case]:
    member = GUILD + "/members/{user_id}"
    return [
        Case(f"GET {GUILD}/members", MEMBER),
        Case(f"POST {GUILD}/members-search", bits.MANAGE_GUILD, {}),
        Case(f"GET {GUILD}/prune", bits.KICK_MEMBERS),
        Case(f"POST {GUILD}/prune", bits.KICK_MEMBERS, {}),
        Case(f"GET {GUILD}/members/@me", MEMBER),
        Case(f"PATCH {GUILD}/members/@me", bits.CHANGE_NICKNAME, {"nick": "Me"}),
        Case(f"GET {member}", MEMBER),
        Case(f"PATCH {member}", bits.MANAGE_NICKNAMES, {"nick": "You"}, label="nick"),
        Case(f"PATCH {member}", bits.MANAGE_ROLES, {"roles": ["{low_role}"]}, label="roles"),
        Case(f"PATCH {member}", bits.MUTE_MEMBERS, {"mute": True}, label="mute", instead=NOT_IN_VOICE),
        Case(f"PATCH {member}", bits.DEAFEN_MEMBERS, {"deaf": True}, label="deaf", instead=NOT_IN_VOICE),
        Case(f"PATCH {member}", bits.MOVE_MEMBERS, {"channel_id": "{voice}"}, label="move", instead=NOT_IN_VOICE),
        Case(
            f"PATCH {member}", bits.MODERATE_MEMBERS, {"communication_disabled_until": LATER}, label="timeout",
            instead=("VALIDATION_ERROR",),
        ),
        Case(f"DELETE {member}", bits.KICK_MEMBERS, make=somebody_to_kick),
    ]  # fmt: skip


def _channel_cases() -> list[Case]:
    overwrite = CHANNEL + "/permissions/{overwrite_id}"
    return [
        Case(f"GET {CHANNEL}", MEMBER),
        Case(f"PATCH {CHANNEL}", bits.MANAGE_CHANNELS, {"topic": "changed"}),
        Case(f"PATCH {CHANNEL}", bits.MANAGE_ROLES, {"permission_overwrites": NOTHING}, label="overwrites"),
        Case(
            f"PATCH {CHANNEL}", bits.UPDATE_RTC_REGION, {"rtc_region": None}, make=the_voice_channel, label="region"
        ),
        Case(f"DELETE {CHANNEL}", bits.MANAGE_CHANNELS, make=a_channel),
        Case(f"PUT {overwrite}", bits.MANAGE_ROLES, {"type": 0, "allow": "0", "deny": "0"}),
        Case(f"DELETE {overwrite}", bits.MANAGE_ROLES, make=an_overwrite),
        Case(f"GET {CHANNEL}/invites", bits.MANAGE_CHANNELS),
        Case(f"POST {CHANNEL}/invites", bits.CREATE_INSTANT_INVITE, {}),
        Case(f"GET {CHANNEL}/webhooks", bits.MANAGE_WEBHOOKS),
        Case(f"POST {CHANNEL}/webhooks", bits.MANAGE_WEBHOOKS, {"name": "hook"}),
        Case(f"POST {CHANNEL}/typing", bits.SEND_MESSAGES),
    ]  # fmt: skip


def _message_cases() -> list[Case]:
    reactions = MESSAGE + "/reactions"
    edited = "CANNOT_EDIT_OTHER_USER_MESSAGE"
    return [
        Case(f"GET {CHANNEL}/messages", MEMBER),
        Case(f"POST {CHANNEL}/messages", bits.SEND_MESSAGES, {"content": "said"}),
        Case(
            f"POST {CHANNEL}/messages", bits.SEND_MESSAGES | bits.SEND_TTS_MESSAGES, {"content": "said", "tts": True},
            label="aloud",
        ),
        Case(
            f"POST {CHANNEL}/messages", bits.SEND_MESSAGES | bits.USE_EXTERNAL_STICKERS,
            {"sticker_ids": ["{far_sticker}"]}, label="a sticker from elsewhere",
        ),
        Case(f"POST {CHANNEL}/messages/bulk-delete", bits.MANAGE_MESSAGES, {"message_ids": ["1"]}),
        Case(f"GET {MESSAGE}", MEMBER),
        Case(f"PATCH {MESSAGE}", bits.MANAGE_MESSAGES, {"flags": 4}, label="flags", unless=edited),
        Case(f"DELETE {MESSAGE}", bits.SEND_MESSAGES | bits.MANAGE_MESSAGES, make=a_message),
        Case(f"POST {MESSAGE}/ack", MEMBER, {}),
        Case(f"DELETE {CHANNEL}/messages/ack", MEMBER),
        Case(f"GET {CHANNEL}/messages/pins", MEMBER),
        Case(f"GET {CHANNEL}/pins", MEMBER),
        Case(f"POST {CHANNEL}/pins/ack", MEMBER, {}),
        Case(f"PUT {CHANNEL}/pins/{{message_id}}", bits.PIN_MESSAGES, make=a_message),
        Case(f"DELETE {CHANNEL}/pins/{{message_id}}", bits.PIN_MESSAGES, make=a_pinned_message),
        Case(f"DELETE {reactions}", bits.MANAGE_MESSAGES),
        Case(f"GET {reactions}/{{emoji}}", MEMBER),
        Case(f"DELETE {reactions}/{{emoji}}", bits.MANAGE_MESSAGES),
        Case(f"PUT {reactions}/{{emoji}}/@me", bits.ADD_REACTIONS, make=a_message),
        Case(
            f"PUT {reactions}/{{emoji}}/@me", bits.ADD_REACTIONS | bits.USE_EXTERNAL_EMOJIS,
            make=a_message_and_an_emoji_from_elsewhere, label="from elsewhere",
        ),
        Case(f"DELETE {reactions}/{{emoji}}/@me", MEMBER),
        Case(f"DELETE {reactions}/{{emoji}}/{{user_id}}", bits.MANAGE_MESSAGES),
    ]  # fmt: skip


def _expressions() -> list[Case]:
    emoji, sticker = GUILD + "/emojis/{emoji_id}", GUILD + "/stickers/{sticker_id}"
    image = {"name": "dot", "image": PNG}
    return [
        Case(f"GET {GUILD}/emojis", MEMBER),
        Case(f"POST {GUILD}/emojis", bits.CREATE_EXPRESSIONS, image),
        Case(f"POST {GUILD}/emojis/bulk", bits.CREATE_EXPRESSIONS, {"emojis": [image]}),
        Case(f"GET {emoji}", MEMBER, make=an_emoji),
        Case(f"PATCH {emoji}", bits.MANAGE_EXPRESSIONS, {"name": "spot"}, make=an_emoji),
        Case(f"DELETE {emoji}", bits.MANAGE_EXPRESSIONS, make=an_emoji),
        Case(f"GET {GUILD}/stickers", MEMBER),
        Case(f"POST {GUILD}/stickers", bits.CREATE_EXPRESSIONS, image),
        Case(f"POST {GUILD}/stickers/bulk", bits.CREATE_EXPRESSIONS, {"stickers": [image]}),
        Case(f"GET {sticker}", MEMBER, make=a_sticker),
        Case(f"GET {GUILD}/sticker/{{sticker_id}}", MEMBER, make=a_sticker),
        Case(f"PATCH {sticker}", bits.MANAGE_EXPRESSIONS, {"name": "spotted"}, make=a_sticker),
        Case(f"DELETE {sticker}", bits.MANAGE_EXPRESSIONS, make=a_sticker),
    ]


ELSEWHERE = {
    "PUT /channels/{channel_id}/recipients/{user_id}": "group conversations, no guild's channel: test_people.py",
    "DELETE /channels/{channel_id}/recipients/{user_id}": "group conversations, no guild's channel: test_people.py",
    "DELETE /channels/{channel_id}/messages/{message_id}/attachments/{attachment_id}": "the author's alone",
    "GET /channels/{channel_id}/rtc-regions": "of voice channels, not for bots: test_belongings.py",
    "GET /guilds/{guild}/users/{owner}/avatars/{file}": "pictures are for everybody who knows their name",
    "GET /guilds/{guild}/users/{owner}/banners/{file}": "the same",
    "GET /invites/{invite_code}": "for everybody",
    "POST /invites/{invite_code}": "for everybody with an account",
    "DELETE /invites/{invite_code}": "either of two permissions: test_either_manager_takes_an_invite_back",
}
OF_A_GUILD = ("/guilds/{", "/channels/{", "/webhooks/{", "/invites/{")


def _bare(route: str) -> str:
    return re.sub(r"{\w+}", "{}", route)


def table() -> dict[str, str]:
    """Every served route of a guild or a channel that asks who is calling, by its name without the parameters' names.
    What somebody keeps about a guild for themselves (`/users/@me/…`) is nobody else's business."""
    found = {}
    for route in plane.routes():
        if route.path.startswith(OF_A_GUILD) and isinstance(route.auth, Auth) and route.auth.required:
            found[_bare(route.name)] = route.name
    return found


def served() -> list[Case]:
    here = table()
    return [case for case in cases() if _bare(case.route) in here]


def unheard_of(names: Iterable[str]) -> list[str]:
    """The routes of a guild among these that no case and no line of `ELSEWHERE` speaks of. Who has a webhook's token is
    nobody in particular."""
    told = {_bare(case.route) for case in cases()} | {_bare(route) for route in ELSEWHERE}
    of_a_guild = [name for name in names if name.partition(" ")[2].startswith(OF_A_GUILD)]
    return sorted(name for name in of_a_guild if _bare(name) not in told and "{token}" not in name)
