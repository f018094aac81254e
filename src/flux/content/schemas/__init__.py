"""Schemas: versions of a folder's or component's model, and the fields in them.

A version is a draft until it is published; then it is locked and gets a number, and the one before is archived.
Publishing compiles the field tree, components in place, into a `Shape` (content/shape) and keeps it with the version.

service.py   versions: create, publish, archive, what the current shape is
fields.py    fields of a draft
embedding.py components inside schemas: pins, refreshing dependents
Other rooms visit `Schemas.published` and `Schemas.shape`. Start at service.py.
"""
