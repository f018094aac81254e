"""Does a payload meet a requirement? Everything that can be decided without a chain."""

from __future__ import annotations

from flux.paygate.facilitator.model import Payload, Refused, Requirement
from flux.paygate.signing.curve import BadSignature, Unrecoverable, parse_signature, recover

SETTLE_MARGIN_SECONDS = 6


def check_match(payload: Payload, requirement: Requirement) -> None:
    """Raises `Refused`: another network, asset, recipient or amount than asked for."""
    payer = payload.payer
    if payload.network not in (requirement.chain.caip2, requirement.chain.v1_name):
        raise Refused("network_mismatch", payer=payer)
    accepted = payload.accepted
    if accepted is not None:
        wanted = requirement.v2()
        if str(accepted.get("asset", "")).lower() != requirement.token.address:
            raise Refused("invalid_payment_requirements", payer=payer, outdated=True)
        if str(accepted.get("payTo", "")).lower() != requirement.pay_to:
            raise Refused("invalid_exact_evm_payload_recipient_mismatch", payer=payer)
        if str(accepted.get("amount", "")) != wanted["amount"]:
            raise Refused("invalid_exact_evm_payload_authorization_value_mismatch", payer=payer)
        extra = accepted.get("extra")
        if (
            not isinstance(extra, dict)
            or {key: extra.get(key) for key in ("name", "version")} != wanted["extra"]
        ):
            raise Refused("missing_eip712_domain", payer=payer, outdated=True)
    if payload.authorization.to != requirement.pay_to:
        raise Refused("invalid_exact_evm_payload_recipient_mismatch", payer=payer)
    if payload.authorization.value != requirement.amount:
        raise Refused("invalid_exact_evm_payload_authorization_value_mismatch", payer=payer)


def check_times(payload: Payload, now: int) -> None:
    """`now` in Unix seconds. Raises `Refused`."""
    if payload.authorization.valid_after > now:
        raise Refused("invalid_exact_evm_payload_authorization_valid_after", payer=payload.payer)
    if payload.authorization.valid_before < now + SETTLE_MARGIN_SECONDS:
        raise Refused("invalid_exact_evm_payload_authorization_valid_before", payer=payload.payer)


def signed_by_payer(payload: Payload, requirement: Requirement) -> bool:
    """An externally owned account's own signature. False for contract wallets too: the chain decides those."""
    if len(payload.signature) != 65:
        return False
    token = requirement.token
    digest = payload.authorization.digest(
        token.name, token.version, requirement.chain.chain_id, token.address
    )
    try:
        return recover(parse_signature("0x" + payload.signature.hex()), digest) == payload.payer
    except (BadSignature, Unrecoverable):
        return False
