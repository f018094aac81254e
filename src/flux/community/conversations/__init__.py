"""Direct and group conversations: beginning, joining, leaving (service.py), changing a group (groups.py). The channels
themselves are channels/private.py.

Uses relationships (who may talk to whom), channels and messages (the notes that somebody came or went). Start at service.py.
"""
