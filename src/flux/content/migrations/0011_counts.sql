-- How many documents a folder shows and how many of them have a value in each of its slots, counted as they come and go:
-- whether a list by a field has documents without a value to show is told by two rows instead of by counting.

ALTER TABLE content_slots ADD COLUMN numbers {{bigint}} NOT NULL DEFAULT 0;
ALTER TABLE content_slots ADD COLUMN strings {{bigint}} NOT NULL DEFAULT 0;
UPDATE content_slots SET
    numbers = (SELECT count(*) FROM content_numbers v WHERE v.slot = content_slots.id AND v.ord = 0),
    strings = (SELECT count(*) FROM content_strings v WHERE v.slot = content_slots.id AND v.ord = 0);

CREATE TABLE content_counts (
    folder {{text}} NOT NULL,
    component {{text}} NOT NULL,
    documents {{bigint}} NOT NULL,
    PRIMARY KEY (folder, component)
) {{strict}};

-- By the index alone where no document has a component.
INSERT INTO content_counts (folder, component, documents)
SELECT d.folder, '', count(*) FROM content_documents d
WHERE d.folder NOT IN (SELECT f.key FROM content_folders f WHERE f.folder_type = 'composite') GROUP BY d.folder;
INSERT INTO content_counts (folder, component, documents)
SELECT d.folder, d.component, count(*) FROM content_documents d
WHERE d.folder IN (SELECT f.key FROM content_folders f WHERE f.folder_type = 'composite') GROUP BY d.folder, d.component;
