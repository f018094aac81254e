"""Delivery: published content over HTTP, from a prefix and a path.

door.py          who comes in: rate limit, environment, API, credentials, role
snapshots.py     an environment's structure in memory, renewed when its generation changes
served.py        what a snapshot holds, and finding the folder that a path means
parameters.py    query parameters and body members that every request understands: paging, locales, view
reading.py       a whole request understood: a plan, a view, joins, populate
shapes.py        requests of a shape that was understood before
service.py       list, get, search: from a request to encoded bytes
presenting.py    documents on their way out: locales, populate, joins
splicing.py      documents put in the place of references, in the bytes; fragments.py keeps them
answers.py       size limit, ETag, 304, the cache of encoded answers; naming.py makes the ETag
introspection.py _router and _schema
writes.py        create and update
Start at service.py; a request comes in at endpoints.py.
"""
