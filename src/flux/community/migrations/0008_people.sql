-- What people keep for themselves: notes, how far they have read, whom a message named, how loud a guild may be.

CREATE TABLE community_notes (
    user_id {{bigint}} NOT NULL REFERENCES community_users (id) ON DELETE CASCADE,
    target_id {{bigint}} NOT NULL REFERENCES community_users (id) ON DELETE CASCADE,
    note {{text}} NOT NULL,
    PRIMARY KEY (user_id, target_id)
) {{strict}};

CREATE INDEX community_notes_target ON community_notes (target_id);

CREATE TABLE community_read_states (
    user_id {{bigint}} NOT NULL REFERENCES community_users (id) ON DELETE CASCADE,
    channel_id {{bigint}} NOT NULL REFERENCES community_channels (id) ON DELETE CASCADE,
    -- 0: nothing was read
    last_message_id {{bigint}} NOT NULL DEFAULT 0,
    -- mentions up to there that were left unread on purpose
    mention_count INTEGER NOT NULL DEFAULT 0,
    last_pin_at {{bigint}},
    PRIMARY KEY (user_id, channel_id)
) {{strict}};

CREATE INDEX community_read_states_channel ON community_read_states (channel_id);

-- One row for each account, role or guild (@everyone) that a message names, however many people that is.
CREATE TABLE community_mentions (
    target_id {{bigint}} NOT NULL,
    message_id {{bigint}} NOT NULL REFERENCES community_messages (id) ON DELETE CASCADE,
    channel_id {{bigint}} NOT NULL,
    -- 0 account, 1 role, 2 everyone
    kind INTEGER NOT NULL,
    author_id {{bigint}} NOT NULL,
    PRIMARY KEY (target_id, message_id)
) {{strict}};

CREATE INDEX community_mentions_message ON community_mentions (message_id);

CREATE TABLE community_dismissed_mentions (
    user_id {{bigint}} NOT NULL REFERENCES community_users (id) ON DELETE CASCADE,
    message_id {{bigint}} NOT NULL REFERENCES community_messages (id) ON DELETE CASCADE,
    PRIMARY KEY (user_id, message_id)
) {{strict}};

CREATE INDEX community_dismissed_mentions_message ON community_dismissed_mentions (message_id);

CREATE TABLE community_user_guild_settings (
    user_id {{bigint}} NOT NULL REFERENCES community_users (id) ON DELETE CASCADE,
    -- 0: conversations
    guild_id {{bigint}} NOT NULL,
    settings {{blob}} NOT NULL,
    PRIMARY KEY (user_id, guild_id)
) {{strict}};

CREATE INDEX community_relationships_other ON community_relationships (other_id);
