"""What goes on to the target, and what comes back to the consumer. Pure."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from urllib.parse import urlsplit

import msgspec

Pairs = list[tuple[str, str]]

_HOP_BY_HOP = {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
_TO_TARGET = _HOP_BY_HOP | {
    "host", "content-length", "expect", "forwarded", "x-real-ip", "access-control-expose-headers",
    "x-payment-tx", "x-signature", "x-timestamp", "x-flux-payment-tx", "x-flux-signature", "x-flux-timestamp",
    "x-signature-timestamp", "x-payment-chain", "x-signature-version", "payment-signature", "x-payment",
    "x-request-id", "x-call-id", "x-paid-amount", "x-paid-currency", "x-payment-hash", "x-flux-simulate", "x-max-price",
}  # fmt: skip
_TO_TARGET_PREFIXES = ("proxy-", "x-forwarded-", "x-gateway-", "x-consumer-")
_TO_CONSUMER = _HOP_BY_HOP | {
    "content-length", "payment-required", "payment-response", "x-payment-response", "x-call-id", "x-request-id",
    "strict-transport-security", "alt-svc", "clear-site-data", "settlement-overrides", "x-payment-status",
    "x-payment-remaining", "idempotent-replayed", "service-worker-allowed", "x-sendfile", "x-lighttpd-send-file",
    "x-litespeed-location",
}  # fmt: skip
_TO_CONSUMER_PREFIXES = ("proxy-", "x-gateway-", "access-control-", "ratelimit-", "x-accel-")
"""With what stands for files of the machine to a proxy in front of us."""
_POWERED_BY = ("server", "x-powered-by")
SESSION_COOKIE = "session"
_KEPT, _DROPPED, _SPECIAL = "kept", "dropped", "special"
_SPECIAL_REQUEST = ("te", "cookie", "authorization", "idempotency-key", "via")
_SPECIAL_ANSWER = ("set-cookie", *_POWERED_BY, "location", "cache-control")
NAMES_KNOWN = 2_048
LONGEST_KNOWN = 64
"""Longer names are nobody's usual ones, and not kept."""
_OF_NOTHING = hashlib.sha256(b"").hexdigest()


Of = Callable[[bytes], tuple[str, str]]


def _remembered(judge: Of) -> Of:
    known = lru_cache(maxsize=NAMES_KNOWN)(judge)
    return lambda raw: known(raw) if len(raw) <= LONGEST_KNOWN else judge(raw)


@_remembered
def _of_request(raw: bytes) -> tuple[str, str]:
    """A header's name, and what becomes of it on the way to the target: the same few names come again and again."""
    name = raw.decode("latin-1").lower()
    if name in _SPECIAL_REQUEST:
        return name, _SPECIAL
    return name, _DROPPED if name in _TO_TARGET or name.startswith(_TO_TARGET_PREFIXES) else _KEPT


@_remembered
def _of_answer(raw: bytes) -> tuple[str, str]:
    """The same for the way back."""
    name = raw.decode("latin-1").lower()
    if name in _TO_CONSUMER or name.startswith(_TO_CONSUMER_PREFIXES):
        return name, _DROPPED
    return name, _SPECIAL if name in _SPECIAL_ANSWER else _KEPT


class Passage(msgspec.Struct, frozen=True):
    """What the target learns about the call beyond the consumer's own headers."""

    request_id: str
    call_id: str
    consumer: str
    payment_hash: str
    amount: str
    currency: str
    forwarded_proto: str
    forwarded_host: str
    client_ip: str | None
    """Only where the listing opts in."""
    forward_authorization: bool
    own_key: bool
    """The gateway used the Idempotency-Key itself, so the target does not get it."""
    secrets: Mapping[str, str]
    """The provider's upstream headers: last, and they win."""


def to_target(headers: Iterable[tuple[bytes, bytes]], passage: Passage) -> Pairs:
    """Without the origin signature; `signed` adds it."""
    kept: Pairs = []
    via = ""
    named: list[str] = []
    for raw, value in headers:
        name, fate = _of_request(raw)
        if fate is _DROPPED:
            if name == "connection":
                named.append(value.decode("latin-1"))
        elif fate is _KEPT:
            kept.append((name, value.decode("latin-1")))
        elif name == "via":
            via += f"{value.decode('latin-1')}, "
        elif (rest := _special(name, value.decode("latin-1"), passage)) is not None:
            kept.append((name, rest))
    if named or passage.secrets:
        gone = _tokens(named) | {name.lower() for name in passage.secrets}
        kept = [pair for pair in kept if pair[0] not in gone or pair[0] == "te"]
        if "via" in gone:
            via = ""
    kept += [
        ("Via", via + "1.1 gateway"),
        ("X-Forwarded-Proto", passage.forwarded_proto),
        ("X-Forwarded-Host", passage.forwarded_host),
        ("X-Request-Id", passage.request_id),
        ("X-Call-Id", passage.call_id),
        ("X-Consumer-Wallet", passage.consumer),
        ("X-Payment-Hash", passage.payment_hash),
        ("X-Paid-Amount", passage.amount),
        ("X-Paid-Currency", passage.currency),
    ]
    if passage.client_ip is not None:
        kept.append(("X-Forwarded-For", passage.client_ip))
    kept.extend(passage.secrets.items())
    return kept


def _special(name: str, value: str, passage: Passage) -> str | None:
    """What of a header's value goes on depends on the value, or on the listing; None: nothing."""
    if name == "te":
        return value if value.strip().lower() == "trailers" else None
    if name == "cookie":
        return _without_session(value) or None
    if name == "authorization":
        return value if passage.forward_authorization else None
    return None if passage.own_key else value


def origin_signature(secret: str, at: int, method: str, target: str, body: bytes) -> str:
    """`X-Gateway-Signature`: lets a target refuse whoever does not come through the gateway. `target` is path and
    query as sent to it, `at` Unix seconds."""
    content = hashlib.sha256(body).hexdigest() if body else _OF_NOTHING
    text = f"{at}.{method}.{target}.{content}"
    mark = hmac.digest(secret.encode(), text.encode("latin-1", "replace"), "sha256")
    return f"t={at},v1={mark.hex()}"


def to_consumer(
    headers: Iterable[tuple[bytes, bytes]],
    *,
    set_cookie: bool,
    hide_powered_by: bool,
    base: str,
    gateway: str,
) -> Pairs:
    """`base` is the target's URL, `gateway` the listing's own: a Location inside the one points into the other."""
    kept: Pairs = []
    named: list[str] = []
    cached = False
    for raw, text in headers:
        name, fate = _of_answer(raw)
        if fate is _DROPPED:
            if name == "connection":
                named.append(text.decode("latin-1"))
            continue
        value = text.decode("latin-1")
        if fate is _SPECIAL:
            if (name == "set-cookie" and not set_cookie) or (name in _POWERED_BY and hide_powered_by):
                continue
            if name == "location":
                value = relocated(value, base, gateway)
            elif name == "cache-control":
                cached = True
                if "private" not in value.lower():
                    value = f"{value}, private" if value.strip() else "private"
        kept.append((name, value))
    if named:
        gone = _tokens(named)
        kept = [pair for pair in kept if pair[0] not in gone]
        cached = cached and "cache-control" not in gone
    if not cached:
        kept.append(("cache-control", "private"))
    return kept


def relocated(location: str, base: str, gateway: str) -> str:
    """A redirect within the target leads through the gateway; any other stays as it is."""
    origin, base_path = _split(base)
    if location.startswith("/") and not location.startswith("//"):
        path = location
    else:
        parts = urlsplit(location)
        if f"{parts.scheme}://{parts.netloc}".lower() != origin:
            return location
        path = location[len(f"{parts.scheme}://{parts.netloc}") :] or "/"
    if base_path and path != base_path and not path.startswith((f"{base_path}/", f"{base_path}?")):
        return location
    return gateway + path[len(base_path) :]


def _split(base: str) -> tuple[str, str]:
    parts = urlsplit(base)
    return f"{parts.scheme}://{parts.netloc}".lower(), parts.path


def _tokens(lines: list[str]) -> set[str]:
    """The headers that are of this connection only."""
    return {token.strip().lower() for token in ",".join(lines).split(",")} - {"close"}


def _without_session(cookie: str) -> str:
    pairs = [pair.strip() for pair in cookie.split(";")]
    return "; ".join(pair for pair in pairs if pair and pair.partition("=")[0] != SESSION_COOKIE)
