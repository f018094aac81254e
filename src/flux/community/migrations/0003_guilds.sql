-- Guilds with their roles, channels, members, invites and bans.

CREATE TABLE community_guilds (
    id {{bigint}} NOT NULL PRIMARY KEY,
    name {{text}} NOT NULL,
    icon {{text}},
    owner_id {{bigint}} NOT NULL REFERENCES community_users (id),
    system_channel_id {{bigint}},
    system_channel_flags INTEGER NOT NULL DEFAULT 0,
    afk_channel_id {{bigint}},
    afk_timeout INTEGER NOT NULL DEFAULT 300,
    verification_level INTEGER NOT NULL DEFAULT 0,
    mfa_level INTEGER NOT NULL DEFAULT 0,
    nsfw_level INTEGER NOT NULL DEFAULT 0,
    explicit_content_filter INTEGER NOT NULL DEFAULT 0,
    default_message_notifications INTEGER NOT NULL DEFAULT 0,
    disabled_operations INTEGER NOT NULL DEFAULT 0,
    splash_card_alignment INTEGER NOT NULL DEFAULT 0,
    features {{blob}} NOT NULL,
    message_history_cutoff {{bigint}},
    member_count INTEGER NOT NULL,
    created_at {{bigint}} NOT NULL
) {{strict}};

CREATE INDEX community_guilds_owner ON community_guilds (owner_id);

CREATE TABLE community_guild_roles (
    id {{bigint}} NOT NULL PRIMARY KEY,
    guild_id {{bigint}} NOT NULL REFERENCES community_guilds (id) ON DELETE CASCADE,
    name {{text}} NOT NULL,
    color INTEGER NOT NULL DEFAULT 0,
    position INTEGER NOT NULL,
    hoist INTEGER NOT NULL DEFAULT 0,
    hoist_position INTEGER,
    mentionable INTEGER NOT NULL DEFAULT 0,
    permissions {{bigint}} NOT NULL
) {{strict}};

CREATE INDEX community_guild_roles_guild ON community_guild_roles (guild_id, position);

CREATE TABLE community_guild_members (
    guild_id {{bigint}} NOT NULL REFERENCES community_guilds (id) ON DELETE CASCADE,
    user_id {{bigint}} NOT NULL REFERENCES community_users (id) ON DELETE CASCADE,
    nick {{text}},
    joined_at {{bigint}} NOT NULL,
    timed_out_until {{bigint}},
    mute INTEGER NOT NULL DEFAULT 0,
    deaf INTEGER NOT NULL DEFAULT 0,
    join_source INTEGER NOT NULL DEFAULT 0,
    source_invite {{text}},
    inviter_id {{bigint}},
    temporary INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (guild_id, user_id)
) {{strict}};

CREATE INDEX community_guild_members_user ON community_guild_members (user_id, guild_id);

CREATE TABLE community_member_roles (
    guild_id {{bigint}} NOT NULL,
    user_id {{bigint}} NOT NULL,
    role_id {{bigint}} NOT NULL REFERENCES community_guild_roles (id) ON DELETE CASCADE,
    PRIMARY KEY (guild_id, user_id, role_id),
    FOREIGN KEY (guild_id, user_id) REFERENCES community_guild_members (guild_id, user_id) ON DELETE CASCADE
) {{strict}};

CREATE INDEX community_member_roles_role ON community_member_roles (role_id);

-- Guild channels and private conversations. Deleting a guild deletes its channels.
CREATE TABLE community_channels (
    id {{bigint}} NOT NULL PRIMARY KEY,
    guild_id {{bigint}} REFERENCES community_guilds (id) ON DELETE CASCADE,
    type INTEGER NOT NULL,
    name {{text}},
    topic {{text}},
    url {{text}},
    icon {{text}},
    owner_id {{bigint}},
    position INTEGER NOT NULL DEFAULT 0,
    parent_id {{bigint}},
    nsfw INTEGER NOT NULL DEFAULT 0,
    rate_limit_per_user INTEGER NOT NULL DEFAULT 0,
    bitrate INTEGER,
    user_limit INTEGER,
    rtc_region {{text}},
    last_message_id {{bigint}},
    last_pin_at {{bigint}},
    created_at {{bigint}} NOT NULL
) {{strict}};

CREATE INDEX community_channels_guild ON community_channels (guild_id, position);
CREATE INDEX community_channels_parent ON community_channels (parent_id);

CREATE TABLE community_channel_overwrites (
    channel_id {{bigint}} NOT NULL REFERENCES community_channels (id) ON DELETE CASCADE,
    target_id {{bigint}} NOT NULL,
    kind INTEGER NOT NULL,
    allow {{bigint}} NOT NULL,
    deny {{bigint}} NOT NULL,
    PRIMARY KEY (channel_id, target_id)
) {{strict}};

CREATE INDEX community_channel_overwrites_target ON community_channel_overwrites (target_id);

CREATE TABLE community_channel_recipients (
    channel_id {{bigint}} NOT NULL REFERENCES community_channels (id) ON DELETE CASCADE,
    user_id {{bigint}} NOT NULL REFERENCES community_users (id) ON DELETE CASCADE,
    open INTEGER NOT NULL DEFAULT 1,
    nick {{text}},
    PRIMARY KEY (channel_id, user_id)
) {{strict}};

CREATE INDEX community_channel_recipients_user ON community_channel_recipients (user_id, open);

-- The one direct conversation of two people: the lower id first.
CREATE TABLE community_direct_pairs (
    low_id {{bigint}} NOT NULL,
    high_id {{bigint}} NOT NULL,
    channel_id {{bigint}} NOT NULL REFERENCES community_channels (id) ON DELETE CASCADE,
    PRIMARY KEY (low_id, high_id)
) {{strict}};

CREATE TABLE community_invites (
    code {{text}} NOT NULL PRIMARY KEY,
    guild_id {{bigint}} NOT NULL REFERENCES community_guilds (id) ON DELETE CASCADE,
    channel_id {{bigint}} NOT NULL REFERENCES community_channels (id) ON DELETE CASCADE,
    inviter_id {{bigint}} NOT NULL,
    max_age INTEGER NOT NULL,
    max_uses INTEGER NOT NULL,
    uses INTEGER NOT NULL DEFAULT 0,
    temporary INTEGER NOT NULL,
    created_at {{bigint}} NOT NULL,
    expires_at {{bigint}}
) {{strict}};

CREATE INDEX community_invites_guild ON community_invites (guild_id);
CREATE INDEX community_invites_channel ON community_invites (channel_id);

CREATE TABLE community_guild_bans (
    guild_id {{bigint}} NOT NULL REFERENCES community_guilds (id) ON DELETE CASCADE,
    user_id {{bigint}} NOT NULL REFERENCES community_users (id) ON DELETE CASCADE,
    moderator_id {{bigint}} NOT NULL,
    reason {{text}},
    address {{text}},
    banned_at {{bigint}} NOT NULL,
    expires_at {{bigint}},
    PRIMARY KEY (guild_id, user_id)
) {{strict}};

CREATE INDEX community_guild_bans_address ON community_guild_bans (guild_id, address);
