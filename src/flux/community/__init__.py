"""The community: people, guilds, channels, messages, bots, and a realtime gateway.

plane.py       puts the rooms together; start here
gate.py        who is let in, how often, in which order it is asked;  principals.py  who is asking
envelope.py    how failures are spelled;  faults/  what they are
inputs.py      what bodies share: trimming, bitfields;  announcing.py  what happened, told to the bus

Rooms, lower ones first; a room uses only rooms above it in this list:
users          accounts, their tags, profiles and settings
auth           registration, login, sessions, mail tokens, sudo
standing       who may do what where: the permission algorithm
account        one's own account
roles  channels  members  guilds
relationships  friends, blocks, who may write to whom
messages       sending, editing, pins, reactions, saved messages
conversations  direct and group
oauth2         applications, bots, consent, tokens
bans  invites
realtime       the gateway
admin          what the operator may do to all of them
instance       discovery, health, the gateway's address
"""
