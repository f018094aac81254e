"""Channels of guilds, and how any channel looks on the wire.

rules.py       types, defaults, what may stand under what
service.py     reading, creating, changing and deleting;  overwrites.py  permissions of one channel

Private conversations are made by relationships; they share the tables and the view. Start at service.py.
"""
