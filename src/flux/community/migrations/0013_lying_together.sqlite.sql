-- The messages of a channel lie together, so that a page of its history is one place of the file instead of fifty,
-- however large the file is. What points at messages is copied too: a table cannot go while others point at it.

CREATE TABLE community_messages_together (
    id INTEGER NOT NULL UNIQUE,
    channel_id INTEGER NOT NULL REFERENCES community_channels (id) ON DELETE CASCADE,
    author_id INTEGER NOT NULL,
    type INTEGER NOT NULL,
    flags INTEGER NOT NULL,
    content TEXT NOT NULL,
    tts INTEGER NOT NULL,
    mention_everyone INTEGER NOT NULL,
    mentions BLOB NOT NULL,
    mention_roles BLOB NOT NULL,
    embeds BLOB NOT NULL,
    attachments BLOB NOT NULL,
    reference BLOB,
    pinned_at INTEGER,
    edited_at INTEGER,
    stickers BLOB,
    webhook_id INTEGER,
    webhook_name TEXT,
    webhook_avatar TEXT,
    reacted INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (channel_id, id)
) STRICT, WITHOUT ROWID;

-- Before the rows, since sorting millions of entries afterwards would take as much memory as they do.
DROP INDEX community_messages_author;
CREATE INDEX community_messages_author ON community_messages_together (author_id, id);
-- Pins are found without reading the channel.
CREATE INDEX community_messages_pinned ON community_messages_together (channel_id, pinned_at, id) WHERE pinned_at IS NOT NULL;

INSERT INTO community_messages_together (id, channel_id, author_id, type, flags, content, tts, mention_everyone, mentions,
    mention_roles, embeds, attachments, reference, pinned_at, edited_at, stickers, webhook_id, webhook_name, webhook_avatar,
    reacted)
SELECT id, channel_id, author_id, type, flags, content, tts, mention_everyone, mentions, mention_roles, embeds, attachments,
    reference, pinned_at, edited_at, stickers, webhook_id, webhook_name, webhook_avatar, reacted
FROM community_messages ORDER BY channel_id, id;

CREATE TABLE community_reactions_kept (
    message_id INTEGER NOT NULL REFERENCES community_messages_together (id) ON DELETE CASCADE,
    emoji TEXT NOT NULL,
    user_id INTEGER NOT NULL REFERENCES community_users (id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (message_id, emoji, user_id)
) STRICT;
INSERT INTO community_reactions_kept (message_id, emoji, user_id, created_at)
SELECT message_id, emoji, user_id, created_at FROM community_reactions;
DROP TABLE community_reactions;

CREATE TABLE community_bookmarks_kept (
    user_id INTEGER NOT NULL REFERENCES community_users (id) ON DELETE CASCADE,
    message_id INTEGER NOT NULL REFERENCES community_messages_together (id) ON DELETE CASCADE,
    channel_id INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, message_id)
) STRICT;
INSERT INTO community_bookmarks_kept (user_id, message_id, channel_id, created_at)
SELECT user_id, message_id, channel_id, created_at FROM community_bookmarks;
DROP TABLE community_bookmarks;

CREATE TABLE community_attachments_kept (
    id INTEGER NOT NULL PRIMARY KEY,
    channel_id INTEGER NOT NULL,
    message_id INTEGER REFERENCES community_messages_together (id) ON DELETE SET NULL,
    uploader_id INTEGER NOT NULL,
    filename TEXT NOT NULL,
    content_type TEXT NOT NULL,
    size INTEGER NOT NULL,
    width INTEGER,
    height INTEGER,
    doomed INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL
) STRICT;
INSERT INTO community_attachments_kept (id, channel_id, message_id, uploader_id, filename, content_type, size, width,
    height, doomed, created_at)
SELECT id, channel_id, message_id, uploader_id, filename, content_type, size, width, height, doomed, created_at
FROM community_attachments;
DROP TABLE community_attachments;

CREATE TABLE community_mentions_kept (
    target_id INTEGER NOT NULL,
    message_id INTEGER NOT NULL REFERENCES community_messages_together (id) ON DELETE CASCADE,
    channel_id INTEGER NOT NULL,
    -- 0 account, 1 role, 2 everyone
    kind INTEGER NOT NULL,
    author_id INTEGER NOT NULL,
    PRIMARY KEY (target_id, message_id)
) STRICT;
INSERT INTO community_mentions_kept (target_id, message_id, channel_id, kind, author_id)
SELECT target_id, message_id, channel_id, kind, author_id FROM community_mentions;
DROP TABLE community_mentions;

CREATE TABLE community_dismissed_mentions_kept (
    user_id INTEGER NOT NULL REFERENCES community_users (id) ON DELETE CASCADE,
    message_id INTEGER NOT NULL REFERENCES community_messages_together (id) ON DELETE CASCADE,
    PRIMARY KEY (user_id, message_id)
) STRICT;
INSERT INTO community_dismissed_mentions_kept (user_id, message_id)
SELECT user_id, message_id FROM community_dismissed_mentions;
DROP TABLE community_dismissed_mentions;

DROP TABLE community_messages;
ALTER TABLE community_messages_together RENAME TO community_messages;
ALTER TABLE community_reactions_kept RENAME TO community_reactions;
ALTER TABLE community_bookmarks_kept RENAME TO community_bookmarks;
ALTER TABLE community_attachments_kept RENAME TO community_attachments;
ALTER TABLE community_mentions_kept RENAME TO community_mentions;
ALTER TABLE community_dismissed_mentions_kept RENAME TO community_dismissed_mentions;

CREATE INDEX community_bookmarks_message ON community_bookmarks (message_id);
CREATE INDEX community_attachments_message ON community_attachments (message_id);
CREATE INDEX community_attachments_orphans ON community_attachments (created_at) WHERE message_id IS NULL;
CREATE INDEX community_mentions_message ON community_mentions (message_id);
CREATE INDEX community_dismissed_mentions_message ON community_dismissed_mentions (message_id);
