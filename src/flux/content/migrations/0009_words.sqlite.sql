-- Text search over FTS5 instead of a row for each word of each document.

-- A row a document, by its id: the words of every slot as `word·slot`, with a lone `·` between the values of a field with
-- several, so that no phrase reaches over two of them. Nothing but the index is kept.
CREATE VIRTUAL TABLE content_fts USING fts5(words, content='', contentless_delete=1, tokenize='ascii');
CREATE VIRTUAL TABLE content_fts_terms USING fts5vocab(content_fts, 'row');

-- Every word that ever stood in a slot, to find those that are alike.
CREATE TABLE content_vocabulary (
    slot {{bigint}} NOT NULL,
    word {{text}} NOT NULL,
    PRIMARY KEY (slot, word)
) STRICT, WITHOUT ROWID;
INSERT INTO content_vocabulary (slot, word) SELECT DISTINCT slot, word FROM content_words;

-- The words stand at 32-bit little-endian positions; behind a gap in them another value begins.
WITH RECURSIVE places(slot, word, doc, stored, at) AS (
    SELECT slot, word, doc, hex(positions), 1 FROM content_words
    UNION ALL
    SELECT slot, word, doc, stored, at + 8 FROM places WHERE at + 8 < length(stored)
),
digits(slot, word, doc, position) AS (
    SELECT slot, word, doc,
        instr('123456789ABCDEF', substr(stored, at, 1)) * 16 + instr('123456789ABCDEF', substr(stored, at + 1, 1))
        + instr('123456789ABCDEF', substr(stored, at + 2, 1)) * 4096 + instr('123456789ABCDEF', substr(stored, at + 3, 1)) * 256
        + instr('123456789ABCDEF', substr(stored, at + 4, 1)) * 1048576 + instr('123456789ABCDEF', substr(stored, at + 5, 1)) * 65536
        + instr('123456789ABCDEF', substr(stored, at + 6, 1)) * 268435456 + instr('123456789ABCDEF', substr(stored, at + 7, 1)) * 16777216
    FROM places
),
spaced(slot, word, doc, position, behind) AS (
    SELECT slot, word, doc, position, lag(position, 1, position - 1) OVER (PARTITION BY doc, slot ORDER BY position) FROM digits
)
INSERT INTO content_fts (rowid, words)
SELECT doc, group_concat(CASE position - behind WHEN 1 THEN '' ELSE '· ' END || word || '·' || slot, ' ' ORDER BY slot, position)
FROM spaced GROUP BY doc;

DROP TABLE content_words;
