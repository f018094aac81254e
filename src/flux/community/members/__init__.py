"""Membership: joining, leaving, nicknames, roles held, time-outs, kicks.

service.py   reading and changing members;  joining.py  how one becomes a member and stops being one

Guilds, invites, bans and OAuth2 consent add and remove members through joining.py. Uses roles and standing.
"""
