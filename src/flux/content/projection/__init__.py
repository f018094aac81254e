"""The published projection: what delivery reads, written when something is published. Delivery never reads authoring.

A document is one published resource: its encoded `{"_sys", "data"}` and typed, indexed values for each searchable
field. A slot is the number of one searchable field of a folder in one locale. Authoring visits `put` and `remove`,
folders and organisations visit `remove_folders` and `remove_environment`, schemas visit `schema_changed`.

rules.py       from a document to its index values
tags.py        a few bits of each value beside every index entry, to rule documents out by
repository.py  the tables; words_repository.py  the words; counts_repository.py  how many there are of each
jobs.py        indexing a folder again after its schema changed
Start at service.py.
"""
