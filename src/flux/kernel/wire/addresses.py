"""Who is really calling: the peer, or what a trusted proxy says about it."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def networks(texts: Sequence[str]) -> list[Network]:
    return [ipaddress.ip_network(text, strict=False) for text in texts]


class Addresses:
    """Believes `X-Forwarded-For` as far as it was written by trusted peers.

    Each proxy appends whom it heard from, so the list is read from its end: the first address that is not a trusted
    proxy's is the client's. What stands before it is the client's own word.
    """

    def __init__(self, trusted: Sequence[str]) -> None:
        self._trusted = networks(trusted)
        self._verdicts: dict[str, bool] = {}

    def client(self, peer: str, forwarded: str | None) -> str:
        """`forwarded` holds every such header of the request, in order, joined by commas."""
        if forwarded is None or not self._is_trusted(peer):
            return peer
        nearest = peer
        for entry in reversed(forwarded.split(",")):
            address = _address(entry)
            if address is None:
                break
            nearest = address
            if not self._is_trusted(address):
                break
        return nearest

    def _is_trusted(self, peer: str) -> bool:
        verdict = self._verdicts.get(peer)
        if verdict is None:
            try:
                address = ipaddress.ip_address(peer)
                verdict = any(address in network for network in self._trusted)
            except ValueError:
                verdict = False
            if len(self._verdicts) > 10_000:
                self._verdicts.clear()
            self._verdicts[peer] = verdict
        return verdict


def _address(entry: str) -> str | None:
    """`203.0.113.9`, `203.0.113.9:4711`, `2001:db8::1`, `[2001:db8::1]:4711`; None for anything else."""
    text = entry.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = found.ipv4_mapped if found.version == 6 else None
    return str(mapped or found)
