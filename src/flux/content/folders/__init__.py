"""Folders (collections): the tree that content lies in; an alias becomes a URL segment of delivery.

A collection has one schema (room `schemas`), a composite folder gives each resource a component of its own. A strict
child stores its parent resource with every resource. Other rooms visit `Folders.find` with a key, path or alias.
Start at service.py.
"""
