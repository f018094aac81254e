-- Applications, their bots, and what users granted them.

CREATE TABLE community_applications (
    id {{bigint}} NOT NULL PRIMARY KEY,
    owner_id {{bigint}} NOT NULL REFERENCES community_users (id) ON DELETE CASCADE,
    bot_user_id {{bigint}} NOT NULL REFERENCES community_users (id) ON DELETE CASCADE,
    name {{text}} NOT NULL,
    description {{text}},
    icon {{text}},
    redirect_uris {{blob}} NOT NULL,
    bot_public INTEGER NOT NULL,
    bot_require_code_grant INTEGER NOT NULL,
    secret_hash {{blob}} NOT NULL,
    bot_token_hash {{blob}} NOT NULL,
    created_at {{bigint}} NOT NULL
) {{strict}};

CREATE INDEX community_applications_owner ON community_applications (owner_id);

CREATE TABLE community_oauth_codes (
    code_hash {{blob}} NOT NULL PRIMARY KEY,
    application_id {{bigint}} NOT NULL REFERENCES community_applications (id) ON DELETE CASCADE,
    user_id {{bigint}} NOT NULL REFERENCES community_users (id) ON DELETE CASCADE,
    redirect_uri {{text}} NOT NULL,
    scopes {{text}} NOT NULL,
    expires_at {{bigint}} NOT NULL
) {{strict}};

CREATE TABLE community_oauth_tokens (
    access_hash {{blob}} NOT NULL PRIMARY KEY,
    refresh_hash {{blob}} NOT NULL,
    application_id {{bigint}} NOT NULL REFERENCES community_applications (id) ON DELETE CASCADE,
    user_id {{bigint}} NOT NULL REFERENCES community_users (id) ON DELETE CASCADE,
    scopes {{text}} NOT NULL,
    created_at {{bigint}} NOT NULL,
    expires_at {{bigint}} NOT NULL
) {{strict}};

CREATE UNIQUE INDEX community_oauth_tokens_refresh ON community_oauth_tokens (refresh_hash);
CREATE INDEX community_oauth_tokens_user ON community_oauth_tokens (user_id, application_id);
