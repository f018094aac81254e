"""The way out to addresses that somebody else chose.

guard.py    pure: names, ports and addresses that are never called, and the operator's exemptions
doors.py    where this instance itself listens, which is never called
vetting.py  connections there, as aiohttp makes them; imported when first wanted
calling.py  `Caller`: one POST to such an address, over a connection that was vetted
fetching.py `Fetcher`: the beginning of a page or file at such an address

Planes that call much and far (paygate's relay) have connections of their own, by the same guard.
"""
