-- On SQLite the messages of a channel lie together from here on. PostgreSQL has no tables that stay in order.

DROP INDEX community_messages_author;
CREATE INDEX community_messages_author ON community_messages (author_id, id);
-- Pins are found without reading the channel.
CREATE INDEX community_messages_pinned ON community_messages (channel_id, pinned_at, id) WHERE pinned_at IS NOT NULL;
