-- Files, images, expressions, webhooks and the audit log.

-- A file somebody sent. Without a message it is nobody's: its upload did not end well, or its message is gone, and the
-- sweep takes it. `doomed` rows are being swept and cannot be claimed any more.
CREATE TABLE community_attachments (
    id {{bigint}} NOT NULL PRIMARY KEY,
    channel_id {{bigint}} NOT NULL,
    message_id {{bigint}} REFERENCES community_messages (id) ON DELETE SET NULL,
    uploader_id {{bigint}} NOT NULL,
    filename {{text}} NOT NULL,
    content_type {{text}} NOT NULL,
    size {{bigint}} NOT NULL,
    width INTEGER,
    height INTEGER,
    doomed INTEGER NOT NULL DEFAULT 0,
    created_at {{bigint}} NOT NULL
) {{strict}};

CREATE INDEX community_attachments_message ON community_attachments (message_id);
CREATE INDEX community_attachments_orphans ON community_attachments (created_at) WHERE message_id IS NULL;

-- Images of accounts, guilds, channels, webhooks, emojis and stickers. What nothing points at any more is swept.
CREATE TABLE community_assets (
    kind {{text}} NOT NULL,
    owner_id {{bigint}} NOT NULL,
    hash {{text}} NOT NULL,
    content_type {{text}} NOT NULL,
    size {{bigint}} NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    created_at {{bigint}} NOT NULL,
    PRIMARY KEY (kind, owner_id, hash)
) {{strict}};

CREATE INDEX community_assets_age ON community_assets (created_at);

CREATE TABLE community_emojis (
    id {{bigint}} NOT NULL PRIMARY KEY,
    guild_id {{bigint}} NOT NULL REFERENCES community_guilds (id) ON DELETE CASCADE,
    name {{text}} NOT NULL,
    animated INTEGER NOT NULL,
    hash {{text}} NOT NULL,
    creator_id {{bigint}} NOT NULL
) {{strict}};

CREATE INDEX community_emojis_guild ON community_emojis (guild_id, animated);

CREATE TABLE community_stickers (
    id {{bigint}} NOT NULL PRIMARY KEY,
    guild_id {{bigint}} NOT NULL REFERENCES community_guilds (id) ON DELETE CASCADE,
    name {{text}} NOT NULL,
    description {{text}} NOT NULL,
    tags {{blob}} NOT NULL,
    animated INTEGER NOT NULL,
    hash {{text}} NOT NULL,
    creator_id {{bigint}} NOT NULL
) {{strict}};

CREATE INDEX community_stickers_guild ON community_stickers (guild_id);

CREATE TABLE community_webhooks (
    id {{bigint}} NOT NULL PRIMARY KEY,
    guild_id {{bigint}} NOT NULL REFERENCES community_guilds (id) ON DELETE CASCADE,
    channel_id {{bigint}} NOT NULL REFERENCES community_channels (id) ON DELETE CASCADE,
    creator_id {{bigint}} NOT NULL,
    name {{text}} NOT NULL,
    avatar {{text}},
    token {{text}} NOT NULL
) {{strict}};

CREATE INDEX community_webhooks_channel ON community_webhooks (channel_id);
CREATE INDEX community_webhooks_guild ON community_webhooks (guild_id);

CREATE TABLE community_audit_log (
    id {{bigint}} NOT NULL PRIMARY KEY,
    guild_id {{bigint}} NOT NULL REFERENCES community_guilds (id) ON DELETE CASCADE,
    action_type INTEGER NOT NULL,
    user_id {{bigint}} NOT NULL,
    target_id {{text}},
    reason {{text}},
    options {{blob}},
    changes {{blob}}
) {{strict}};

CREATE INDEX community_audit_log_guild ON community_audit_log (guild_id, id);

-- What a message carries beside its text: stickers, and the name a webhook spoke under.
ALTER TABLE community_messages ADD COLUMN stickers {{blob}};
ALTER TABLE community_messages ADD COLUMN webhook_id {{bigint}};
ALTER TABLE community_messages ADD COLUMN webhook_name {{text}};
ALTER TABLE community_messages ADD COLUMN webhook_avatar {{text}};

ALTER TABLE community_guilds ADD COLUMN banner {{text}};
ALTER TABLE community_guilds ADD COLUMN splash {{text}};
ALTER TABLE community_guilds ADD COLUMN embed_splash {{text}};
ALTER TABLE community_guilds ADD COLUMN vanity_code {{text}};
ALTER TABLE community_guilds ADD COLUMN vanity_uses INTEGER NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX community_guilds_vanity ON community_guilds (vanity_code);

ALTER TABLE community_guild_members ADD COLUMN avatar {{text}};
ALTER TABLE community_guild_members ADD COLUMN banner {{text}};
ALTER TABLE community_guild_members ADD COLUMN bio {{text}};
ALTER TABLE community_guild_members ADD COLUMN pronouns {{text}};
ALTER TABLE community_guild_members ADD COLUMN accent_color INTEGER;
