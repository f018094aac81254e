"""Hostile forms of addresses that lead to us or our neighbours."""

from __future__ import annotations

import ipaddress

import pytest

from flux.kernel.outside.doors import Doors
from flux.paygate.listings.targets import BadTarget, parse_target
from flux.paygate.outside.guard import Guard, NotAllowed, is_public


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254", "172.16.0.1",
        "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.255",
        "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1",
        "64:ff9b::808:808", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "fc00::1", "fd12::1",
        "fe80::1", "ff02::1", "fec0::1", "4000::1",
    ],
)  # fmt: skip
def test_private_and_reserved_addresses(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "8.8.8.8",
        "100.63.255.255",
        "100.128.0.1",
        "172.15.0.1",
        "172.32.0.1",
        "2606:4700::1111",
        "::ffff:8.8.8.8",
        "2002:808:808::1",
    ],
)
def test_public_addresses(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "host",
    [
        "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "017700000001", "127.1", "127.0.1", "127.0.0.1.",
        "127.0.0.0x1", "0x", "1.2.3.4.5", "256.1.1.1", "localhost", "LOCALHOST", "localhost.", "x.localhost", "printer.local",
        "metadata.internal", "METADATA.GOOGLE.INTERNAL.", "gateway.example", "Gateway.Example.", "127.0.0.1", "10.1.2.3",
        "[::1]", "::1", "[::ffff:127.0.0.1]", "[fe80::1%25eth0]", "fe80::1%eth0", "[::", "a b", "-a.example", "a..b", "",
        "a" * 64 + ".example", "ex_ämple.com",
    ],
)  # fmt: skip
def test_hosts_that_are_never_called(host: str) -> None:
    with pytest.raises(NotAllowed):
        Guard(own_names=["gateway.example"]).check_host(host, 443)


@pytest.mark.parametrize("port", [0, 1, 22, 25, 79, 442, 1023, 65536, 6379])
def test_ports_that_are_never_called(port: int) -> None:
    with pytest.raises(NotAllowed):
        Guard(denied_ports=[6379]).check_host("api.example.com", port)


@pytest.mark.parametrize("port", [80, 443, 1024, 8080, 65535])
def test_ports_that_may_be_called(port: int) -> None:
    assert Guard().check_host("api.example.com", port) is None


def test_one_private_address_spoils_a_name() -> None:
    guard = Guard()
    guard.check_all("api.example.com", 443, ["1.1.1.1", "2606:4700::1111"])
    with pytest.raises(NotAllowed):
        guard.check_all("api.example.com", 443, ["1.1.1.1", "127.0.0.1"])


def test_a_host_and_port_may_be_exempt() -> None:
    guard = Guard(allowed=["127.0.0.1:8123", "dev.local:9000", "[::1]:7000"])
    assert str(guard.check_host("127.0.0.1", 8123)) == "127.0.0.1"
    assert guard.check_host("dev.local", 9000) is None
    assert str(guard.check_host("::1", 7000)) == "::1"
    guard.check_all("dev.local", 9000, ["127.0.0.1", "10.0.0.1"])
    for host, port in (("127.0.0.1", 8124), ("127.0.0.2", 8123), ("dev.local", 9001), ("::1", 7001)):
        with pytest.raises(NotAllowed):
            guard.check_host(host, port)


def test_a_network_may_be_exempt() -> None:
    guard = Guard(allowed=["127.0.0.0/8"])
    assert str(guard.check_host("127.0.0.9", 8123)) == "127.0.0.9"
    guard.check_all("api.example.com", 443, ["127.1.2.3"])
    with pytest.raises(NotAllowed):
        guard.check_host("10.0.0.1", 8123)


def test_a_misspelt_exemption_is_found_at_once() -> None:
    with pytest.raises(ValueError, match="allowed_targets"):
        Guard(allowed=["somewhere"])


@pytest.mark.parametrize(
    ("written", "base"),
    [
        ("https://API.Example.com", "https://api.example.com"),
        ("https://api.example.com:443/", "https://api.example.com"),
        ("HTTPS://api.example.com/v1/", "https://api.example.com/v1"),
        ("http://api.example.com:80/a", "http://api.example.com/a"),
        ("https://api.example.com:8443/a%20b", "https://api.example.com:8443/a%20b"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("http://[::1]:8080/x", "http://[::1]:8080/x"),
    ],
)
def test_targets_have_one_spelling(written: str, base: str) -> None:
    target = parse_target(written, allow_http=True)
    assert target.base == base


@pytest.mark.parametrize(
    "text",
    ["", "ftp://x", "//x", "x", "https://", "https:///x", "https://u:p@x.example", "https://u@x.example", "https://x.example/?q",
     "https://x.example/#f", "https://x.example/a/../b//c", "https://x.example/a b", "https://x.example:0", "https://x.example:99999",
     "https://x.example:abc", "https://x.example:+443", "https://x.example:8_0", "https://x.example:\uff18\uff10",
     "https://[::ffff:127.0.0.1.]", "https://[::1]x", "https://x.example:", "https://x.example\\@y", "javascript:alert(1)", "https://x.example/\x00", "https://" + "a" * 3000],
)  # fmt: skip
def test_what_is_no_target(text: str) -> None:
    with pytest.raises(BadTarget):
        parse_target(text, allow_http=True)


def test_http_needs_permission() -> None:
    with pytest.raises(BadTarget):
        parse_target("http://api.example.com", allow_http=False)


def test_a_target_knows_its_parts() -> None:
    target = parse_target("https://api.example.com:8443/v1", allow_http=False)
    assert (target.host, target.port, target.authority, target.base_path) == (
        "api.example.com",
        8443,
        "api.example.com:8443",
        "/v1",
    )
    assert parse_target("https://api.example.com", allow_http=False).base_path == ""


@pytest.mark.parametrize(
    ("listening", "address", "port", "home"),
    [
        ("127.0.0.1", "127.0.0.1", 8080, True),
        ("127.0.0.1", "::ffff:127.0.0.1", 8080, True),
        ("127.0.0.1", "0.0.0.0", 8080, True),
        ("127.0.0.1", "::", 8080, True),
        ("127.0.0.1", "127.0.0.1", 8081, False),
        ("127.0.0.1", "127.0.0.2", 8080, False),
        ("0.0.0.0", "127.0.0.1", 8080, True),
        ("0.0.0.0", "127.9.9.9", 8080, True),
        ("0.0.0.0", "8.8.8.8", 8080, False),
        ("::", "127.0.0.1", 8080, True),
        ("::", "2606:4700::1111", 8080, False),
    ],
)  # fmt: skip
def test_the_instance_itself(listening: str, address: str, port: int, home: bool) -> None:
    doors = Doors([(listening, 8080)])
    assert doors.leads_home(ipaddress.ip_address(address), port) is home
    guard = Guard(
        [f"{address}:{port}" if ":" not in address else f"[{address}]:{port}"], leads_home=doors.leads_home
    )
    if home:
        with pytest.raises(NotAllowed, match="the instance itself"):
            guard.check_all(address, port, [address])
    else:
        guard.check_all(address, port, [address])
