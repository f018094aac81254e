"""Bans of a guild: by account and by the address the account came from. Start at service.py."""
