"""OAuth2: applications and their bots, consent, codes and tokens.

applications.py   making, changing and deleting applications; who a bot token belongs to
consent.py        a user lets an application in, or adds its bot to a guild
tokens.py         codes for tokens, refreshing, revoking, introspection; who a bearer token belongs to
forms.py          the form bodies RFC 6749 asks for

The gate asks applications.py and tokens.py who is calling. Uses users, auth (sudo), roles, members, standing.
"""
