"""Accounts: people and bots, their tags, profiles and settings.

Everybody may ask this room who somebody is. It does not know sessions (auth) nor guilds. Start at service.py;
records.py is an account as the database holds it, schemas.py as others and its owner see it.
"""
