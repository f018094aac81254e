"""What lets a repeated call be answered again: the Idempotency-Key, or the name an x402 client gave its payment."""

from __future__ import annotations

from msgspec.structs import replace

from flux.paygate.facilitator.extensions import identifier
from flux.paygate.facilitator.payloads import BadPayload
from flux.paygate.faults import INVALID_REQUEST
from flux.paygate.relay.proofs import Presented
from flux.paygate.replays.model import IDENTIFIED


def named(shown: Presented) -> Presented:
    """With the payment's own name as the key, before any header's. Raises INVALID_REQUEST for what is no name."""
    if shown.x402 is None:
        return shown
    try:
        name = identifier(shown.x402[1])
    except BadPayload as error:
        raise INVALID_REQUEST(reason="bad_payment_payload", detail={"expected": str(error)}) from None
    return replace(shown, idempotency_key=IDENTIFIED + name) if name is not None else shown
