"""Invites: codes that let people into a guild (service.py) or into a group (groups.py).

Uses guilds, members, bans, conversations and messages (the welcome). Start at service.py.
"""
