-- Codes that let people into groups.

CREATE TABLE community_group_invites (
    code {{text}} NOT NULL PRIMARY KEY,
    channel_id {{bigint}} NOT NULL REFERENCES community_channels (id) ON DELETE CASCADE,
    inviter_id {{bigint}} NOT NULL,
    max_age INTEGER NOT NULL,
    max_uses INTEGER NOT NULL,
    uses INTEGER NOT NULL DEFAULT 0,
    created_at {{bigint}} NOT NULL,
    expires_at {{bigint}}
) {{strict}};

CREATE INDEX community_group_invites_channel ON community_group_invites (channel_id);
