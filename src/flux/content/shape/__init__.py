"""What a document looks like: the field tree of a published schema and what follows from it. Pure, no I/O.

fields.py      `Field` and `Shape`: the tree, with components in place; how it is stored and looked up
types.py       the field types: what their values are, which meta they take, how they are searched
patterns.py    the regular expressions a string field may use, and why not all
checking.py    checking written data against a shape, every problem with its json_path
schemas.py     the JSON schema shown to clients
localising.py  a stored document as a reader sees it: locales, fallback, truncation, projection

Every room may use it. Start at fields.py.
"""
