"""Where this instance itself is to be reached, so that nobody makes it call itself: each such call would bring forth the
next one, and on loopback it would come from a neighbour that is trusted."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable

from flux.kernel.outside.guard import IPAddress, unwrapped


class Doors:
    """The addresses and ports that this instance listens on."""

    def __init__(self, listening: Iterable[tuple[str, int]] = ()) -> None:
        self._by_port: dict[int, set[IPAddress]] = {}
        for host, port in listening:
            self._by_port.setdefault(port, set()).add(unwrapped(ipaddress.ip_address(host)))

    @classmethod
    def of(cls, listeners: Iterable[socket.socket]) -> Doors:
        return cls(listener.getsockname()[:2] for listener in listeners)

    def leads_home(self, address: IPAddress, port: int) -> bool:
        """Whether who connects there is answered by this instance."""
        doors = self._by_port.get(port)
        if doors is None:
            return False
        address = unwrapped(address)
        if address.is_unspecified:
            # Connecting to no address in particular connects to this machine.
            return True
        return address in doors or (any(door.is_unspecified for door in doors) and _is_ours(address))


def _is_ours(address: IPAddress) -> bool:
    """One of this machine's addresses: nobody can bind another machine's."""
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True
