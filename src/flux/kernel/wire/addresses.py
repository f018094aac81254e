"""Who is really calling: the peer, or what a trusted proxy says about it."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def networks(texts: Sequence[str]) -> list[Network]:
    return [ipaddress.ip_network(text, strict=False) for text in texts]


class Addresses:
    """Believes `X-Forwarded-For` only from trusted peers, and takes its first entry that is an address."""

    def __init__(self, trusted: Sequence[str]) -> None:
        self._trusted = networks(trusted)
        self._verdicts: dict[str, bool] = {}

    def client(self, peer: str, forwarded: str | None) -> str:
        if forwarded is None or not self._is_trusted(peer):
            return peer
        first = forwarded.partition(",")[0].strip()
        try:
            return str(ipaddress.ip_address(first.removeprefix("[").partition("]")[0]))
        except ValueError:
            return peer

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
