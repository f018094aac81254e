"""Components: schemas without content, embedded by nested fields and chosen by resources of composite folders.

Their versions and fields are those of the room `schemas`. Start at service.py.
"""
