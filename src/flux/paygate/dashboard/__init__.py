"""Numbers for a wallet: what it sold, what it spent, and how one listing does.

service.py    `Dashboard`
schemas.py    queries
endpoints.py  GET /dashboard, GET /apis/{apiId}/analytics

Reads listings, calls and credit through their services; keeps nothing.
"""
