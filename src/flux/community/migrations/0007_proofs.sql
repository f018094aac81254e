-- How people prove who they are: second factors, passkeys, codes in mails and texts, phones, captchas.

ALTER TABLE community_users ADD COLUMN sms_mfa INTEGER NOT NULL DEFAULT 0;
-- how many rows of community_passkeys the account has: the limit is decided by this number
ALTER TABLE community_users ADD COLUMN passkeys INTEGER NOT NULL DEFAULT 0;
-- the last time step whose one-time code has logged the account in
ALTER TABLE community_users ADD COLUMN totp_step {{bigint}} NOT NULL DEFAULT 0;

CREATE UNIQUE INDEX community_users_phone ON community_users (phone);
CREATE INDEX community_users_deletion ON community_users (deletion_at);

CREATE TABLE community_backup_codes (
    user_id {{bigint}} NOT NULL REFERENCES community_users (id) ON DELETE CASCADE,
    code_hash {{blob}} NOT NULL,
    -- encrypted: its owner may look at it again
    sealed {{blob}} NOT NULL,
    place INTEGER NOT NULL,
    consumed_at {{bigint}},
    PRIMARY KEY (user_id, code_hash)
) {{strict}};

CREATE TABLE community_codes (
    subject {{text}} NOT NULL,
    purpose {{text}} NOT NULL,
    user_id {{bigint}} NOT NULL REFERENCES community_users (id) ON DELETE CASCADE,
    code_hash {{blob}} NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    sent_at {{bigint}} NOT NULL,
    expires_at {{bigint}} NOT NULL,
    PRIMARY KEY (subject, purpose)
) {{strict}};

CREATE INDEX community_codes_user ON community_codes (user_id);

CREATE TABLE community_mfa_tickets (
    ticket_hash {{blob}} NOT NULL PRIMARY KEY,
    user_id {{bigint}} NOT NULL REFERENCES community_users (id) ON DELETE CASCADE,
    tries INTEGER NOT NULL DEFAULT 0,
    expires_at {{bigint}} NOT NULL
) {{strict}};

CREATE INDEX community_mfa_tickets_user ON community_mfa_tickets (user_id);

CREATE TABLE community_passkeys (
    credential_id {{text}} NOT NULL PRIMARY KEY,
    user_id {{bigint}} NOT NULL REFERENCES community_users (id) ON DELETE CASCADE,
    public_key {{blob}} NOT NULL,
    sign_count {{bigint}} NOT NULL,
    name {{text}} NOT NULL,
    transports {{blob}} NOT NULL,
    created_at {{bigint}} NOT NULL,
    last_used_at {{bigint}}
) {{strict}};

CREATE INDEX community_passkeys_user ON community_passkeys (user_id, created_at);

CREATE TABLE community_challenges (
    challenge_hash {{blob}} NOT NULL PRIMARY KEY,
    purpose {{text}} NOT NULL,
    -- 0: whoever answers it
    user_id {{bigint}} NOT NULL,
    expires_at {{bigint}} NOT NULL
) {{strict}};

CREATE TABLE community_phone_tokens (
    token_hash {{blob}} NOT NULL PRIMARY KEY,
    user_id {{bigint}} NOT NULL REFERENCES community_users (id) ON DELETE CASCADE,
    phone {{text}} NOT NULL,
    expires_at {{bigint}} NOT NULL
) {{strict}};

CREATE INDEX community_phone_tokens_user ON community_phone_tokens (user_id);

-- A change of e-mail address or password on its way. The proofs are hashes of what its owner was given.
CREATE TABLE community_changes (
    ticket_hash {{blob}} NOT NULL PRIMARY KEY,
    user_id {{bigint}} NOT NULL REFERENCES community_users (id) ON DELETE CASCADE,
    kind {{text}} NOT NULL,
    proof_hash {{blob}},
    new_email {{text}},
    token_hash {{blob}},
    expires_at {{bigint}} NOT NULL
) {{strict}};

CREATE UNIQUE INDEX community_changes_token ON community_changes (token_hash);
CREATE INDEX community_changes_user ON community_changes (user_id);

CREATE TABLE community_solved_captchas (
    solution_hash {{blob}} NOT NULL PRIMARY KEY,
    expires_at {{bigint}} NOT NULL
) {{strict}};
