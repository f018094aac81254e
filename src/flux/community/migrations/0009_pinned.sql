-- Conversations that somebody keeps at the top of their list.

CREATE TABLE community_pinned_conversations (
    user_id {{bigint}} NOT NULL REFERENCES community_users (id) ON DELETE CASCADE,
    channel_id {{bigint}} NOT NULL REFERENCES community_channels (id) ON DELETE CASCADE,
    pinned_at {{bigint}} NOT NULL,
    PRIMARY KEY (user_id, channel_id)
) {{strict}};

CREATE INDEX community_pinned_conversations_channel ON community_pinned_conversations (channel_id);
