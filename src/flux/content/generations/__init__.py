"""Generations: numbers that grow when what delivery can see changes, so that caches know when they are old.

A scope is an environment's key (its structure: APIs, schemas, locales, roles, keys) or a folder's key (its published
content). Every room that changes such things visits `advance` in the same unit of work; delivery reads them.
`Generations` keeps them in memory where one process
sees every commit. Start at service.py.
"""
