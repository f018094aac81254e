"""The way out: which addresses on the network may be called, and connecting to exactly those.

guard.py      pure: names, ports and addresses that are never called, and the operator's exemptions
paths.py      pure: what of a path may go on; the joined URL
resolving.py  names to addresses: the system's resolver, or DNS servers of the operator's choice
connection.py one HTTP/1.1 connection, on httptools
breaker.py    who does not answer is left alone for a while
pool.py       connections to vetted addresses, kept alive for seconds
dialer.py     `Dialer`: the reachability probe, and opening a target's response

The listings room probes through here and the relay calls through here; nobody else speaks to targets.
"""
