"""Guilds themselves: creating, reading, changing, deleting, and their whole state for the realtime gateway.

Their parts live in roles, channels and members, which this room puts together. Start at service.py; state.py is what
a client gets when it connects.
"""
