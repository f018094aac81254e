-- A few bits about each of a document's values beside every entry of its index (projection/tags.py), so that going through one
-- field's order most documents are ruled out without a look at the index of another. -1 rules nothing out: rows written
-- before stay right, and gain the bits when they are published or indexed again.

ALTER TABLE content_numbers ADD COLUMN tags {{bigint}} NOT NULL DEFAULT -1;
DROP INDEX content_numbers_value;
CREATE INDEX content_numbers_value ON content_numbers (slot, value, key, doc, ord, tags);
DROP INDEX content_numbers_down;
CREATE INDEX content_numbers_down ON content_numbers (slot, value DESC, key, doc, ord, tags);

ALTER TABLE content_strings ADD COLUMN tags {{bigint}} NOT NULL DEFAULT -1;
DROP INDEX content_strings_value;
CREATE INDEX content_strings_value ON content_strings (slot, value, key, doc, ord, tags);
DROP INDEX content_strings_down;
CREATE INDEX content_strings_down ON content_strings (slot, value DESC, key, doc, ord, tags);
