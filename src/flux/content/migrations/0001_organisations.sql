-- Who owns what: users, organisations, projects, environments, and the keys that open them.

CREATE TABLE content_users (
    key {{text}} PRIMARY KEY,
    email {{text}} NOT NULL UNIQUE,
    password_hash {{text}} NOT NULL,
    first_name {{text}} NOT NULL,
    last_name {{text}} NOT NULL,
    created_at {{bigint}} NOT NULL
) {{strict}};

-- A refresh token is used once; the row stays until it expires, so that a second use is recognised.
CREATE TABLE content_refresh_tokens (
    jti {{text}} PRIMARY KEY,
    user_key {{text}} NOT NULL REFERENCES content_users (key) ON DELETE CASCADE,
    used INTEGER NOT NULL,
    expires_at {{bigint}} NOT NULL
) {{strict}};

CREATE TABLE content_organizations (
    key {{text}} PRIMARY KEY,
    name {{text}} NOT NULL,
    owner {{text}} NOT NULL REFERENCES content_users (key),
    legal_name {{text}} NOT NULL,
    tax_num {{text}} NOT NULL,
    address {{text}} NOT NULL,
    city {{text}} NOT NULL,
    province {{text}} NOT NULL,
    zip_code {{text}} NOT NULL,
    country_iso {{text}},
    plan {{text}} NOT NULL,
    created_at {{bigint}} NOT NULL
) {{strict}};
CREATE INDEX content_organizations_owner ON content_organizations (owner);

CREATE TABLE content_projects (
    key {{text}} PRIMARY KEY,
    organization {{text}} NOT NULL REFERENCES content_organizations (key) ON DELETE CASCADE,
    name {{text}} NOT NULL,
    region {{text}} NOT NULL,
    gdpr INTEGER NOT NULL,
    created_at {{bigint}} NOT NULL
) {{strict}};
CREATE INDEX content_projects_organization ON content_projects (organization, created_at);

CREATE TABLE content_environments (
    key {{text}} PRIMARY KEY,
    project {{text}} NOT NULL REFERENCES content_projects (key) ON DELETE CASCADE,
    name {{text}} NOT NULL,
    is_enabled INTEGER NOT NULL,
    protection_level {{text}} NOT NULL,
    protected_by {{text}},
    protected_at {{bigint}},
    protection_reason {{text}},
    created_at {{bigint}} NOT NULL
) {{strict}};
CREATE INDEX content_environments_project ON content_environments (project, created_at);

-- A number that grows with every change of what delivery can see of an environment's structure (scope: the
-- environment's key) or of a folder's published content (scope: the folder's key). Caches live under it.
CREATE TABLE content_generations (
    scope {{text}} PRIMARY KEY,
    value {{bigint}} NOT NULL
) {{strict}};

CREATE TABLE content_locales (
    environment {{text}} NOT NULL REFERENCES content_environments (key) ON DELETE CASCADE,
    code {{text}} NOT NULL,
    name {{text}} NOT NULL,
    is_default INTEGER NOT NULL,
    created_at {{bigint}} NOT NULL,
    PRIMARY KEY (environment, code)
) {{strict}};
CREATE UNIQUE INDEX content_locales_default ON content_locales (environment) WHERE is_default = 1;

CREATE TABLE content_roles (
    key {{text}} PRIMARY KEY,
    environment {{text}} NOT NULL REFERENCES content_environments (key) ON DELETE CASCADE,
    side {{text}} NOT NULL,
    name {{text}} NOT NULL,
    description {{text}},
    full_access INTEGER NOT NULL,
    created_at {{bigint}} NOT NULL
) {{strict}};
CREATE INDEX content_roles_environment ON content_roles (environment, side, created_at);

CREATE TABLE content_permissions (
    role {{text}} NOT NULL REFERENCES content_roles (key) ON DELETE CASCADE,
    content_type {{text}} NOT NULL,
    actions {{text}} NOT NULL,
    all_objects INTEGER NOT NULL,
    PRIMARY KEY (role, content_type)
) {{strict}};

CREATE TABLE content_permission_objects (
    role {{text}} NOT NULL REFERENCES content_roles (key) ON DELETE CASCADE,
    content_type {{text}} NOT NULL,
    object_key {{text}} NOT NULL,
    PRIMARY KEY (role, content_type, object_key)
) {{strict}};

-- The secret key itself is never kept: its hash for Simple, the public half (DER) for Secure signatures. A key keeps
-- the name of its role when that is deleted: a key without a role is unrestricted, and that must not happen to it.
CREATE TABLE content_keys (
    key {{text}} PRIMARY KEY,
    environment {{text}} NOT NULL REFERENCES content_environments (key) ON DELETE CASCADE,
    side {{text}} NOT NULL,
    description {{text}},
    role {{text}},
    public_key {{text}} NOT NULL UNIQUE,
    secret_hash {{blob}} NOT NULL,
    secret_hint {{text}} NOT NULL,
    verifying_key {{blob}} NOT NULL,
    bearer_hash {{blob}},
    bearer_prefix {{text}},
    bearer_issued_at {{bigint}},
    created_at {{bigint}} NOT NULL
) {{strict}};
CREATE INDEX content_keys_environment ON content_keys (environment, side, created_at);
CREATE UNIQUE INDEX content_keys_bearer ON content_keys (bearer_hash);
