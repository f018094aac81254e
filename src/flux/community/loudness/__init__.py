"""How much of a guild, or of conversations, somebody wants to be told. Start at service.py.

The server keeps these settings for the clients, which act on them.
"""
