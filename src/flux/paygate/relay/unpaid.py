"""What a call is told that brings no payment. It changes only with its listing, so it is made once and said again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from flux.kernel.faults import Fault, FaultError
from flux.paygate.envelope import Prepared, prepared_body
from flux.paygate.facilitator.extensions import Extensions
from flux.paygate.facilitator.offers import Offers
from flux.paygate.faults import MISSING_PAYMENT_TX, MISSING_PAYMENT_TX_X402
from flux.paygate.listings.model import CallPlan, Meaning
from flux.paygate.payment.rules import Terms
from flux.paygate.relay.answers import PAYMENT_REQUIRED
from flux.paygate.relay.proofs import SIGNATURE, TX

KEPT = 1_000
LONGEST = 200
"""Whoever asks for thousands of long paths makes each answer anew, and does not fill the memory."""
MISSING = [TX, SIGNATURE]


class _Said(msgspec.Struct, frozen=True):
    """An answer, and what it was made of: while that is kept, its identity is nobody else's."""

    plan: CallPlan
    terms: Terms
    fault: Fault
    detail: Mapping[str, Any]
    extra: Mapping[str, Any]
    headers: Mapping[str, str]
    body: bytes


class Unpaid:
    def __init__(self, offers: Offers, extensions: Extensions) -> None:
        self._offers = offers
        self._extensions = extensions
        self._kept: dict[tuple[int, int, str, str, str, str], _Said] = {}

    async def refusal(
        self, plan: CallPlan, meaning: Meaning, terms: Terms, method: str, mount: str, suffix: str
    ) -> FaultError:
        """401, as the reference has it, with the x402 offer as headers; 402 where the consumer came to be told so."""
        key = (id(plan), id(terms), meaning.template, method, mount, suffix)
        said = self._kept.get(key)
        if said is None:
            said = await self._said(plan, meaning, terms, method, mount, suffix)
            if len(suffix) <= LONGEST:
                if len(self._kept) >= KEPT:
                    self._kept.clear()
                self._kept[key] = said
        params = {"header": TX, "missing": MISSING}
        return Prepared(said.fault, params, said.detail, said.extra, said.headers, said.body)

    async def _said(
        self, plan: CallPlan, meaning: Meaning, terms: Terms, method: str, mount: str, suffix: str
    ) -> _Said:
        detail = {"payment": terms.shown()}
        requirement = self._offers.requirement(plan, terms, suffix, mount)
        wanted = plan.listing.x402
        insists = wanted is not None and wanted.unpaid_status == PAYMENT_REQUIRED
        asks = mount == "x402" or (insists and requirement is not None)
        fault = MISSING_PAYMENT_TX_X402 if asks else MISSING_PAYMENT_TX
        error = fault(header=TX, missing=MISSING, detail=detail)
        if requirement is not None:
            extensions = await self._extensions.of(plan, meaning, method, mount)
            if asks:
                error = self._offers.dressed(error, requirement, extensions)
            else:
                headers = self._offers.required(requirement, fault.message, extensions)
                headers["Link"] = f'<{self._offers.resource(plan, suffix)}>; rel="payment"'
                error = fault(header=TX, missing=MISSING, detail=detail, headers=headers)
        return _Said(plan, terms, fault, detail, error.extra, error.extra_headers, prepared_body(error))
