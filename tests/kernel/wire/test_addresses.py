"""Who is calling, as far as trusted peers say."""

from __future__ import annotations

import pytest

from flux.kernel.wire.addresses import Addresses

ADDRESSES = Addresses(["10.0.0.0/8", "fd00::/8"])


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("fd00::1", "203.0.113.9", "203.0.113.9"),
        ("198.51.100.1", "203.0.113.9", "198.51.100.1"),
        ("11.0.0.1", "10.0.0.2", "11.0.0.1"),
        ("10.0.0.1", "203.0.113.9, 198.51.100.7, 10.0.0.2", "198.51.100.7"),
        ("10.0.0.1", "203.0.113.9, junk, 10.0.0.2", "10.0.0.2"),
        ("unix", "203.0.113.9", "unix"),
    ],
)
def test_only_trusted_peers_are_believed(peer: str, forwarded: str | None, client: str) -> None:
    assert ADDRESSES.client(peer, forwarded) == client
