"""Headers that were put in the wire's form before: the same as they would be otherwise, and nothing can be smuggled in."""

from __future__ import annotations

from flux.kernel.wire import Headers


def test_own_headers_come_before_common_ones() -> None:
    common = Headers({"Vary": "Origin", "Cache-Control": "no-cache"})
    headers = Headers({"ETag": '"a"'}, common)
    assert headers == {"ETag": '"a"', "Vary": "Origin", "Cache-Control": "no-cache"}
    assert headers.wire == b'etag: "a"\r\nvary: Origin\r\ncache-control: no-cache\r\n'
    assert common.wire == b"vary: Origin\r\ncache-control: no-cache\r\n"


def test_a_value_cannot_begin_a_line() -> None:
    assert Headers({"X": "a\r\nSet-Cookie: b\0"}).wire == b"x: a  Set-Cookie: b \r\n"
    assert Headers({"X": "ä\N{SNOWMAN}"}).wire == "x: ä?\r\n".encode("latin-1")
