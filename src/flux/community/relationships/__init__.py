"""Friends, requests and blocks between two accounts, and who may write to whom. Start at service.py.

Each side has a row of its own; a block is on the blocker's side only. Conversations and messages ask this room
whether one may talk to the other.
"""
