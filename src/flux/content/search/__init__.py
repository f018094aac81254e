"""Search: from a query's words to the documents that answer it.

problems.py    collecting everything that is wrong with a query, by the paths as sent
operators.py   the operators of `where`, their operands by field type
where.py       the filter grammar, from a body or from query parameters to a tree of conditions
plan.py        the tree and everything else a search is made of
cursors.py     page tokens
repository.py  a plan as SQL over the projection
service.py     running it

Delivery visits this room with a shape and a request; nothing here knows URLs or access. Start at plan.py.
"""
