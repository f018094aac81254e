"""The self-hosted facilitator for other resource servers, and the catalogue that x402 clients read."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from flux.kernel.wire import Body, Call, Routes
from flux.paygate.bodies import read_struct
from flux.paygate.chains.nodes import ChainFailure
from flux.paygate.chains.registry import Chains
from flux.paygate.envelope import chain_fault
from flux.paygate.facilitator.counter import Counter
from flux.paygate.facilitator.model import Payload, Refused, Requirement
from flux.paygate.facilitator.offers import Offers
from flux.paygate.facilitator.payloads import BadPayload, from_object, requirement_from
from flux.paygate.facilitator.schemas import FacilitatorBody, ResourcesQuery
from flux.paygate.facilitator.service import Facilitator
from flux.paygate.faults import BLOCKCHAIN_ERROR, BLOCKCHAIN_UNAVAILABLE, INVALID_PARAMETER
from flux.paygate.listings.service import Listings
from flux.paygate.signing.accounts import checksummed
from flux.paygate.words import API, FACILITATOR, OPEN

routes = Routes(tag="facilitator", prefix=API)
CHAIN_FAULTS = [BLOCKCHAIN_UNAVAILABLE, BLOCKCHAIN_ERROR]


@routes.get("/facilitator/supported", auth=FACILITATOR)
async def show_supported(call: Call) -> dict[str, Any]:
    """What this facilitator verifies and settles."""
    return call.use(Facilitator).supported()


@routes.post("/facilitator/verify", auth=FACILITATOR, raises=CHAIN_FAULTS)
async def verify_payment(call: Call, body: Body[FacilitatorBody]) -> dict[str, Any]:
    """Would this payment settle? An invalid one is an answer, not an error."""
    given = await read_struct(call, FacilitatorBody)
    try:
        payload, requirement = _read(call, given)
        await call.use(Counter).verify(payload, requirement)
    except Refused as refused:
        return {
            "isValid": False,
            "invalidReason": refused.reason,
            "invalidMessage": refused.message or refused.reason.replace("_", " "),
            **({"payer": checksummed(refused.payer)} if refused.payer else {}),
        }
    except ChainFailure as failure:
        raise chain_fault(failure, failure.chain) from failure
    return {"isValid": True, "payer": checksummed(payload.payer)}


@routes.post("/facilitator/settle", auth=FACILITATOR, raises=CHAIN_FAULTS)
async def settle_payment(call: Call, body: Body[FacilitatorBody]) -> dict[str, Any]:
    """Verify once more and move the money."""
    given = await read_struct(call, FacilitatorBody)
    network = ""
    try:
        payload, requirement = _read(call, given)
        network = payload.network
        settlement = await call.use(Counter).settle(payload, requirement)
    except Refused as refused:
        shown: dict[str, Any] = {
            "success": False,
            "errorReason": refused.reason,
            "transaction": "",
            "network": network,
        }
        if refused.payer:
            shown["payer"] = checksummed(refused.payer)
        return {**shown, "errorMessage": refused.message or refused.reason.replace("_", " ")}
    except ChainFailure as failure:
        raise chain_fault(failure, failure.chain) from failure
    return settlement.shown(payload.version)


def _read(call: Call, given: FacilitatorBody) -> tuple[Payload, Requirement]:
    """Raises `Refused`."""
    try:
        payload = from_object(given.payment_payload)
    except BadPayload as error:
        raise Refused("invalid_payload", f"expected {error}") from None
    if given.x402_version is not UNSET and given.x402_version != payload.version:
        raise Refused("invalid_x402_version", "not the payload's", payload.payer)
    return payload, requirement_from(given.payment_requirements, call.use(Chains))


@routes.get("/facilitator/discovery/resources", auth=OPEN, raises=[INVALID_PARAMETER])
async def list_resources_here(call: Call, query: ResourcesQuery) -> dict[str, Any]:
    """The same below the facilitator's own URL, where its clients look."""
    return await list_resources(call, query)


@routes.get("/discovery/resources", auth=OPEN, raises=[INVALID_PARAMETER])
async def list_resources(call: Call, query: ResourcesQuery) -> dict[str, Any]:
    """What takes x402, in the form of its bazaar."""
    offers = call.use(Offers)
    networks = offers.networks(call.use(Chains), query)
    pay_to = str(query.pay_to) if query.pay_to is not None else None
    rows, total = await call.use(Listings).resources(networks, pay_to, query.limit, query.offset)
    items = [item for plan, meaning in rows if (item := offers.item(plan, meaning)) is not None]
    pagination = {"limit": query.limit, "offset": query.offset, "total": total}
    return {"x402Version": 2, "items": items, "pagination": pagination}
