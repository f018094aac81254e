"""Invites: codes that let people into a guild. Uses guilds, members, bans and messages (the welcome). Start at service.py."""
