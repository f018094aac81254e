-- What people said.

CREATE TABLE community_messages (
    id {{bigint}} NOT NULL PRIMARY KEY,
    channel_id {{bigint}} NOT NULL REFERENCES community_channels (id) ON DELETE CASCADE,
    author_id {{bigint}} NOT NULL,
    type INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    content {{text}} NOT NULL,
    tts INTEGER NOT NULL,
    mention_everyone INTEGER NOT NULL,
    mentions {{blob}} NOT NULL,
    mention_roles {{blob}} NOT NULL,
    embeds {{blob}} NOT NULL,
    attachments {{blob}} NOT NULL,
    reference {{blob}},
    pinned_at {{bigint}},
    edited_at {{bigint}}
) {{strict}};

CREATE INDEX community_messages_channel ON community_messages (channel_id, id);
CREATE INDEX community_messages_author ON community_messages (author_id);

-- The same nonce again within a short while is the same message again.
CREATE TABLE community_message_nonces (
    channel_id {{bigint}} NOT NULL,
    author_id {{bigint}} NOT NULL,
    nonce {{text}} NOT NULL,
    message_id {{bigint}} NOT NULL,
    created_at {{bigint}} NOT NULL,
    PRIMARY KEY (channel_id, author_id, nonce)
) {{strict}};

CREATE INDEX community_message_nonces_age ON community_message_nonces (created_at);

CREATE TABLE community_slowmode (
    channel_id {{bigint}} NOT NULL REFERENCES community_channels (id) ON DELETE CASCADE,
    user_id {{bigint}} NOT NULL,
    spoke_at {{bigint}} NOT NULL,
    PRIMARY KEY (channel_id, user_id)
) {{strict}};
