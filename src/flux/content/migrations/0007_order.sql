-- Reading a folder in the order of one field without sorting it: the key decides among equal values, so it stands beside
-- them, ascending under either direction of the value.

ALTER TABLE content_numbers ADD COLUMN key {{text}} NOT NULL DEFAULT '';
UPDATE content_numbers SET key = (SELECT d.key FROM content_documents d WHERE d.id = content_numbers.doc)
WHERE EXISTS (SELECT 1 FROM content_documents d WHERE d.id = content_numbers.doc);
DROP INDEX content_numbers_value;
CREATE INDEX content_numbers_value ON content_numbers (slot, value, key, doc);
CREATE INDEX content_numbers_down ON content_numbers (slot, value DESC, key, doc);

ALTER TABLE content_strings ADD COLUMN key {{text}} NOT NULL DEFAULT '';
UPDATE content_strings SET key = (SELECT d.key FROM content_documents d WHERE d.id = content_strings.doc)
WHERE EXISTS (SELECT 1 FROM content_documents d WHERE d.id = content_strings.doc);
DROP INDEX content_strings_value;
CREATE INDEX content_strings_value ON content_strings (slot, value, key, doc);
CREATE INDEX content_strings_down ON content_strings (slot, value DESC, key, doc);
