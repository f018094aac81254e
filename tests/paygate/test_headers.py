from __future__ import annotations

import hashlib
import hmac

import pytest
from msgspec.structs import replace

from flux.kernel.faults import FaultError
from flux.paygate.outside.dialer import Outgoing, head_of
from flux.paygate.relay.answers import body_fault, head_fault, is_charged, is_streamed
from flux.paygate.relay.headers import Pairs, Passage, origin_signature, relocated, to_consumer, to_target
from flux.paygate.relay.proofs import material, presented

PASSAGE = Passage(
    request_id="req-1", call_id="call_1", consumer="0xAb", payment_hash="0x12", amount="0.001", currency="ETH",
    forwarded_proto="https", forwarded_host="gateway.example", client_ip=None, forward_authorization=False, own_key=False,
    secrets={},
)  # fmt: skip


def sent(*pairs: tuple[str, str], **change: object) -> dict[str, str]:
    raw = [(name.lower().encode(), value.encode()) for name, value in pairs]
    return {name.lower(): value for name, value in to_target(raw, replace(PASSAGE, **change))}


def test_hop_by_hop_and_payment_headers_stay_here() -> None:
    dropped = (
        "Connection", "Keep-Alive", "Proxy-Authorization", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "X-Payment-Tx",
        "X-Signature", "X-Timestamp", "x-flux-payment-tx", "x-flux-signature", "x-flux-timestamp", "X-Signature-Timestamp",
        "X-Payment-Chain", "PAYMENT-SIGNATURE", "X-PAYMENT", "Host", "Content-Length", "Expect", "Forwarded",
        "X-Forwarded-For", "X-Forwarded-Anything", "X-Real-IP", "X-Gateway-Signature", "X-Consumer-Name",
        "Access-Control-Expose-Headers", "Authorization", "X-Signature-Version",
    )  # fmt: skip
    found = sent(*((name, "x") for name in dropped), ("Accept", "*/*"))
    ours = {"via", "x-forwarded-proto", "x-forwarded-host", "x-request-id", "x-call-id", "x-consumer-wallet",
            "x-payment-hash", "x-paid-amount", "x-paid-currency"}  # fmt: skip
    assert found.keys() == ours | {"accept"}
    assert found["x-consumer-wallet"] == "0xAb"
    assert found["via"] == "1.1 gateway"


def test_headers_named_by_connection_are_dropped() -> None:
    found = sent(("Connection", "close, X-Secret"), ("X-Secret", "1"), ("X-Other", "2"))
    assert "x-secret" not in found
    assert found["x-other"] == "2"
    assert sent(("TE", "trailers"))["te"] == "trailers"
    assert sent(("Connection", "TE"), ("TE", "trailers"))["te"] == "trailers"
    assert sent(("Connection", "Via"), ("Via", "1.0 edge"))["via"] == "1.1 gateway"


def test_what_a_listing_opts_into() -> None:
    assert sent(("Authorization", "Bearer a"), forward_authorization=True)["authorization"] == "Bearer a"
    assert sent(client_ip="1.2.3.4")["x-forwarded-for"] == "1.2.3.4"
    assert sent(("X-Api-Key", "consumer's"), secrets={"X-API-Key": "provider's"})["x-api-key"] == "provider's"
    [own] = [
        value
        for name, value in to_target(
            [(b"x-api-key", b"consumer's")], replace(PASSAGE, secrets={"X-API-Key": "provider's"})
        )
        if name.lower() == "x-api-key"
    ]
    assert own == "provider's"
    assert "idempotency-key" not in sent(("Idempotency-Key", "12345678"), own_key=True)
    assert sent(("Idempotency-Key", "12345678"))["idempotency-key"] == "12345678"


def test_only_our_own_cookie_is_taken_out() -> None:
    assert sent(("Cookie", "a=1; session=secret; b=2"))["cookie"] == "a=1; b=2"
    assert "cookie" not in sent(("Cookie", "session=secret"))
    assert sent(("Via", "1.0 edge"))["via"] == "1.0 edge, 1.1 gateway"


def test_the_origin_signature() -> None:
    text = f"1700000000.POST./v1/x?a=1.{hashlib.sha256(b'body').hexdigest()}"
    expected = hmac.new(b"s3cret", text.encode(), hashlib.sha256).hexdigest()
    assert (
        origin_signature("s3cret", 1700000000, "POST", "/v1/x?a=1", b"body") == f"t=1700000000,v1={expected}"
    )


def received(*pairs: tuple[str, str], **options: bool) -> Pairs:
    raw = [(name.encode(), value.encode()) for name, value in pairs]
    chosen = {"set_cookie": False, "hide_powered_by": True, **options}
    return to_consumer(raw, base="https://t.example/v1", gateway="https://g.example/gateway/api_1", **chosen)


def test_what_comes_back() -> None:
    dropped = (
        "Connection", "Transfer-Encoding", "Keep-Alive", "Server", "X-Powered-By", "Set-Cookie", "PAYMENT-REQUIRED",
        "PAYMENT-RESPONSE", "X-PAYMENT-RESPONSE", "X-Gateway-Error", "X-Call-Id", "Access-Control-Allow-Origin",
        "Strict-Transport-Security", "Alt-Svc", "Clear-Site-Data", "Settlement-Overrides", "X-Request-Id", "Content-Length",
    )  # fmt: skip
    found = received(*((name, "x") for name in dropped), ("X-Own", "1"), ("Link", "<a>"), ("Link", "<b>"))
    assert found == [("x-own", "1"), ("link", "<a>"), ("link", "<b>"), ("cache-control", "private")]
    assert ("set-cookie", "a=1") in received(("Set-Cookie", "a=1"), set_cookie=True)
    assert ("server", "nginx") in received(("Server", "nginx"), hide_powered_by=False)
    assert received(("Cache-Control", "max-age=5")) == [("cache-control", "max-age=5, private")]
    assert received(("Cache-Control", "private, max-age=5")) == [("cache-control", "private, max-age=5")]


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("https://t.example/v1/x?y=1", "https://g.example/gateway/api_1/x?y=1"),
        ("https://T.example/v1", "https://g.example/gateway/api_1"),
        ("/v1/x", "https://g.example/gateway/api_1/x"),
        ("/other", "/other"),
        ("https://t.example/v2", "https://t.example/v2"),
        ("https://t.example/v12/x", "https://t.example/v12/x"),
        ("/v1?y=1", "https://g.example/gateway/api_1?y=1"),
        ("https://evil.example/v1/x", "https://evil.example/v1/x"),
        ("//evil.example/v1", "//evil.example/v1"),
        ("x", "x"),
    ],
)
def test_redirects_within_the_target_lead_through_the_gateway(location: str, shown: str) -> None:
    assert relocated(location, "https://t.example/v1", "https://g.example/gateway/api_1") == shown


@pytest.mark.parametrize(
    ("status", "policy", "charged"),
    [(200, "no-5xx", True), (302, "success", True), (404, "no-5xx", True), (404, "success", False), (500, "no-5xx", False),
     (500, "success", False), (500, "always", True), (404, "always", True)],
)  # fmt: skip
def test_what_is_charged(status: int, policy: str, charged: bool) -> None:
    assert is_charged(status, policy) is charged


@pytest.mark.parametrize(
    ("status", "kind", "encoding", "body", "validate", "fault"),
    [
        (200, "application/json", "", b"{oops", True, "invalid_json"),
        (200, "application/json; charset=utf-8", "", b'{"a":1}', True, None),
        (200, "application/problem+json", "", b"x", True, "invalid_json"),
        (200, "application/json", "", b"\xff", True, "invalid_json"),
        (200, "application/json", "", b'"\xff"', True, "invalid_json"),
        (200, "application/json", "", b"", True, None),
        (200, "application/json", "gzip", b"\x1f\x8b", True, None),
        (200, "application/json", "", b"{oops", False, None),
        (400, "application/json", "", b"{oops", True, None),
        (200, "text/plain", "", b"{oops", True, None),
        (402, "application/json", "", b'{"x402Version":1,"accepts":[]}', False, "upstream_payment_required"),
        (402, "application/json", "", b'{"error":"no"}', True, None),
        (402, "text/plain", "", b'{"x402Version":1,"accepts":[]}', True, "upstream_payment_required"),
        (402, "", "", b'\xef\xbb\xbf{"accepts":[]}', True, "upstream_payment_required"),
        (402, "text/html", "", '{"accepts":[]}'.encode("utf-16"), True, "upstream_payment_required"),
        (402, "application/json", "", b'{"accepts":NaN}', True, "upstream_payment_required"),
        (402, "application/json", "gzip", b"\x1f\x8b", True, "upstream_payment_required"),
        (402, "text/plain", "br", b"x", True, "upstream_payment_required"),
        (402, "text/plain", "", b" " * 1_048_577, True, "upstream_payment_required"),
        (402, "text/html", "", b"<p>Pay elsewhere</p>", True, None),
        (402, "text/plain", "identity", b"", True, None),
    ],
)
def test_bodies_that_are_no_good(
    status: int, kind: str, encoding: str, body: bytes, validate: bool, fault: str | None
) -> None:
    assert body_fault(status, kind, encoding, body, validate_json=validate) == fault


def test_heads_that_are_no_good() -> None:
    assert head_fault(200, []) is None
    assert head_fault(101, []) == "protocol"
    assert head_fault(600, []) == "protocol"
    assert head_fault(402, [(b"Payment-Required", b"x")]) == "upstream_payment_required"
    assert head_fault(200, [(b"a", b"x" * 65_536)]) == "protocol"


def test_what_is_streamed() -> None:
    assert is_streamed(200, "text/event-stream; charset=utf-8")
    assert is_streamed(200, "application/x-ndjson")
    assert not is_streamed(200, "application/json")
    assert not is_streamed(402, "text/event-stream")


HASH = "0x" + "ab" * 32
SIGNATURE = "0x" + "11" * 64 + "1b"


def shown(**headers: str | list[str]) -> object:
    return presented(
        [
            (name.replace("_", "-").encode(), one.encode())
            for name, value in headers.items()
            for one in ([value] if isinstance(value, str) else value)
        ]
    )


def refused(act: object) -> FaultError:
    with pytest.raises(FaultError) as caught:
        act()  # type: ignore[operator]
    return caught.value


def test_aliases_and_empty_headers() -> None:
    found = presented(
        [
            (b"x-flux-payment-tx", HASH.encode()),
            (b"x-signature", b""),
            (b"x-flux-signature", SIGNATURE.encode()),
        ]
    )
    assert (found.tx, found.signature) == (HASH, SIGNATURE)
    assert presented([]).nothing


def test_repeated_and_contradicting_headers() -> None:
    assert refused(lambda: shown(x_payment_tx=[HASH, HASH])).params["param"] == "X-Payment-Tx"
    assert refused(lambda: shown(x_timestamp=["1", "1"])).params["param"] == "X-Timestamp"
    both = refused(lambda: shown(x_signature=SIGNATURE, x_flux_signature=SIGNATURE[:-2] + "1c"))
    assert both.params["param"] == "X-Signature"
    shown(x_signature=SIGNATURE, x_flux_signature=SIGNATURE)
    families = refused(lambda: shown(x_payment_tx=HASH, payment_signature="abc"))
    assert families.params["param"] == "PAYMENT-SIGNATURE"
    assert families.detail["reason"] == "conflicting_payment_methods"
    assert refused(lambda: shown(idempotency_key="short")).params["param"] == "Idempotency-Key"


@pytest.mark.parametrize(
    ("headers", "code", "param"),
    [
        ({"x_payment_tx": HASH}, "MISSING_SIGNATURE", None),
        ({"x_payment_tx": "0x12", "x_signature": "junk"}, "INVALID_PARAMETER", "X-Payment-Tx"),
        ({"x_payment_tx": HASH, "x_signature": "0x1234"}, "INVALID_SIGNATURE", None),
        (
            {"x_payment_tx": HASH, "x_signature": SIGNATURE, "x_timestamp": "12a"},
            "INVALID_PARAMETER",
            "X-Timestamp",
        ),
        (
            {"x_payment_tx": HASH, "x_signature": SIGNATURE, "x_timestamp": "1" * 17},
            "INVALID_PARAMETER",
            "X-Timestamp",
        ),
        (
            {"x_payment_tx": HASH, "x_signature": SIGNATURE, "x_timestamp": "-1"},
            "INVALID_PARAMETER",
            "X-Timestamp",
        ),
        (
            {"x_payment_tx": HASH, "x_signature": SIGNATURE, "x_signature_version": "3"},
            "INVALID_PARAMETER",
            "X-Signature-Version",
        ),
        (
            {"x_payment_tx": HASH, "x_signature": SIGNATURE, "x_signature_version": "2"},
            "MISSING_PARAMETER",
            "X-Timestamp",
        ),
    ],
)
def test_malformed_material(headers: dict[str, str], code: str, param: str | None) -> None:
    error = refused(lambda: material(shown(**headers), timestamp_required=False))  # type: ignore[arg-type]
    assert error.fault.code == code
    assert error.params.get("param") == param


EVERY = (
    "PAYMENT-SIGNATURE", "X-PAYMENT", "X-Payment-Tx", "X-Signature", "X-Timestamp", "X-Payment-Chain", "X-Signature-Version",
    "Idempotency-Key",
)  # fmt: skip
ALIASED = {
    "X-Payment-Tx": ["X-Flux-Payment-Tx"],
    "X-Signature": ["X-Flux-Signature"],
    "X-Timestamp": ["X-Flux-Timestamp", "X-Signature-Timestamp"],
}


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize(
    "values", [["12345678", "12345678"], ["12345678", "87654321"], ["", ""], ["12345678", ""]]
)
def test_each_header_comes_once(name: str, values: list[str]) -> None:
    assert refused(lambda: shown(**{name.lower(): values})).params["param"] == name


@pytest.mark.parametrize(("name", "alias"), [(name, alias) for name in ALIASED for alias in ALIASED[name]])
def test_an_alias_says_the_same_or_nothing(name: str, alias: str) -> None:
    def both(one: str, other: str) -> object:
        return shown(**{name.lower(): one, alias.lower(): other})

    assert (
        both("12", "")
        == both("", "12")
        == both("12", "12")
        == both(" 12", "12\t")
        == shown(**{name.lower(): "12"})
    )
    assert refused(lambda: both("12", "13")).params["param"] == name
    assert refused(lambda: shown(**{alias.lower(): ["12", "12"]})).params["param"] == name


@pytest.mark.parametrize("key", ["a" * 8, "Z" * 128, "a-b_c-D9", " abcdefgh\t"])
def test_idempotency_keys(key: str) -> None:
    assert shown(idempotency_key=key).idempotency_key == key.strip()  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "key", ["a" * 7, "a" * 129, "abc defgh", "abcdefg.", "abcdefgh\n", "äbcdefgh", "abcdefg/"]
)
def test_what_is_no_idempotency_key(key: str) -> None:
    assert refused(lambda: shown(idempotency_key=key)).params["param"] == "Idempotency-Key"


@pytest.mark.parametrize("timestamp", ["+1", "1.0", "0x1", "1_0", "1 0", "1\n", "²", "1e3"])
def test_a_timestamp_is_decimal_digits(timestamp: str) -> None:
    given = shown(x_payment_tx=HASH, x_signature=SIGNATURE, x_timestamp=timestamp)
    assert refused(lambda: material(given, timestamp_required=False)).params["param"] == "X-Timestamp"  # type: ignore[arg-type]


@pytest.mark.parametrize(("text", "version"), [("1", 1), ("2", 2), ("", 1)])
def test_versions(text: str, version: int) -> None:
    given = shown(x_payment_tx=HASH, x_signature=SIGNATURE, x_timestamp="9" * 16, x_signature_version=text)
    found = material(given, timestamp_required=False)  # type: ignore[arg-type]
    assert (found.version, found.timestamp, found.tx_text) == (version, 9_999_999_999_999_999, HASH)


@pytest.mark.parametrize("text", ["01", "2.0", "0", "v2"])
def test_what_is_no_version(text: str) -> None:
    given = shown(x_payment_tx=HASH, x_signature=SIGNATURE, x_timestamp="1", x_signature_version=text)
    assert refused(lambda: material(given, timestamp_required=False)).params["param"] == "X-Signature-Version"  # type: ignore[arg-type]


@pytest.mark.parametrize("header", ["x_payment_tx", "x_signature"])
@pytest.mark.parametrize("other", ["payment_signature", "x_payment"])
def test_the_families_do_not_mix(header: str, other: str) -> None:
    # The others of the direct family may come along: a client that always sends them means nothing by it.
    assert shown(**{other: "abc", "x_timestamp": "1"}).x402 is not None  # type: ignore[attr-defined]
    assert (
        refused(lambda: shown(**{header: "abc", other: "abc"})).detail["reason"]
        == "conflicting_payment_methods"
    )


def test_the_timestamp_may_be_required() -> None:
    found = shown(x_payment_tx=HASH, x_signature=SIGNATURE)
    assert material(found, timestamp_required=False).timestamp is None  # type: ignore[arg-type]
    assert refused(lambda: material(found, timestamp_required=True)).params["param"] == "X-Timestamp"  # type: ignore[arg-type]


@pytest.mark.parametrize("value", ["a\r\nX-Consumer-Wallet: 0xother", "a\nb", "a\rb", "a\x00b"])
def test_no_value_ends_its_line(value: str) -> None:
    def head(value: str) -> bytes:
        return head_of(Outgoing("GET", "https://t.example/v1", "/v1/a", [("X-Own", value)], None, 1))

    assert head("fine").split(b"\r\n")[:3] == [b"GET /v1/a HTTP/1.1", b"Host: t.example", b"X-Own: fine"]
    with pytest.raises(ValueError, match="line break"):
        head(value)
