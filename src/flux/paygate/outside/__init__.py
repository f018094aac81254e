"""The way out: which addresses on the network may be called, and connecting to exactly those.

guard.py      pure: names, ports and addresses that are never called, and the operator's exemptions
connector.py  aiohttp connections to vetted addresses

The listings room probes through here and the relay calls through here; nobody else speaks to targets.
"""
