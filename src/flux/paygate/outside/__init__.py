"""The way out: which addresses on the network may be called, and connecting to exactly those.

guard.py      pure: names, ports and addresses that are never called, and the operator's exemptions
paths.py      pure: what of a path may go on; the joined URL
connector.py  aiohttp connections to vetted addresses
dialer.py     `Dialer`: the reachability probe, and opening a target's response

The listings room probes through here and the relay calls through here; nobody else speaks to targets.
"""
