"""Resources and their revisions: content as it is written.

A resource has metadata and numbered revisions; one revision at most is published, and only that one is delivered.

service.py     resources: create, upsert, change, delete
revisions.py   revisions: create, change, validate, publish, unpublish
writing.py     what both do inside a unit of work: check data, add a revision, publish it
Delivery's writes visit `Writing`. Start at writing.py.
"""
