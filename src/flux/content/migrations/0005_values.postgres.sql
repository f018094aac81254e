-- What queries compare, by slot and document. Two files, because SQLite clusters these tables by their key.

-- Integers, numbers, booleans (0/1); days, times and instants in microseconds.
CREATE TABLE content_numbers (
    slot {{bigint}} NOT NULL,
    doc {{bigint}} NOT NULL,
    ord {{bigint}} NOT NULL,
    value {{real}} NOT NULL,
    PRIMARY KEY (doc, slot, ord)
);
CREATE INDEX content_numbers_value ON content_numbers (slot, value, doc);

-- Strings and references. `folded` is the case-folded form for the operators that ignore case; `folded_head` its
-- first characters, because folding can make a short string long and index entries are bounded.
CREATE TABLE content_strings (
    slot {{bigint}} NOT NULL,
    doc {{bigint}} NOT NULL,
    ord {{bigint}} NOT NULL,
    value {{text}} NOT NULL,
    folded {{text}} NOT NULL,
    folded_head {{text}} NOT NULL,
    PRIMARY KEY (doc, slot, ord)
);
CREATE INDEX content_strings_value ON content_strings (slot, value, doc);
CREATE INDEX content_strings_folded ON content_strings (slot, folded_head, doc);

-- Long texts: filtered by reading them, never by an index on the value.
CREATE TABLE content_texts (
    slot {{bigint}} NOT NULL,
    doc {{bigint}} NOT NULL,
    ord {{bigint}} NOT NULL,
    value {{text}} NOT NULL,
    folded {{text}} NOT NULL,
    PRIMARY KEY (doc, slot, ord)
);
CREATE INDEX content_texts_slot ON content_texts (slot, doc);

-- Which words stand where, for text search. `positions` are 32-bit little-endian numbers, ascending; the values of a
-- field with several are far apart, so that no phrase reaches over two of them.
CREATE TABLE content_words (
    slot {{bigint}} NOT NULL,
    word {{text}} NOT NULL,
    doc {{bigint}} NOT NULL,
    positions {{blob}} NOT NULL,
    PRIMARY KEY (slot, word, doc)
);
CREATE INDEX content_words_doc ON content_words (doc);

-- How many words a document has in a slot, to weigh them by.
CREATE TABLE content_lengths (
    slot {{bigint}} NOT NULL,
    doc {{bigint}} NOT NULL,
    words {{bigint}} NOT NULL,
    PRIMARY KEY (doc, slot)
);
CREATE INDEX content_lengths_slot ON content_lengths (slot, words);

-- Embeddings of vectorizable fields and caller-supplied vectors: 32-bit little-endian floats of unit length.
CREATE TABLE content_vectors (
    slot {{bigint}} NOT NULL,
    doc {{bigint}} NOT NULL,
    ord {{bigint}} NOT NULL,
    vector {{blob}} NOT NULL,
    PRIMARY KEY (slot, doc, ord)
);
CREATE INDEX content_vectors_doc ON content_vectors (doc);
