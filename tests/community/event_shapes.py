"""What each dispatch event looks like, in the notation of the wire contract: `name?` may be absent, `|null` may be null,
`[x]` is a list, and what is not named may not be there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

USER = "id:sf username:str discriminator:tag global_name:str|null avatar:str|null avatar_color:int|null bot?:bool system?:bool flags:int"
SESSION = "session_id:str status:str mobile:bool afk:bool"
CUSTOM = "text:str|null expires_at:ts|null emoji_id:sf|null emoji_name:str|null emoji_animated:bool"
OVERWRITE = "id:sf type:int allow:bits deny:bits"
CHANNEL = """id:sf guild_id?:sf name?:str|null topic?:str|null url?:str|null icon?:str|null owner_id?:sf|null type:int position?:int
parent_id?:sf|null bitrate?:int|null user_limit?:int|null rtc_region?:str|null last_message_id?:sf|null last_pin_timestamp?:ts|null
permission_overwrites?:[OVERWRITE] recipients?:[USER] nsfw?:bool rate_limit_per_user?:int nicks?:any"""
MEMBER = """user:USER nick?:str|null avatar?:str|null banner?:str|null accent_color?:int|null roles:[sf] joined_at:ts mute:bool
deaf:bool communication_disabled_until?:ts|null profile_flags?:int|null guild_id?:sf"""
ROLE = """id:sf name:str color:int position:int hoist_position?:int|null permissions:bits hoist:bool mentionable:bool
unicode_emoji?:str|null managed?:bool"""
EMOJI = "id?:sf|null name:str animated?:bool"
REACTION = "user_id:sf emoji:EMOJI session_id?:str member?:MEMBER"
MESSAGE = """id:sf channel_id:sf author:USER webhook_id?:sf|null type:int flags:int content:str timestamp:ts
edited_timestamp?:ts|null pinned:bool mention_everyone:bool tts?:bool mentions?:[USER]|null mention_roles?:[sf]|null
embeds?:[any]|null attachments?:[any]|null stickers?:[any]|null reactions?:[any]|null message_reference?:any
message_snapshots?:[any]|null nonce?:str|null call?:any referenced_message?:any"""
TOLD_MESSAGE = MESSAGE + " channel_type?:int guild_id?:sf member?:MEMBER"
PRESENCE = "user:USER status:str mobile:bool afk:bool custom_status:CUSTOM|null guild_id?:sf"
RELATIONSHIP = "id:sf type:int user:USER since?:ts nickname:str|null"
GUILD = """id:sf name:str icon?:str|null banner?:str|null banner_width?:int|null banner_height?:int|null splash?:str|null
splash_width?:int|null splash_height?:int|null splash_card_alignment:int embed_splash?:str|null embed_splash_width?:int|null
embed_splash_height?:int|null vanity_url_code?:str|null owner_id:sf system_channel_id?:sf|null system_channel_flags:int
rules_channel_id?:sf|null afk_channel_id?:sf|null afk_timeout:int features:[str] verification_level:int mfa_level:int nsfw_level:int
explicit_content_filter:int default_message_notifications:int disabled_operations:int message_history_cutoff?:ts|null
permissions?:bits|null member_count?:int"""
STATE = (
    """properties:GUILD channels:[CHANNEL] roles:[ROLE] emojis:[any] stickers:[any] members:[MEMBER] member_count:int
online_count:int presences:[any] voice_states:[any] joined_at:ts """
    + GUILD
)
READY_STATE = STATE.replace("[MEMBER]", "[NAMED_MEMBER]")
NAMED_MEMBER = MEMBER.replace("user:USER", "user:NAMED")
NAMED = "id:sf"
REGION = "id:str name:str emoji:str"
READ_STATE = "id:sf mention_count:int last_message_id:sf|null last_pin_timestamp:ts|null"
GROUP = "id:str count:int"

READY = """version:int session_id:str user:any guilds:[READY_STATE] users:[USER] private_channels:[CHANNEL] relationships:[BARE_RELATIONSHIP]
presences:[PRESENCE] sessions:[SESSION] user_settings:any user_guild_settings:[any] read_states:[READ_STATE] notes:any
pinned_dms:[sf] favorite_memes:[any] country_code:str rtc_regions:[REGION] auth_session_id_hash?:str resume_gateway_url?:str"""
BARE_RELATIONSHIP = RELATIONSHIP.replace(" user:USER", "")

EVENTS = {
    "READY": "READY",
    "SESSIONS_REPLACE": "[SESSION]",
    "AUTH_SESSION_CHANGE": "{old_auth_session_id_hash:str new_auth_session_id_hash:str new_token:str}",
    "USER_PINNED_DMS_UPDATE": "[sf]",
    "USER_NOTE_UPDATE": "{id:sf note:str}",
    "RECENT_MENTION_DELETE": "{message_id:sf}",
    "SAVED_MESSAGE_CREATE": "MESSAGE",
    "SAVED_MESSAGE_DELETE": "{message_id:sf}",
    "RELATIONSHIP_ADD": "RELATIONSHIP",
    "RELATIONSHIP_UPDATE": "RELATIONSHIP",
    "RELATIONSHIP_REMOVE": "{id:sf}",
    "PRESENCE_UPDATE": "PRESENCE",
    "GUILD_CREATE": "STATE",
    "GUILD_SYNC": "STATE",
    "GUILD_UPDATE": "TOLD_GUILD",
    "GUILD_DELETE": "{id:sf unavailable?:bool}",
    "GUILD_MEMBER_ADD": "TOLD_MEMBER",
    "GUILD_MEMBER_UPDATE": "TOLD_MEMBER",
    "GUILD_MEMBER_REMOVE": "{guild_id:sf user:USER}",
    "GUILD_MEMBERS_CHUNK": (
        "{guild_id:sf members:[MEMBER] chunk_index:int chunk_count:int presences?:[PRESENCE] nonce?:str}"
    ),
    "GUILD_MEMBER_LIST_UPDATE": (
        "{guild_id:sf id:str channel_id:sf member_count:int online_count:int groups:[GROUP] ops:[any]}"
    ),
    "PASSIVE_UPDATES": "{guild_id:sf channels:any}",
    "GUILD_ROLE_CREATE": "{guild_id:sf role:ROLE}",
    "GUILD_ROLE_UPDATE": "{guild_id:sf role:ROLE}",
    "GUILD_ROLE_UPDATE_BULK": "{guild_id:sf roles:[ROLE]}",
    "GUILD_ROLE_DELETE": "{guild_id:sf role_id:sf}",
    "GUILD_EMOJIS_UPDATE": "{guild_id:sf emojis:[any]}",
    "GUILD_STICKERS_UPDATE": "{guild_id:sf stickers:[any]}",
    "GUILD_BAN_ADD": "{guild_id:sf user:USER}",
    "GUILD_BAN_REMOVE": "{guild_id:sf user:USER}",
    "CHANNEL_CREATE": "CHANNEL",
    "CHANNEL_UPDATE": "CHANNEL",
    "CHANNEL_DELETE": "CHANNEL",
    "CHANNEL_UPDATE_BULK": "{guild_id:sf channels:[CHANNEL]}",
    "CHANNEL_PINS_UPDATE": "{channel_id:sf last_pin_timestamp:ts|null guild_id?:sf}",
    "CHANNEL_PINS_ACK": "{channel_id:sf timestamp:ts|null}",
    "CHANNEL_RECIPIENT_ADD": "{channel_id:sf user:USER}",
    "CHANNEL_RECIPIENT_REMOVE": "{channel_id:sf user:USER}",
    "MESSAGE_CREATE": "TOLD_MESSAGE",
    "MESSAGE_UPDATE": "TOLD_MESSAGE",
    "MESSAGE_DELETE": "{id:sf channel_id:sf content?:str author_id?:sf guild_id?:sf member?:MEMBER}",
    "MESSAGE_DELETE_BULK": "{ids:[sf] channel_id:sf guild_id?:sf}",
    "MESSAGE_REACTION_ADD": "{channel_id:sf message_id:sf guild_id?:sf +REACTION}",
    "MESSAGE_REACTION_REMOVE": "{channel_id:sf message_id:sf guild_id?:sf +REACTION}",
    "MESSAGE_REACTION_ADD_MANY": "{channel_id:sf message_id:sf guild_id?:sf reactions:[REACTION]}",
    "MESSAGE_REACTION_REMOVE_ALL": "{channel_id:sf message_id:sf guild_id?:sf}",
    "MESSAGE_REACTION_REMOVE_EMOJI": "{channel_id:sf message_id:sf emoji:EMOJI guild_id?:sf}",
    "MESSAGE_ACK": "{channel_id:sf message_id:sf mention_count:int manual?:bool}",
    "TYPING_START": "{channel_id:sf user_id:sf timestamp:int member?:MEMBER guild_id?:sf}",
    "WEBHOOKS_UPDATE": "{guild_id:sf channel_id:sf}",
    "INVITE_DELETE": "{code:str channel_id?:sf guild_id?:sf}",
}
TOLD_MEMBER = MEMBER.replace("guild_id?", "guild_id")
TOLD_GUILD = GUILD + " guild_id?:sf"

PLAIN = {
    "sf": re.compile(r"0|[1-9]\d{0,19}"),
    "bits": re.compile(r"0|[1-9]\d{0,19}"),
    "tag": re.compile(r"\d{4}"),
    "ts": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"),
    "str": re.compile(r".*", re.DOTALL),
}


def misfits(event: str, data: Any) -> list[str]:
    """What is not as the contract has it. Events that it leaves to other objects fit."""
    return list(_differences(EVENTS[event], data, event)) if event in EVENTS else []


def _differences(kind: str, value: Any, at: str) -> Iterator[str]:
    optional = kind.endswith("|null")
    kind = kind.removesuffix("|null")
    if kind == "any" or (optional and value is None):
        return
    if kind.startswith("["):
        if not isinstance(value, list):
            yield f"{at}: {value!r} is no list"
            return
        for index, each in enumerate(value):
            yield from _differences(kind[1:-1], each, f"{at}[{index}]")
    elif kind.startswith("{") or kind.isupper():
        yield from _fields(kind.strip("{}") if kind.startswith("{") else globals()[kind], value, at)
    elif kind in PLAIN:
        if not isinstance(value, str) or not PLAIN[kind].fullmatch(value):
            yield f"{at}: {value!r} is no {kind}"
    elif type(value) is not {"int": int, "bool": bool}[kind]:
        yield f"{at}: {value!r} is no {kind}"


def _fields(notation: str, value: Any, at: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{at}: {value!r} is no object"
        return
    known = set()
    words = " ".join(globals()[word[1:]] if word[0] == "+" else word for word in notation.split())
    for word in words.split():
        name, _, kind = word.partition(":")
        required = not name.endswith("?")
        known.add(name := name.removesuffix("?"))
        if name in value:
            yield from _differences(kind, value[name], f"{at}.{name}")
        elif required:
            yield f"{at}.{name} is missing"
    for name in value.keys() - known:
        yield f"{at}.{name} is not in the contract"
