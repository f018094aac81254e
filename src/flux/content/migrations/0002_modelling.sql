-- What content looks like: the folder tree, components, schema versions and their fields.

-- `parent` is '' at the root, so that the unique key also holds there. `path` is the alias chain, dotted.
CREATE TABLE content_folders (
    key {{text}} PRIMARY KEY,
    environment {{text}} NOT NULL REFERENCES content_environments (key) ON DELETE CASCADE,
    parent {{text}} NOT NULL,
    alias {{text}} NOT NULL,
    path {{text}} NOT NULL,
    name {{text}} NOT NULL,
    folder_type {{text}} NOT NULL,
    content_type {{text}} NOT NULL,
    strict_reference INTEGER NOT NULL,
    auto_remove_revisions {{bigint}},
    auto_remove_schema_versions {{bigint}},
    embedding_model {{text}},
    embedding_dimension {{bigint}},
    created_at {{bigint}} NOT NULL
) {{strict}};
CREATE UNIQUE INDEX content_folders_siblings ON content_folders (environment, parent, alias);
CREATE INDEX content_folders_path ON content_folders (environment, path);

CREATE TABLE content_components (
    key {{text}} PRIMARY KEY,
    environment {{text}} NOT NULL REFERENCES content_environments (key) ON DELETE CASCADE,
    name {{text}} NOT NULL,
    description {{text}},
    content_type {{text}} NOT NULL,
    created_at {{bigint}} NOT NULL
) {{strict}};
CREATE INDEX content_components_environment ON content_components (environment, created_at);

-- `owner` is a folder or a component. `shape` is the published form: the field tree with its components in place.
CREATE TABLE content_versions (
    key {{text}} PRIMARY KEY,
    environment {{text}} NOT NULL REFERENCES content_environments (key) ON DELETE CASCADE,
    owner {{text}} NOT NULL,
    name {{text}} NOT NULL,
    description {{text}},
    status {{text}} NOT NULL,
    number {{bigint}},
    shape {{blob}},
    created_at {{bigint}} NOT NULL,
    published_at {{bigint}},
    archived_at {{bigint}}
) {{strict}};
CREATE INDEX content_versions_owner ON content_versions (owner, created_at);
CREATE UNIQUE INDEX content_versions_number ON content_versions (owner, number);
CREATE UNIQUE INDEX content_versions_published ON content_versions (owner) WHERE status = 'published';

CREATE TABLE content_fields (
    version {{text}} NOT NULL REFERENCES content_versions (key) ON DELETE CASCADE,
    path {{text}} NOT NULL,
    key {{text}} NOT NULL,
    parent {{text}},
    position {{bigint}} NOT NULL,
    name {{text}} NOT NULL,
    description {{text}},
    type {{text}} NOT NULL,
    meta {{blob}} NOT NULL,
    required INTEGER NOT NULL,
    nullable INTEGER NOT NULL,
    multiple INTEGER NOT NULL,
    localizable INTEGER NOT NULL,
    searchable INTEGER NOT NULL,
    private INTEGER NOT NULL,
    vectorizable INTEGER NOT NULL,
    component {{text}},
    component_version {{text}},
    PRIMARY KEY (version, path)
) {{strict}};
CREATE INDEX content_fields_component ON content_fields (component);
