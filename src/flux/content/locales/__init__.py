"""Locales: the languages of an environment, exactly one of them the default.

Writing checks translations against `Locales.of`, delivery shows them by it. Deleting a locale hides its data and
keeps it stored; changing the default moves nothing. Start at service.py.
"""
