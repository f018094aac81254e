"""The chains payments may be on, and reading them through their nodes.

registry.py   which chains exist, their tokens and names (pure)
decoding.py   JSON-RPC answers → typed facts; anything undecodable is a failure of the node
nodes.py      JSON-RPC over HTTP: retries, several URLs, circuit breakers, chain id checks
service.py    `ChainReader`: what a transaction is, whether an address has code; caches and the fault port
views.py      how a chain looks from outside
endpoints.py  GET /chains

The payment room judges what is read here; wallets and the facilitator read here too. Start at service.py.
"""
