"""x402 in both versions: what is asked for, and what is presented."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from flux.paygate.chains.registry import Chain, Token
from flux.paygate.signing.accounts import checksummed
from flux.paygate.signing.typed import Authorization

EXACT = "exact"
MAX_TIMEOUT_SECONDS = 300


class Refused(Exception):
    """Not a payment we take; `reason` is the protocol's own word for why. `outdated`: it is a good one for other
    requirements than those that hold now."""

    def __init__(
        self, reason: str, message: str = "", payer: str | None = None, *, outdated: bool = False
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.message = message
        self.payer = payer
        self.outdated = outdated


@dataclass(frozen=True, slots=True)
class Requirement:
    """`amount` base units of `token` to `pay_to`, for `resource`. Addresses in lower case."""

    chain: Chain
    token: Token
    amount: int
    pay_to: str
    resource: str
    description: str
    mime_type: str = ""
    max_timeout_seconds: int = MAX_TIMEOUT_SECONDS

    def v2(self) -> dict[str, Any]:
        return {
            "scheme": EXACT,
            "network": self.chain.caip2,
            "amount": str(self.amount),
            "asset": checksummed(self.token.address),
            "payTo": checksummed(self.pay_to),
            "maxTimeoutSeconds": self.max_timeout_seconds,
            "extra": {"name": self.token.name, "version": self.token.version},
        }

    def v1(self) -> dict[str, Any] | None:
        """None on chains that version 1 has no name for. Without `outputSchema`: null makes clients refuse."""
        if self.chain.v1_name is None:
            return None
        return {
            "scheme": EXACT,
            "network": self.chain.v1_name,
            "maxAmountRequired": str(self.amount),
            "resource": self.resource,
            "description": self.description,
            "mimeType": self.mime_type,
            "payTo": checksummed(self.pay_to),
            "maxTimeoutSeconds": self.max_timeout_seconds,
            "asset": checksummed(self.token.address),
            "extra": {"name": self.token.name, "version": self.token.version},
        }


@dataclass(frozen=True, slots=True)
class Payload:
    """A proof as presented. `accepted` is the requirement it says it meets (version 2)."""

    version: int
    scheme: str
    network: str
    authorization: Authorization
    signature: bytes
    accepted: dict[str, Any] | None

    @property
    def payer(self) -> str:
        return self.authorization.sender

    def key(self, chain_id: int, token: str) -> str:
        """What makes two presentations the same payment."""
        return f"eip3009:{chain_id}:{token}:{self.payer}:0x{self.authorization.nonce.hex()}"


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of an attempt to move the money. `transaction` is empty when none was sent."""

    success: bool
    payer: str
    chain: Chain
    amount: int
    transaction: str = ""
    reason: str = ""
    block_number: int | None = None
    block_hash: str | None = None

    def shown(self, version: int) -> dict[str, Any]:
        """The receipt, in the naming of its version."""
        network = self.chain.v1_name if version == 1 else self.chain.caip2
        receipt: dict[str, Any] = {
            "success": self.success,
            "payer": checksummed(self.payer),
            "transaction": self.transaction,
            "network": network or self.chain.caip2,
        }
        if not self.success:
            receipt["errorReason"] = self.reason
        elif version != 1:
            receipt["amount"] = str(self.amount)
        return receipt


@dataclass(frozen=True, slots=True)
class Transfer:
    """A settlement to be sent: the payment it settles, whose money it moves, and the call of the token's contract."""

    payment_key: str
    payer: str
    token: str
    data: bytes


class Sent(msgspec.Struct, frozen=True, kw_only=True):
    """A settlement that was signed, in the order of the columns read. Fees in wei per gas, `sent_at` in Unix ms."""

    chain_id: int
    sender: str
    nonce: int
    tries: int
    tx_hash: str
    payment_key: str
    payer: str
    token: str
    data: bytes
    gas: int
    max_fee: int
    tip: int
    sent_at: int
