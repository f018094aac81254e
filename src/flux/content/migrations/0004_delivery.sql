-- Content as it is delivered: APIs, connections, and the projection written when something is published.

CREATE TABLE content_apis (
    key {{text}} PRIMARY KEY,
    environment {{text}} NOT NULL REFERENCES content_environments (key) ON DELETE CASCADE,
    name {{text}} NOT NULL,
    prefix {{text}} NOT NULL,
    description {{text}},
    version {{text}},
    is_auth_required INTEGER NOT NULL,
    mcp_enabled INTEGER NOT NULL,
    router_introspection_enabled INTEGER NOT NULL,
    cors_origins {{blob}} NOT NULL,
    created_at {{bigint}} NOT NULL
) {{strict}};
CREATE UNIQUE INDEX content_apis_prefix ON content_apis (environment, prefix);

CREATE TABLE content_connections (
    id {{text}} PRIMARY KEY,
    api {{text}} NOT NULL REFERENCES content_apis (key) ON DELETE CASCADE,
    folder {{text}} NOT NULL REFERENCES content_folders (key) ON DELETE CASCADE,
    allowed_methods {{text}} NOT NULL,
    description_get_one {{text}},
    description_get_many {{text}},
    description_search {{text}},
    description_schema {{text}},
    created_at {{bigint}} NOT NULL
) {{strict}};
CREATE UNIQUE INDEX content_connections_pair ON content_connections (api, folder);
CREATE INDEX content_connections_folder ON content_connections (folder);

-- One row a published resource. `item` is `{"_sys":…,"data":…}` as stored: private fields left out, every locale in.
-- `plain` is 1 when nothing in it is stored by locale, so that it can leave as it is.
CREATE TABLE content_documents (
    id {{serial}},
    environment {{text}} NOT NULL,
    folder {{text}} NOT NULL,
    key {{text}} NOT NULL,
    owner {{text}} NOT NULL,
    component {{text}} NOT NULL,
    version {{text}} NOT NULL,
    revision {{text}} NOT NULL,
    created_at {{bigint}} NOT NULL,
    updated_at {{bigint}} NOT NULL,
    plain INTEGER NOT NULL,
    item {{blob}} NOT NULL
) {{strict}};
CREATE UNIQUE INDEX content_documents_key ON content_documents (folder, key);
CREATE INDEX content_documents_created ON content_documents (folder, created_at DESC, key);
CREATE INDEX content_documents_updated ON content_documents (folder, updated_at DESC, key);
CREATE INDEX content_documents_owner ON content_documents (folder, owner, created_at DESC, key);

-- A slot is one searchable field of one folder in one locale ('' when the field is not localizable).
CREATE TABLE content_slots (
    id {{serial}},
    folder {{text}} NOT NULL,
    component {{text}} NOT NULL,
    path {{text}} NOT NULL,
    locale {{text}} NOT NULL
) {{strict}};
CREATE UNIQUE INDEX content_slots_address ON content_slots (folder, component, path, locale);
