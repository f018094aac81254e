"""Who may do what where: guilds, members, roles and overwrites as the permission algorithm needs them.

rules.py       the bits and the algorithm, pure; start here
records.py     guilds, channels, members and roles as the database holds them
service.py     loads a caller's standing in a guild or channel, or raises the right refusal

Every room that touches a guild or channel asks here first. It writes nothing.
"""
