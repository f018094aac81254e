"""Endpoints a hostile provider might list to reach the gateway's own network. `{p}` is a port where a trap listens."""

from __future__ import annotations

ADDRESSES_4 = (
    "127.0.0.1", "127.1.2.3", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.254", "100.64.0.1",
    "100.100.100.200", "169.254.169.254", "169.254.170.2", "172.16.0.1", "172.31.255.254", "192.0.0.192", "192.0.2.1",
    "192.88.99.1", "192.168.0.1", "192.168.255.254", "198.18.0.1", "198.19.255.254", "198.51.100.1", "203.0.113.1",
    "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
)  # fmt: skip
ADDRESSES_6 = (
    "::", "::1", "0:0:0:0:0:0:0:1", "::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:169.254.169.254", "::ffff:10.0.0.1",
    "::127.0.0.1", "::ffff:0:7f00:1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1", "2002:7f00:1::",
    "2002:a9fe:a9fe::1", "2002:c0a8:1::1", "2001::1", "2001:db8::1", "100::1", "fc00::1", "fd00:ec2::254", "fe80::1",
    "fec0::1", "ff02::1", "3fff::1", "5f00::1",
)  # fmt: skip
ODD_HOSTS = (
    "2130706433", "017700000001", "0x7f000001", "0x7f.1", "0x7f.0x0.0x0.0x1", "0177.0.0.1", "00000177.0.0.1", "127.1",
    "127.0.1", "127.0.0.01", "127.0.0.1.", "0", "0x0", "1.2.3.4.5", "127.0.0.1.5", "256.256.256.256", "3232235521",
    "[::1%25lo]", "[fe80::1%25eth0]", "[::1", "::1", "[127.0.0.1]", "[::ffff:127.0.0.1.]",
    "\uff11\uff12\uff17.0.0.1", "\u2460\u2461\u2466.0.0.1", "127\u30020\u30020\u30021", "127.0.0.1\u3002",
    "localhost", "LOCALHOST", "localhost.", "a.localhost", "printer.local", "metadata.google.internal",
    "METADATA.INTERNAL.", "\uff4cocalhost", "loc\u00adalhost",
)  # fmt: skip
NAMES = {
    "private.test": ["127.0.0.1"],
    "six.test": ["::1"],
    "mapped.test": ["::ffff:127.0.0.1"],
    "mixed.test": ["1.1.1.1", "127.0.0.1"],
    "mixed-six.test": ["1.1.1.1", "::1"],
    "chain.test": ["127.0.0.1"],
    "metadata.test": ["169.254.169.254"],
    "unknown.test": [],
}
"""Names, and what the DNS says of them."""
TRICKS = (
    "http://public.test@127.0.0.1:{p}/", "http://127.0.0.1:{p}@public.test/", "http://u:p@127.0.0.1:{p}/",
    "http://public.test\\@127.0.0.1:{p}/", "http:\\\\127.0.0.1:{p}\\", "http:///127.0.0.1:{p}/", "//127.0.0.1:{p}/",
    "http:127.0.0.1:{p}", "http://127.0.0.1:{p}#@public.test/", "http://127.0.0.1:{p}?@public.test/",
    "http://127.0.0.1\t:{p}/", "http://127.0.0.1:{p}\r\nX: y/", "http://127.0.0.1:{p}\x00.public.test/",
    "http://127.0.0.1%00.public.test:{p}/", "http://%31%32%37.0.0.1:{p}/", "http://127.0.0.1%2f@public.test:{p}/",
    "ftp://127.0.0.1:{p}/", "file:///etc/passwd", "gopher://127.0.0.1:{p}/", "unix:///run/x", "javascript:1",
    "http://public.test:22/", "http://public.test:25/", "http://public.test:0/", "http://public.test:65536/", "http://public.test:6379/",
    "http://public.test:+80/", "http://public.test:\uff18\uff10/", "http://:{p}/", "http://.:{p}/", "http://..:{p}/",
)  # fmt: skip


def urls(port: int) -> list[str]:
    """All of them."""
    hosts = [*ADDRESSES_4, *(f"[{address}]" for address in ADDRESSES_6), *ODD_HOSTS, *NAMES]
    return [f"http://{host}:{port}/" for host in hosts] + [trick.format(p=port) for trick in TRICKS]
