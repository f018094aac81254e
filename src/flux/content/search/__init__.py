"""Search: from a query's words to the documents that answer it.

problems.py    collecting everything that is wrong with a query, by the paths as sent
operators.py   the operators of `where`, their operands by field type
where.py       the filter grammar, from a body or from query parameters to a tree of conditions
plan.py        the tree and everything else a search is made of
blanks.py      what a plan of a known shape leaves open; statements.py its statements, written once
blanks.py      what a plan of a known shape leaves open; statements.py writes its statements, once
cursors.py     page tokens
repository.py  the documents of a plan, by the cheapest way; order_repository.py by a field's
               index; sql_repository.py its parts as SQL
modes.py       text and vector searches: which parts go together
words.py       likeness of words, relevance; lexicon.py what is known of a folder's words; finding.py text search
nearness.py    vector search
ranking.py     searches ordered by relevance or similarity; ranking_repository.py their SQL
service.py     running it

Delivery visits this room with a shape and a request; nothing here knows URLs or access. Start at plan.py.
"""
