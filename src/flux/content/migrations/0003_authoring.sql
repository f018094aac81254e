-- Content as it is written: resources and their revisions.

CREATE TABLE content_resources (
    key {{text}} PRIMARY KEY,
    environment {{text}} NOT NULL REFERENCES content_environments (key) ON DELETE CASCADE,
    folder {{text}} NOT NULL REFERENCES content_folders (key) ON DELETE CASCADE,
    component {{text}},
    external_id {{text}},
    name {{text}},
    resource_owner {{text}},
    current_revision {{text}},
    last_number {{bigint}} NOT NULL,
    vectors_size {{bigint}} NOT NULL,
    created_at {{bigint}} NOT NULL,
    updated_at {{bigint}} NOT NULL
) {{strict}};
CREATE UNIQUE INDEX content_resources_external_id ON content_resources (folder, external_id);
CREATE INDEX content_resources_folder ON content_resources (folder, created_at, key);
CREATE INDEX content_resources_owner ON content_resources (resource_owner);
CREATE INDEX content_resources_component ON content_resources (component);

CREATE TABLE content_revisions (
    key {{text}} PRIMARY KEY,
    resource {{text}} NOT NULL REFERENCES content_resources (key) ON DELETE CASCADE,
    number {{bigint}} NOT NULL,
    schema_version {{text}} NOT NULL,
    status {{text}} NOT NULL,
    data {{blob}} NOT NULL,
    size {{bigint}} NOT NULL,
    is_valid INTEGER,
    created_at {{bigint}} NOT NULL,
    published_at {{bigint}},
    unpublished_at {{bigint}}
) {{strict}};
CREATE UNIQUE INDEX content_revisions_number ON content_revisions (resource, number);
