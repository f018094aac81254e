"""A paid call: the proof that goes with it and what comes back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from flux.client.exchange import Ask


@dataclass(frozen=True, slots=True)
class PaymentProof:
    """`tx` is the hash of the mined payment, `signature` the payer's `0x` + 130 hex digits over listing, hash and
    `timestamp` (unix seconds). The signature is good for 300 s. `chain` names the payment's chain."""

    tx: str
    signature: str
    timestamp: int | None = None
    chain: str | None = None
    version: int | None = None

    def headers(self) -> dict[str, str]:
        named = {
            "X-Payment-Tx": self.tx,
            "X-Signature": self.signature,
            "X-Timestamp": self.timestamp,
            "X-Payment-Chain": self.chain,
            "X-Signature-Version": self.version,
        }
        return {name: str(value) for name, value in named.items() if value is not None}


@dataclass(frozen=True, slots=True)
class PaidAnswer:
    """What the target answered, whatever its status; a refusal by the gateway itself is raised instead.

    `payment_status` is `consumed`, `released` or `credited`. Header names are lower case.
    """

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def call_id(self) -> str | None:
        return self.headers.get("x-call-id")

    @property
    def payment_status(self) -> str | None:
        return self.headers.get("x-payment-status")

    @property
    def payment_remaining(self) -> str | None:
        return self.headers.get("x-payment-remaining")

    def json(self) -> Any:
        """Raises ValueError when the body is not JSON."""
        return json.loads(self.content)


def paid_ask(
    api_id: str,
    path: str,
    *,
    method: str,
    proof: PaymentProof | None,
    idempotency_key: str | None,
    headers: Mapping[str, str] | None,
    idempotent: bool | None,
    **rest: Any,
) -> Ask:
    """The gateway request of a paid call. With an idempotency key a repeat is answered from the first call's
    stored answer and not charged again, so any method may be repeated."""
    named = {**(headers or {}), **(proof.headers() if proof else {})}
    if idempotency_key is not None:
        named["Idempotency-Key"] = idempotency_key
        idempotent = True if idempotent is None else idempotent
    where = f"/gateway/{quote(api_id, safe='')}/{path.lstrip('/')}"
    return Ask(method, where, headers=named, idempotent=idempotent, **rest)
