"""From a verified payment and a request to the values that are written."""

from __future__ import annotations

from typing import Any

from flux.paygate.history.model import CallRow
from flux.paygate.ledger.model import Funds, Request


def reservation_values(
    funds: Funds, key: str, request: Request, now: int, *, dispatched: bool
) -> dict[str, Any]:
    return {
        "key": key,
        "state": "dispatched" if dispatched else "reserved",
        "chain_id": funds.terms.chain.chain_id,
        "tx_hash": funds.tx_hash if funds.prepaid is None else None,
        "api_id": request.api_id,
        "payer": funds.payer,
        "call_id": request.call_id,
        "lease_until": now + request.lease_ms,
        "currency": funds.terms.currency,
        "paid_base": str(funds.paid),
        "required_base": str(funds.terms.required),
        "block_number": funds.block_number,
        "block_hash": funds.block_hash,
        "now": now,
    }


def deposit_values(deposit: Funds, request: Request, now: int) -> dict[str, Any]:
    """A payment that is turned into credit: used up as a transaction at once."""
    return {
        "key": deposit.key,
        "chain_id": deposit.terms.chain.chain_id,
        "tx_hash": deposit.tx_hash,
        "api_id": request.api_id,
        "payer": deposit.payer,
        "call_id": request.call_id,
        "currency": deposit.terms.currency,
        "paid_base": str(deposit.paid),
        "block_number": deposit.block_number,
        "block_hash": deposit.block_hash,
        "now": now,
    }


def call_row(funds: Funds, key: str, request: Request, now: int) -> CallRow:
    terms = funds.terms
    return CallRow(
        id=request.call_id,
        api_id=request.api_id,
        api_name=request.api_name,
        consumer=funds.payer,
        provider=request.provider,
        method=request.method,
        path=request.path,
        query=request.query,
        tx_hash=funds.tx_hash,
        chain=terms.chain.name,
        amount_base=str(terms.required),
        amount=terms.amount,
        currency=terms.currency,
        payment_flow=funds.flow,
        payment_key=key,
        status="in_progress",
        http_status=None,
        error_code=None,
        latency_ms=None,
        request_bytes=request.request_bytes,
        response_bytes=None,
        payment_status=None,
        created_at=now,
        completed_at=None,
    )
