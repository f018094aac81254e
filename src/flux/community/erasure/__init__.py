"""The end of an account: its people's data goes, what it said to others stays, under nobody's name. Start at service.py.

The day is set by the account's owner (account) or from above (admin); a durable job comes back on it.
"""
