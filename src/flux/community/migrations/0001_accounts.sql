-- People and bots, their sessions, and what they must prove.

CREATE TABLE community_users (
    id {{bigint}} NOT NULL PRIMARY KEY,
    username {{text}} NOT NULL,
    username_folded {{text}} NOT NULL,
    discriminator INTEGER NOT NULL,
    global_name {{text}},
    email {{text}},
    email_folded {{text}},
    email_verified INTEGER NOT NULL DEFAULT 0,
    phone {{text}},
    password_hash {{text}},
    password_changed_at {{bigint}},
    date_of_birth {{text}},
    bot INTEGER NOT NULL DEFAULT 0,
    system INTEGER NOT NULL DEFAULT 0,
    flags {{bigint}} NOT NULL DEFAULT 0,
    suspicious_flags INTEGER NOT NULL DEFAULT 0,
    acls {{blob}},
    avatar {{text}},
    avatar_color INTEGER,
    banner {{text}},
    banner_color INTEGER,
    bio {{text}},
    pronouns {{text}},
    accent_color INTEGER,
    premium_type INTEGER NOT NULL DEFAULT 0,
    premium_since {{bigint}},
    premium_until {{bigint}},
    totp_secret {{blob}},
    -- who disabled the account or asked for its deletion: 0 nobody, 1 its owner, 2 an admin
    disabled_by INTEGER NOT NULL DEFAULT 0,
    deletion_by INTEGER NOT NULL DEFAULT 0,
    deletion_at {{bigint}},
    -- the end of a suspension; 0 is never
    banned_until {{bigint}},
    last_address {{text}},
    created_at {{bigint}} NOT NULL
) {{strict}};

CREATE UNIQUE INDEX community_users_tag ON community_users (username_folded, discriminator);
CREATE UNIQUE INDEX community_users_email ON community_users (email_folded);

CREATE TABLE community_user_settings (
    user_id {{bigint}} NOT NULL PRIMARY KEY REFERENCES community_users (id) ON DELETE CASCADE,
    settings {{blob}} NOT NULL
) {{strict}};

CREATE TABLE community_sessions (
    token_hash {{blob}} NOT NULL PRIMARY KEY,
    user_id {{bigint}} NOT NULL REFERENCES community_users (id) ON DELETE CASCADE,
    address {{text}} NOT NULL,
    platform {{text}},
    user_agent {{text}},
    created_at {{bigint}} NOT NULL,
    last_used_at {{bigint}} NOT NULL
) {{strict}};

CREATE INDEX community_sessions_user ON community_sessions (user_id);

CREATE TABLE community_known_addresses (
    user_id {{bigint}} NOT NULL REFERENCES community_users (id) ON DELETE CASCADE,
    address {{text}} NOT NULL,
    since {{bigint}} NOT NULL,
    PRIMARY KEY (user_id, address)
) {{strict}};

CREATE TABLE community_address_tickets (
    ticket_hash {{blob}} NOT NULL PRIMARY KEY,
    token_hash {{blob}} NOT NULL,
    user_id {{bigint}} NOT NULL REFERENCES community_users (id) ON DELETE CASCADE,
    address {{text}} NOT NULL,
    expires_at {{bigint}} NOT NULL,
    sent_at {{bigint}} NOT NULL,
    resent INTEGER NOT NULL DEFAULT 0,
    completed INTEGER NOT NULL DEFAULT 0
) {{strict}};

CREATE UNIQUE INDEX community_address_tickets_token ON community_address_tickets (token_hash);
CREATE INDEX community_address_tickets_user ON community_address_tickets (user_id);

CREATE TABLE community_email_tokens (
    token_hash {{blob}} NOT NULL PRIMARY KEY,
    user_id {{bigint}} NOT NULL REFERENCES community_users (id) ON DELETE CASCADE,
    purpose {{text}} NOT NULL,
    email {{text}} NOT NULL,
    expires_at {{bigint}} NOT NULL
) {{strict}};

CREATE INDEX community_email_tokens_user ON community_email_tokens (user_id, purpose);

CREATE TABLE community_address_bans (
    network {{text}} NOT NULL PRIMARY KEY,
    created_at {{bigint}} NOT NULL
) {{strict}};
