-- Who knows whom, and what people did with messages.

CREATE TABLE community_relationships (
    user_id {{bigint}} NOT NULL REFERENCES community_users (id) ON DELETE CASCADE,
    other_id {{bigint}} NOT NULL REFERENCES community_users (id) ON DELETE CASCADE,
    -- 1 friend, 2 blocked, 3 incoming request, 4 outgoing request
    type INTEGER NOT NULL,
    since {{bigint}} NOT NULL,
    nickname {{text}},
    PRIMARY KEY (user_id, other_id)
) {{strict}};

CREATE TABLE community_reactions (
    message_id {{bigint}} NOT NULL REFERENCES community_messages (id) ON DELETE CASCADE,
    emoji {{text}} NOT NULL,
    user_id {{bigint}} NOT NULL REFERENCES community_users (id) ON DELETE CASCADE,
    created_at {{bigint}} NOT NULL,
    PRIMARY KEY (message_id, emoji, user_id)
) {{strict}};

CREATE TABLE community_bookmarks (
    user_id {{bigint}} NOT NULL REFERENCES community_users (id) ON DELETE CASCADE,
    message_id {{bigint}} NOT NULL REFERENCES community_messages (id) ON DELETE CASCADE,
    channel_id {{bigint}} NOT NULL,
    created_at {{bigint}} NOT NULL,
    PRIMARY KEY (user_id, message_id)
) {{strict}};

CREATE INDEX community_bookmarks_message ON community_bookmarks (message_id);
