"""The payment headers of a request: which are there, and whether they are well-formed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import msgspec

from flux.kernel.faults import FaultError
from flux.paygate.faults import INVALID_PARAMETER, INVALID_SIGNATURE, MISSING_PARAMETER, MISSING_SIGNATURE
from flux.paygate.scalars import TxHash
from flux.paygate.signing.curve import BadSignature, parse_signature

Read = Callable[[str], list[str]]
"""All values of a (lower-case) header, trimmed."""

TX, SIGNATURE, TIMESTAMP = "X-Payment-Tx", "X-Signature", "X-Timestamp"
CHAIN, VERSION, IDEMPOTENCY = "X-Payment-Chain", "X-Signature-Version", "Idempotency-Key"
ALIASES = {
    TX: ("x-flux-payment-tx",),
    SIGNATURE: ("x-flux-signature",),
    TIMESTAMP: ("x-flux-timestamp", "x-signature-timestamp"),
}
X402_HEADERS = ("PAYMENT-SIGNATURE", "X-PAYMENT")
_NAMES = (TX, SIGNATURE, TIMESTAMP, CHAIN, VERSION, IDEMPOTENCY, *X402_HEADERS)
_SPELLINGS = {name: (name.lower(), *ALIASES.get(name, ())) for name in _NAMES}
_KNOWN = {one.encode(): one for spellings in _SPELLINGS.values() for one in spellings}
MAX_TIMESTAMP = re.compile(r"[0-9]{1,16}\Z")
_KEY = re.compile(r"[A-Za-z0-9_-]{8,128}\Z")


def bad_header(name: str, expected: str, received: str) -> FaultError:
    detail = {"in": "header", "expected": expected, "received": received[:100]}
    return INVALID_PARAMETER(param=name, detail=detail)


def reader_of(headers: Iterable[tuple[bytes, bytes]]) -> Read:
    """In one pass: what of a request's raw headers is about payment."""
    found: dict[str, list[str]] = {}
    for name, value in headers:
        known = _KNOWN.get(name)
        if known is not None:
            found.setdefault(known, []).append(value.decode("latin-1").strip(" \t"))
    return lambda name: found.get(name, [])


def single(read: Read, name: str) -> str | None:
    """The one value of a header and its aliases; an empty one counts as absent. Raises INVALID_PARAMETER."""
    found: str | None = None
    for spelling in _SPELLINGS[name]:
        values = read(spelling)
        if len(values) > 1:
            raise bad_header(name, "the header once", ", ".join(values))
        if values and values[0]:
            if found is not None and found != values[0]:
                raise bad_header(name, "one value in the header and its aliases", values[0])
            found = values[0]
    return found


class Presented(msgspec.Struct, frozen=True):
    """The direct family's headers as they are, before any of them is judged."""

    tx: str | None
    signature: str | None
    timestamp: str | None
    chain: str | None
    version: str | None
    idempotency_key: str | None
    x402: tuple[str, str] | None
    """The header's name and its value."""

    @property
    def nothing(self) -> bool:
        return self.tx is None and self.signature is None and self.x402 is None


class Material(msgspec.Struct, frozen=True):
    """The direct family's headers, well-formed."""

    tx_text: str
    tx_hash: str
    signature: bytes
    timestamp: int | None
    version: int


def presented(read: Read) -> Presented:
    """Raises INVALID_PARAMETER for repeated headers and for two families at once."""
    x402: tuple[str, str] | None = None
    for name in X402_HEADERS:
        value = single(read, name)
        if value is not None:
            x402 = x402 or (name, value)
    shown = Presented(
        tx=single(read, TX),
        signature=single(read, SIGNATURE),
        timestamp=single(read, TIMESTAMP),
        chain=single(read, CHAIN),
        version=single(read, VERSION),
        idempotency_key=single(read, IDEMPOTENCY),
        x402=x402,
    )
    if x402 is not None and (shown.tx is not None or shown.signature is not None):
        raise INVALID_PARAMETER(
            param="PAYMENT-SIGNATURE", detail={"in": "header", "reason": "conflicting_payment_methods"}
        )
    if shown.idempotency_key is not None and not _KEY.match(shown.idempotency_key):
        raise bad_header(IDEMPOTENCY, "8 to 128 letters, digits, - or _", shown.idempotency_key)
    return shown


def material(shown: Presented, *, timestamp_required: bool) -> Material:
    """Steps 12 to 15. Raises MISSING_SIGNATURE, INVALID_PARAMETER, INVALID_SIGNATURE, MISSING_PARAMETER."""
    assert shown.tx is not None
    if shown.signature is None:
        raise MISSING_SIGNATURE(header=SIGNATURE, missing=[SIGNATURE])
    try:
        tx_hash = str(TxHash.from_wire(shown.tx))
    except ValueError as error:
        raise bad_header(TX, str(error), shown.tx) from None
    try:
        signature = parse_signature(shown.signature)
    except BadSignature as error:
        raise INVALID_SIGNATURE(reason=error.reason) from None
    version = {None: 1, "1": 1, "2": 2}.get(shown.version)
    if version is None:
        raise bad_header(VERSION, "1 or 2", shown.version or "")
    timestamp = None
    if shown.timestamp is not None:
        if not MAX_TIMESTAMP.match(shown.timestamp):
            raise bad_header(TIMESTAMP, "1 to 16 decimal digits", shown.timestamp)
        timestamp = int(shown.timestamp)
    elif timestamp_required or version == 2:
        raise MISSING_PARAMETER(param=TIMESTAMP, detail={"in": "header"})
    return Material(shown.tx, tx_hash, signature, timestamp, version)
