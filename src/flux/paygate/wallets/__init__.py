"""Wallet login: Sign-In with Ethereum, and the sessions it opens.

rules.py       pure: what a login message must say here
service.py     `Wallets`: nonces, verifying, sessions
schemas.py     what crosses the wire
repository.py  the only SQL of the room
endpoints.py   POST /auth/nonce, /auth/verify, GET /auth/session, POST /auth/logout

The gate asks `Wallets.session` for every cookie or bearer token. Start at service.py.
"""
