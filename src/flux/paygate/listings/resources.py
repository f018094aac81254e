"""What of a listing can be bought over x402: one row an operation, written with the listing so that a search finds it. Pure.

Whether the operator really takes it (a key, a node, a token that knows transfer authorisations) is asked when it is shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flux.paygate.listings.model import ANYTHING, Listing, Meaning


@dataclass(frozen=True, slots=True)
class Resource:
    """`*` `/` is everything below a listing that declares nothing. `pay_to` in lower case."""

    method: str
    path: str
    chain_id: int
    pay_to: str


def resources_of(listing: Listing) -> Iterator[Resource]:
    x402 = listing.x402
    if x402 is not None and not x402.enabled:
        return
    for meaning in meanings(listing):
        own = meaning.own
        currency = (own.currency if own else None) or listing.currency
        chain_id = (own.chain_id if own else None) or listing.chain_id
        if x402 is not None and x402.amount is not None:
            currency, chain_id = "USDC", x402.chain_id or chain_id
        if currency == "USDC":
            pay_to = (own.recipient if own else None) or listing.payee
            yield Resource(meaning.method, meaning.template, chain_id, str(pay_to))


def meanings(listing: Listing) -> list[Meaning]:
    """Everything the listing declares, what is priced singly first; or anything."""
    priced = [Meaning(op.method, op.path, op) for op in listing.endpoints]
    known = {(op.method, op.path) for op in listing.endpoints}
    declared = [
        Meaning(op.method, op.path, None) for op in listing.declared if (op.method, op.path) not in known
    ]
    return [*priced, *declared] or [ANYTHING]
