"""Settings of the community plane: `FLUX_COMMUNITY__<NAME>`, nested ones with one more `__`.

Limits are named as the code they lead to, in lower case; their defaults are the published numbers.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct, field

from flux.settings.community_media import Media
from flux.settings.community_unfurling import Unfurling
from flux.settings.community_voice import Voice

MIB = 1_048_576


class CommunityLimits(Struct, frozen=True, kw_only=True):
    max_guilds: Annotated[int, Meta(ge=0, description="Guilds one account may be in.")] = 100
    max_guilds_premium: Annotated[int, Meta(ge=0, description="The same for premium accounts.")] = 200
    max_guild_members: Annotated[int, Meta(ge=1, description="Members of one guild.")] = 1_000_000
    max_guild_channels: Annotated[
        int, Meta(ge=1, description="Channels of one guild, categories included.")
    ] = 500
    max_guild_roles: Annotated[int, Meta(ge=1, description="Roles of one guild, @everyone included.")] = 250
    role_losses_told: Annotated[
        int,
        Meta(
            ge=0,
            description="Members of whom each gets a GUILD_MEMBER_UPDATE when a role of theirs is deleted; with more, GUILD_ROLE_DELETE alone tells it.",
        ),
    ] = 250
    max_category_channels: Annotated[int, Meta(ge=0, description="Channels in one category.")] = 50
    max_pins_per_channel: Annotated[int, Meta(ge=0, description="Pinned messages of one channel.")] = 50
    max_webhooks_per_channel: Annotated[int, Meta(ge=0, description="Webhooks of one channel.")] = 15
    max_webhooks_per_guild: Annotated[int, Meta(ge=0, description="Webhooks of one guild.")] = 1000
    max_invites: Annotated[int, Meta(ge=0, description="Invites of one guild.")] = 1000
    max_friends: Annotated[
        int, Meta(ge=0, description="Relationships of one account: friends, requests, blocks.")
    ] = 1000
    max_group_dms: Annotated[int, Meta(ge=0, description="Group conversations one account is in.")] = 150
    max_group_dm_recipients: Annotated[
        int, Meta(ge=2, description="People in a group conversation, its creator included.")
    ] = 10
    max_private_channels: Annotated[
        int, Meta(ge=1, description="Open conversations of one account; the oldest closes silently.")
    ] = 250
    max_bookmarks: Annotated[int, Meta(ge=0, description="Saved messages of one account.")] = 50
    max_bookmarks_premium: Annotated[int, Meta(ge=0, description="The same for premium accounts.")] = 300
    max_emojis: Annotated[int, Meta(ge=0, description="Static emojis of one guild.")] = 50
    max_animated_emojis: Annotated[int, Meta(ge=0, description="Animated emojis of one guild.")] = 50
    max_stickers: Annotated[int, Meta(ge=0, description="Stickers of one guild.")] = 50
    max_emojis_more: Annotated[
        int, Meta(ge=0, description="Static, and as many animated, emojis of a guild with MORE_EMOJI.")
    ] = 250
    max_stickers_more: Annotated[int, Meta(ge=0, description="Stickers of a guild with MORE_STICKERS.")] = 250
    max_reactions: Annotated[int, Meta(ge=0, description="Distinct reactions on one message.")] = 20
    max_users_per_reaction: Annotated[int, Meta(ge=1, description="People behind one reaction.")] = 5000
    max_webauthn_credentials: Annotated[int, Meta(ge=0, description="Passkeys of one account.")] = 10
    message_length: Annotated[int, Meta(ge=1, description="Characters of one message.")] = 2000
    message_length_premium: Annotated[int, Meta(ge=1, description="The same for premium accounts.")] = 4000
    message_embeds: Annotated[int, Meta(ge=0, description="Embeds of one message.")] = 10
    message_attachments: Annotated[int, Meta(ge=0, description="Files of one message.")] = 10
    message_stickers: Annotated[int, Meta(ge=0, description="Stickers of one message.")] = 3
    attachment_bytes: Annotated[int, Meta(ge=1, description="Bytes of one attachment.")] = 25 * MIB
    attachment_bytes_premium: Annotated[int, Meta(ge=1, description="The same for premium accounts.")] = (
        500 * MIB
    )
    message_attachments_bytes: Annotated[
        int, Meta(ge=1, description="Bytes of all attachments of one message.")
    ] = 100 * MIB
    avatar_bytes: Annotated[int, Meta(ge=1, description="Bytes of an avatar, banner or icon.")] = 10 * MIB
    emoji_bytes: Annotated[int, Meta(ge=1, description="Bytes of an emoji.")] = 384 * 1024
    sticker_bytes: Annotated[int, Meta(ge=1, description="Bytes of a sticker.")] = 512 * 1024
    bulk_delete: Annotated[int, Meta(ge=1, description="Messages deleted by one call.")] = 100
    channel_overwrites: Annotated[int, Meta(ge=0, description="Permission overwrites of one channel.")] = 500
    timeout_seconds: Annotated[int, Meta(ge=1, description="Longest time-out of a member.")] = 365 * 86_400
    sessions_per_account: Annotated[
        int, Meta(ge=1, description="Log-ins of one account; beyond them the one not used for longest ends.")
    ] = 100
    texts_per_account: Annotated[
        str, Meta(description="Text messages one account may ask for, as `count/seconds`; 0 is off.")
    ] = "5/3600s"
    texts_per_number: Annotated[str, Meta(description="Text messages sent to one number; 0 is off.")] = (
        "5/3600s"
    )
    login_per_email: Annotated[
        str, Meta(description="Login attempts for one e-mail address, as `count/seconds`; 0 is off.")
    ] = "5/900s"
    second_steps_per_account: Annotated[
        str,
        Meta(
            description="Codes and passkeys tried in a row as the second step of one account's log-ins, until one is right; 0 is off."
        ),
    ] = "30/900s"
    login_per_ip: Annotated[str, Meta(description="Login attempts from one address; 0 is off.")] = "10/1800s"


class RateLimits(Struct, frozen=True, kw_only=True):
    enabled: Annotated[
        bool, Meta(description="Count REST calls at all; slowmode and login limits stay on.")
    ] = True
    global_rate: Annotated[str, Meta(description="Every call of one caller.")] = "50/1s"
    high_global_rate: Annotated[
        str, Meta(description="The same for accounts with the flag HIGH_GLOBAL_RATE_LIMIT.")
    ] = "1200/1s"
    factor: Annotated[
        float, Meta(gt=0, description="Multiplies the limit of every route bucket; 1 is as published.")
    ] = 1.0


class Captcha(Struct, frozen=True, kw_only=True):
    provider: Annotated[
        str,
        Meta(
            pattern="^(off|altcha|hcaptcha|turnstile|sandbox)$",
            description="off, altcha, hcaptcha, turnstile, or sandbox (only with --sandbox: token `ok` passes).",
        ),
    ] = "off"
    hcaptcha_site_key: Annotated[str, Meta(description="Public key shown in discovery.")] = ""
    hcaptcha_secret: Annotated[str, Meta(description="Secret for the verifier.")] = ""
    turnstile_site_key: Annotated[str, Meta(description="Public key shown in discovery.")] = ""
    turnstile_secret: Annotated[str, Meta(description="Secret for the verifier.")] = ""
    hcaptcha_url: Annotated[str, Meta(description="The verifier of hCaptcha.")] = (
        "https://api.hcaptcha.com/siteverify"
    )
    turnstile_url: Annotated[str, Meta(description="The verifier of Turnstile.")] = (
        "https://challenges.cloudflare.com/turnstile/v0/siteverify"
    )
    altcha_work: Annotated[
        int,
        Meta(ge=1, description="Most hashes an ALTCHA challenge takes to solve; half of them on average."),
    ] = 100_000
    altcha_seconds: Annotated[
        int, Meta(ge=1, description="How long an ALTCHA challenge may be answered.")
    ] = 600


class Passkeys(Struct, frozen=True, kw_only=True):
    enabled: Annotated[bool, Meta(description="Offer passkeys.")] = True
    rp_id: Annotated[str, Meta(description="Relying party; empty: the host of the public URL.")] = ""
    origins: Annotated[
        list[str], Meta(description="Origins that may use them; empty: the instance's own.")
    ] = field(default_factory=list)


class Realtime(Struct, frozen=True, kw_only=True):
    public_url: Annotated[
        str, Meta(description="WebSocket URL handed to clients; empty: the instance's own.")
    ] = ""
    resume_seconds: Annotated[
        float, Meta(ge=0, description="How long a dropped session waits to be resumed.")
    ] = 180.0
    heartbeat_interval_ms: Annotated[int, Meta(ge=100, description="Interval announced in HELLO.")] = 41_250
    heartbeat_silence_seconds: Annotated[
        float, Meta(gt=0, description="Silence after which the server asks for a heartbeat.")
    ] = 37.0
    heartbeat_timeout_seconds: Annotated[
        float, Meta(gt=0, description="Silence after which the connection is closed with 4009.")
    ] = 50.0
    payload_bytes: Annotated[int, Meta(ge=256, description="Largest message a client may send.")] = 4096
    payloads_per_minute: Annotated[int, Meta(ge=1, description="Messages a client may send in a minute.")] = (
        120
    )
    buffer_events: Annotated[
        int, Meta(ge=1, description="Events kept for a resume; older ones make it impossible.")
    ] = 4096
    buffer_bytes: Annotated[int, Meta(ge=1024, description="The same in bytes.")] = 4 * MIB
    queue_events: Annotated[
        int, Meta(ge=1, description="Events waiting for a slow reader before it is dropped with 4000.")
    ] = 1024
    queue_bytes: Annotated[int, Meta(ge=1024, description="The same in bytes.")] = MIB
    identify_seconds: Annotated[
        float, Meta(ge=0, description="Least time between two identifies of one token; 0 is off.")
    ] = 0.0
    identify_within_seconds: Annotated[
        float, Meta(gt=0, description="How long a connection may stay without a session before it is closed.")
    ] = 60.0
    max_strangers: Annotated[
        int, Meta(ge=1, description="Connections without a session that one process carries.")
    ] = 10_000
    max_sessions: Annotated[int, Meta(ge=1, description="Sessions one process carries.")] = 100_000
    lending_answer_seconds: Annotated[
        float,
        Meta(gt=0, description="How long to wait for the process that has the session a client resumes."),
    ] = 2.0
    lending_silence_seconds: Annotated[
        float,
        Meta(
            gt=0,
            description="Silence of another process after which connections between it and this one end.",
        ),
    ] = 10.0
    lending_window: Annotated[
        int,
        Meta(
            ge=1024,
            description="Characters on their way to a client through another process before it must have taken some.",
        ),
    ] = 131_072
    large_guild_members: Annotated[
        int,
        Meta(
            ge=0,
            description="Guilds with more members are large: presence and news reach only who asked for them.",
        ),
    ] = 250
    passive_update_seconds: Annotated[
        float,
        Meta(gt=0, description="How often passive sessions of large guilds hear which channels had news."),
    ] = 30.0


class CommunitySettings(Struct, frozen=True, kw_only=True):
    host: Annotated[
        str,
        Meta(description="Host name at which the plane is served at the root; empty: only under /community."),
    ] = ""
    port: Annotated[
        int,
        Meta(
            ge=0,
            le=65535,
            description="Port on which the plane is served at the root, beside the server's; 0 is none.",
        ),
    ] = 0
    guild_creation: Annotated[
        str, Meta(pattern="^(everyone|admins)$", description="Who may create guilds: everyone or admins.")
    ] = "everyone"
    ip_authorization: Annotated[
        bool, Meta(description="A login from a new address must be confirmed by mail.")
    ] = True
    first_account_is_admin: Annotated[
        bool, Meta(description="The first account to register gets every admin right (never in the sandbox).")
    ] = True
    blocked_words: Annotated[
        list[str], Meta(description="Texts refused anywhere, compared without case.")
    ] = field(default_factory=list)
    deletion_days: Annotated[
        int,
        Meta(
            ge=0, description="Days until an account that its owner deletes is erased; a log-in calls it off."
        ),
    ] = 14
    message_deletion_hours: Annotated[
        int, Meta(ge=0, description="Hours until all that an account has said is deleted, once asked for.")
    ] = 24
    minimum_age: Annotated[int, Meta(ge=0, description="Years a new account's owner must have.")] = 13
    kept_page_bytes: Annotated[
        int, Meta(ge=0, description="Memory for the JSON of pages of history that were read lately.")
    ] = 16 * MIB
    limits: CommunityLimits = field(default_factory=CommunityLimits)
    rate_limits: RateLimits = field(default_factory=RateLimits)
    captcha: Captcha = field(default_factory=Captcha)
    passkeys: Passkeys = field(default_factory=Passkeys)
    realtime: Realtime = field(default_factory=Realtime)
    media: Media = field(default_factory=Media)
    unfurling: Unfurling = field(default_factory=Unfurling)
    voice: Voice = field(default_factory=Voice)
