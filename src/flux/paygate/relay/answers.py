"""Is what the target sent a response we can pass on? Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

import msgspec

from flux.paygate.outside.connection import MAX_HEADER_BYTES

STREAMED_TYPES = ("text/event-stream", "application/x-ndjson", "multipart/x-mixed-replace")
EVENT_STREAM = "text/event-stream"
JSON_CHECKED_BYTES = 1_048_576
DEPTH = 200
PAYMENT_REQUIRED = 402
_BRACKETS = re.compile(rb"[\[\]{}]")
BODILESS = (204, 304)


def head_fault(status: int, headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Why the head is no good: a reason of INVALID_GATEWAY_RESPONSE."""
    if not 200 <= status <= 599:
        return "protocol"
    size = 0
    for name, value in headers:
        size += len(name) + len(value) + 4
        if name.lower() == b"payment-required":
            return "upstream_payment_required"
    return "protocol" if size > MAX_HEADER_BYTES else None


def body_fault(
    status: int, content_type: str, encoding: str, body: bytes, *, validate_json: bool
) -> str | None:
    """Why the body is no good."""
    if status == PAYMENT_REQUIRED:
        return "upstream_payment_required" if _may_ask_for_x402(encoding, body) else None
    media = media_type(content_type)
    is_json = media == "application/json" or media.endswith("+json")
    if (
        not is_json
        or not body
        or encoding.strip().lower() not in ("", "identity")
        or len(body) > JSON_CHECKED_BYTES
    ):
        return None
    if not validate_json or not 200 <= status < 300:
        return None
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
        msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return "invalid_json"
    return None


def media_type(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def is_streamed(status: int, content_type: str) -> bool:
    """A demand for payment never is: all of it is looked at first."""
    return status != PAYMENT_REQUIRED and media_type(content_type) in STREAMED_TYPES


def _may_ask_for_x402(encoding: str, body: bytes) -> bool:
    """Would a client that is ready to pay read a demand here? Clients decode what is encoded, and read JSON whatever its
    type says it is; what cannot be looked through is taken for one."""
    if encoding.strip().lower() not in ("", "identity") or len(body) > JSON_CHECKED_BYTES or _is_deep(body):
        return True
    try:
        # The most lenient reader: any UTF, a byte order mark, NaN.
        found: Any = json.loads(body)
    except RecursionError:
        return True
    except ValueError:
        return False
    return isinstance(found, dict) and ("x402Version" in found or "accepts" in found)


def _is_deep(body: bytes) -> bool:
    """Nested further than anybody means it, in any UTF. A reader that recurses must not see it: how far it may is the
    interpreter's to say, and a library's to change."""
    depth = 0
    for bracket in _BRACKETS.findall(body):
        depth += 1 if bracket in b"[{" else -1
        if depth > DEPTH:
            return True
    return False


def is_charged(status: int, policy: str) -> bool:
    """Whether the target's answer uses the payment up."""
    if status < 400 or policy == "always":
        return True
    return policy == "no-5xx" and status < 500
