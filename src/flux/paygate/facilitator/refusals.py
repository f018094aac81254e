"""The protocol's words for what is wrong, as the faults of this API. Every one is a 402 except what is malformed."""

from __future__ import annotations

from typing import Any

from flux.kernel.faults import FaultError
from flux.paygate.facilitator.model import Refused, Requirement
from flux.paygate.faults import (
    BLOCKCHAIN_ERROR,
    INVALID_PAYMENT_CHAIN,
    INVALID_REQUEST,
    INVALID_SIGNATURE_X402,
    PAYMENT_NOT_CONFIRMED,
    PAYMENT_REVERTED,
    SIGNATURE_EXPIRED_X402,
)
from flux.paygate.payment.rules import CONFIRM_RETRY_SECONDS, Terms, insufficient

_INSUFFICIENT = {
    "insufficient_funds": "amount_too_low",
    "invalid_exact_evm_insufficient_balance": "amount_too_low",
    "invalid_exact_evm_payload_authorization_value_mismatch": "amount_too_low",
    "invalid_exact_evm_payload_recipient_mismatch": "recipient_mismatch",
    "invalid_exact_evm_nonce_already_used": "payment_already_used",
}
_CHAIN = {"network_mismatch", "invalid_network"}
_TIMES = {
    "invalid_exact_evm_payload_authorization_valid_before": "too_old",
    "invalid_exact_evm_payload_authorization_valid_after": "in_future",
}
_REVERTED = {
    "transaction_failed",
    "invalid_exact_evm_transaction_simulation_failed",
    "invalid_transaction_state",
    "invalid_exact_evm_transfer_event_mismatch",
}
_UNEXPECTED = {"unexpected_verify_error", "unexpected_settle_error", "asset_not_deployed_contract"}


def fault_of(
    refused: Refused, requirement: Requirement, terms: Terms, tx_hash: str = "", network: str = ""
) -> FaultError:
    reason = refused.reason
    detail: dict[str, Any] = {"x402Reason": reason}
    if refused.outdated:
        # Asked for again, with what is asked for now.
        return insufficient(terms, "wrong_token", **detail)
    if reason in _INSUFFICIENT:
        return insufficient(terms, _INSUFFICIENT[reason], **detail)
    if reason in _CHAIN:
        actual = {"chain": network, "chainId": None}
        return INVALID_PAYMENT_CHAIN(expected=requirement.chain.shown(), actual=actual, detail=detail)
    if reason in _TIMES:
        return SIGNATURE_EXPIRED_X402(reason=_TIMES[reason], detail=detail)
    if reason == "invalid_exact_evm_payload_signature":
        return INVALID_SIGNATURE_X402(reason="signer_mismatch", detail=detail)
    if reason in _REVERTED:
        return PAYMENT_REVERTED(txHash=tx_hash, blockNumber=0, detail=detail)
    if reason == "settlement_pending":
        return PAYMENT_NOT_CONFIRMED(
            txHash=tx_hash,
            confirmations=0,
            required=requirement.chain.min_confirmations,
            seconds=CONFIRM_RETRY_SECONDS,
            detail=detail,
        )
    if reason in _UNEXPECTED:
        return BLOCKCHAIN_ERROR(chain=requirement.chain.name, reason="inconsistent", detail=detail)
    return INVALID_REQUEST(reason="bad_payment_payload", detail=detail)
