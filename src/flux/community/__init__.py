"""The community: people, guilds, channels, messages, bots, and a realtime gateway.

plane.py       puts the rooms together; start here
gate.py        who is let in, how often, in which order it is asked;  principals.py  who is asking
envelope.py    how failures are spelled;  faults/  what they are
inputs.py      what bodies share: trimming, bitfields;  announcing.py  what happened, told to the bus

Rooms, lower ones first; a room uses only rooms above it in this list:
users          accounts and their profiles
media          images of people and guilds
auth           registration, sessions, mail tokens, sudo
oauth2         applications, bots, consent, tokens
standing       who may do what where: the permission algorithm
roles channels members guilds invites bans messages relationships
realtime       the gateway
admin          what the operator may do to all of them
instance       discovery, health, the gateway's address
"""
