"""`flux content …`: moving content and its structure between environments, over the Management API.

commands.py    the command line, which running.py carries out
target.py      an environment on a server, and talking to it
structure.py   what an environment is made of, without keys: locales, components, folders with fields, APIs
differing.py   pure: what must change to make one structure of another
applying.py    changing it
records.py     pure: the lines of an export; references under other keys
exporting.py   importing.py   resources, page by page, resumable

Knows the server by its API only, so that either end may be another machine.
"""
