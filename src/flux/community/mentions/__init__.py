"""Whom messages name. A row for each account, role or guild that is named, not for each person that stands behind it.

Messages are written down by the room messages, in the unit that stores them; what came of it is read in the inbox.
"""
