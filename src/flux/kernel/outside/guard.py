"""Server-side request forgery: somebody else chooses the URL, so the URL may point at us or our neighbours.

Every address a name resolves to must be public, the connection goes to the address that was vetted, and hosts that
parsers read differently (octal, hex, integers) are refused. Operators exempt development targets by `host:port` or
CIDR.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Sequence

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

_BLOCKED_4 = [
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
    )
]  # fmt: skip
_BLOCKED_6 = [
    ipaddress.IPv6Network(text)
    for text in (
        "::/128", "::1/128", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "3fff::/20",
        "fc00::/7", "fe80::/10", "ff00::/8",
    )
]  # fmt: skip
_GLOBAL_6 = ipaddress.IPv6Network("2000::/3")
_MAPPED = ipaddress.IPv6Network("::ffff:0:0/96")
_SIX_TO_FOUR = ipaddress.IPv6Network("2002::/16")
_NUMERIC_LABEL = re.compile(r"(\d+|0[xX][0-9a-fA-F]*)\Z")
_HOST_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*\Z")
_PRIVATE_SUFFIXES = (".local", ".internal", ".localhost")
FIRST_FREE_PORT = 1024
WELL_KNOWN_PORTS = (80, 443)


class NotAllowed(Exception):
    """The target must not be called. The argument says why, for the log only."""


def is_public(address: IPAddress) -> bool:
    """Whether an address is one of the open internet. Embedded IPv4 addresses are judged as what they are."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _BLOCKED_4)
    if address in _MAPPED:
        return is_public(unwrapped(address))
    if address in _SIX_TO_FOUR:
        return is_public(ipaddress.IPv4Address(int(address) >> 80 & 0xFFFFFFFF))
    return address in _GLOBAL_6 and not any(address in network for network in _BLOCKED_6)


def unwrapped(address: IPAddress) -> IPAddress:
    """An IPv4 address that is written as an IPv6 one, as itself."""
    if isinstance(address, ipaddress.IPv6Address) and address in _MAPPED:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def literal(host: str) -> IPAddress | None:
    """The address a host is, in the one notation everybody reads alike; None for a name.

    Raises `NotAllowed` for odd notations, zone ids and what is neither an address nor a name.
    """
    if host.startswith("[") or ":" in host:
        try:
            return ipaddress.IPv6Address(host.strip("[]") if "%" not in host else "")
        except ValueError:
            raise NotAllowed("not an IPv6 address") from None
    bare = host.removesuffix(".").lower()
    if _NUMERIC_LABEL.match(bare.rpartition(".")[2]):
        try:
            return ipaddress.IPv4Address(host)
        except ValueError:
            raise NotAllowed("an address in an odd notation") from None
    if len(bare) > 253 or not _HOST_NAME.match(bare):
        raise NotAllowed("not a host name")
    return None


class Guard:
    """The rules of this instance. `own_names` are hosts that the instance itself answers to; `leads_home` tells of an
    address and a port whether it listens there, which no exemption opens; `setting` is what an operator calls `allowed`,
    for the complaint about an entry that cannot be read."""

    def __init__(
        self,
        allowed: Sequence[str] = (),
        denied_ports: Iterable[int] = (),
        own_names: Iterable[str] = (),
        *,
        setting: str = "allowed_targets",
        leads_home: Callable[[IPAddress, int], bool] | None = None,
    ) -> None:
        self._setting = setting
        self._leads_home = leads_home
        self._networks: list[IPNetwork] = []
        self._targets: set[tuple[str, int]] = set()
        self._denied_ports = frozenset(denied_ports)
        self._own_names = {name.lower().removesuffix(".") for name in own_names if name}
        for entry in allowed:
            self._read(entry)

    def _read(self, entry: str) -> None:
        host, colon, port = entry.rpartition(":")
        if colon and port.isdigit() and (":" not in host or host.startswith("[")):
            self._targets.add((host.strip("[]").lower().removesuffix("."), int(port)))
            return
        try:
            self._networks.append(ipaddress.ip_network(entry, strict=False))
        except ValueError:
            raise ValueError(f"{self._setting}: {entry!r} is neither host:port nor a CIDR") from None

    def is_exempt(self, host: str, port: int) -> bool:
        return (host.strip("[]").lower().removesuffix("."), port) in self._targets

    def check_host(self, host: str, port: int) -> IPAddress | None:
        """Names and ports, before anything is resolved; the address when the host is one. Raises `NotAllowed`."""
        if self.is_exempt(host, port):
            try:
                return literal(host)
            except NotAllowed:
                return None
        address = literal(host)
        if (
            port not in WELL_KNOWN_PORTS and not FIRST_FREE_PORT <= port <= 65_535
        ) or port in self._denied_ports:
            raise NotAllowed(f"port {port}")
        if address is not None:
            self.check_address(host, port, address)
            return address
        name = host.lower().removesuffix(".")
        if name == "localhost" or name.endswith(_PRIVATE_SUFFIXES):
            raise NotAllowed("a name of a private network")
        if name in self._own_names:
            raise NotAllowed("the instance itself")
        return None

    def check_address(self, host: str, port: int, address: IPAddress) -> None:
        """Raises `NotAllowed` unless the address may be connected to for that target."""
        if self._leads_home is not None and self._leads_home(address, port):
            raise NotAllowed(f"{address}, port {port}: the instance itself")
        if self.is_exempt(host, port) or any(address in network for network in self._networks):
            return
        if not is_public(address):
            raise NotAllowed(f"{address} is not a public address")

    def check_all(self, host: str, port: int, addresses: Sequence[str]) -> None:
        """Every address a name resolved to must pass: one private one spoils the name."""
        for text in addresses:
            self.check_address(host, port, ipaddress.ip_address(text.partition("%")[0]))
