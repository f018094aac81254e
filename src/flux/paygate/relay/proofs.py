"""The payment headers of a request: which are there, and whether they are well-formed."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from flux.kernel.faults import FaultError
from flux.paygate.faults import INVALID_PARAMETER, INVALID_SIGNATURE, MISSING_PARAMETER, MISSING_SIGNATURE
from flux.paygate.scalars import TxHash
from flux.paygate.signing.curve import BadSignature, parse_signature

TX, SIGNATURE, TIMESTAMP = "X-Payment-Tx", "X-Signature", "X-Timestamp"
CHAIN, VERSION, IDEMPOTENCY = "X-Payment-Chain", "X-Signature-Version", "Idempotency-Key"
ALIASES = {
    TX: ("x-flux-payment-tx",),
    SIGNATURE: ("x-flux-signature",),
    TIMESTAMP: ("x-flux-timestamp", "x-signature-timestamp"),
}
X402_HEADERS = ("PAYMENT-SIGNATURE", "X-PAYMENT")
_NAMES = (*X402_HEADERS, TX, SIGNATURE, TIMESTAMP, CHAIN, VERSION, IDEMPOTENCY)
_KNOWN = {one.encode(): name for name in _NAMES for one in (name.lower(), *ALIASES.get(name, ()))}
_VERSIONS = {None: 1, "1": 1, "2": 2}
MAX_TIMESTAMP = re.compile(r"[0-9]{1,16}\Z")
_KEY = re.compile(r"[A-Za-z0-9_-]{8,128}\Z")


def bad_header(name: str, expected: str, received: str) -> FaultError:
    detail = {"in": "header", "expected": expected, "received": received[:100]}
    return INVALID_PARAMETER(param=name, detail=detail)


def _shown(headers: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    """What of a request's raw headers is about payment, by canonical name; an empty value counts as absent. Raises
    INVALID_PARAMETER for a header that is repeated or contradicts its alias."""
    given: dict[str, str] = {}
    for spelling, raw in headers:
        name = _KNOWN.get(spelling)
        if name is not None:
            if name in given:
                return _reconciled(headers)
            given[name] = raw.decode("latin-1").strip(" \t")
    return {name: value for name, value in given.items() if value}


def _reconciled(headers: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    """Where a name comes more than once, by itself or by its alias."""
    given: dict[str, list[tuple[bytes, str]]] = {}
    for spelling, raw in headers:
        name = _KNOWN.get(spelling)
        if name is not None:
            given.setdefault(name, []).append((spelling, raw.decode("latin-1").strip(" \t")))
    return {
        name: value for name in _NAMES if name in given and (value := _single(name, given[name])) is not None
    }


def _single(name: str, given: list[tuple[bytes, str]]) -> str | None:
    if len(given) == 1:
        return given[0][1] or None
    if len({spelling for spelling, _ in given}) != len(given):
        raise bad_header(name, "the header once", ", ".join(value for _, value in given))
    values = list(dict.fromkeys(value for _, value in given if value))
    if len(values) > 1:
        raise bad_header(name, "one value in the header and its aliases", values[1])
    return values[0] if values else None


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


def presented(headers: Sequence[tuple[bytes, bytes]]) -> Presented:
    """Of a request's raw headers, names in lower case. Raises INVALID_PARAMETER for repeated headers and for two
    families at once."""
    shown = _shown(headers)
    tx, signature, key = shown.get(TX), shown.get(SIGNATURE), shown.get(IDEMPOTENCY)
    x402 = next(((name, shown[name]) for name in X402_HEADERS if name in shown), None)
    if x402 is not None and (tx is not None or signature is not None):
        raise INVALID_PARAMETER(
            param="PAYMENT-SIGNATURE", detail={"in": "header", "reason": "conflicting_payment_methods"}
        )
    if key is not None and not _KEY.match(key):
        raise bad_header(IDEMPOTENCY, "8 to 128 letters, digits, - or _", key)
    return Presented(tx, signature, shown.get(TIMESTAMP), shown.get(CHAIN), shown.get(VERSION), key, x402)


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
    version = _VERSIONS.get(shown.version)
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
