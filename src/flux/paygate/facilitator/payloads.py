"""Payment payloads: from a header or a body to a `Payload`. Pure and strict; numbers are decimal strings."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

import msgspec

from flux.paygate.chains.registry import Chain, Chains, UnknownChain
from flux.paygate.facilitator.model import EXACT, Payload, Refused, Requirement
from flux.paygate.signing.accounts import parse_address
from flux.paygate.signing.typed import Authorization

MAX_HEADER = 16_384
MAX_SIGNATURE = 4_096
VERSIONS = {"X-PAYMENT": 1, "PAYMENT-SIGNATURE": 2}
RECEIPTS = {1: "X-PAYMENT-RESPONSE", 2: "PAYMENT-RESPONSE"}
_NUMBER = re.compile(r"(0|[1-9][0-9]{0,77})\Z")
_NONCE = re.compile(r"0x[0-9a-fA-F]{64}\Z")
_HEX = re.compile(r"0x(?:[0-9a-fA-F]{2})+\Z")
_ALPHABET = re.compile(r"[A-Za-z0-9+/_-]*={0,2}\Z")
_UINT256 = 1 << 256


class BadPayload(ValueError):
    """Not a payment payload."""


def from_header(name: str, value: str) -> Payload:
    """Raises `BadPayload`, or `Refused` for other schemes."""
    payload = from_object(decoded_header(value))
    if payload.version != VERSIONS[name]:
        raise BadPayload(f"x402Version {VERSIONS[name]}")
    return payload


def decoded_header(value: str) -> dict[str, Any]:
    """Base64, in either alphabet, with or without padding. Raises `BadPayload`."""
    if len(value) > MAX_HEADER or not _ALPHABET.match(value):
        raise BadPayload("base64 of at most 16 KiB")
    plain = value.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        decoded = msgspec.json.decode(base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True))
    except (binascii.Error, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadPayload("base64 of a JSON object") from None
    return _object(decoded, "payload")


def from_object(decoded: Any) -> Payload:
    """Raises `BadPayload`; `Refused` for a version or scheme that we do not speak."""
    fields = _object(decoded, "payload")
    version = fields.get("x402Version")
    if version not in (1, 2) or isinstance(version, bool):
        raise Refused("invalid_x402_version")
    accepted = _object(fields.get("accepted"), "accepted") if version == 2 else None
    place = fields if accepted is None else accepted
    scheme, network = place.get("scheme"), place.get("network")
    if not isinstance(scheme, str) or not isinstance(network, str):
        raise BadPayload("scheme and network")
    if scheme != EXACT:
        raise Refused("unsupported_scheme")
    inner = _object(fields.get("payload"), "payload")
    signature = inner.get("signature")
    if not isinstance(signature, str) or len(signature) > MAX_SIGNATURE or not _HEX.match(signature):
        raise BadPayload("payload.signature")
    return Payload(
        version=int(version),
        scheme=scheme,
        network=network,
        authorization=_authorization(_object(inner.get("authorization"), "payload.authorization")),
        signature=bytes.fromhex(signature[2:]),
        accepted=accepted,
    )


def requirement_from(decoded: Any, chains: Chains) -> Requirement:
    """A requirement somebody sent us to verify against, in either version. Raises `Refused`."""
    if not isinstance(decoded, dict):
        raise Refused("invalid_payment_requirements")
    if decoded.get("scheme") != EXACT:
        raise Refused("unsupported_scheme")
    chain = chain_of(decoded.get("network"), chains)
    amount = decoded.get("amount", decoded.get("maxAmountRequired"))
    if chain is None:
        raise Refused("invalid_network")
    if chain.usdc is None or not chain.usdc.eip3009:
        raise Refused("invalid_payment_requirements")
    try:
        pay_to, asset = parse_address(decoded.get("payTo")), parse_address(decoded.get("asset"))
    except ValueError:
        raise Refused("invalid_payment_requirements") from None
    if asset != chain.usdc.address or not isinstance(amount, str) or not _NUMBER.match(amount):
        raise Refused("invalid_payment_requirements")
    extra = decoded.get("extra")
    if not isinstance(extra, dict) or not extra.get("name") or not extra.get("version"):
        raise Refused("missing_eip712_domain")
    return Requirement(chain, chain.usdc, int(amount), pay_to, str(decoded.get("resource", "")), "")


def chain_of(network: object, chains: Chains) -> Chain | None:
    """By its name in version 1, or CAIP-2; None when it is not configured."""
    if not isinstance(network, str):
        return None
    for chain in chains:
        if network in (chain.caip2, chain.v1_name):
            return chain
    try:
        return chains.find(network) if network.startswith("eip155:") else None
    except UnknownChain:
        return None


def _authorization(fields: dict[str, Any]) -> Authorization:
    nonce = fields.get("nonce")
    if not isinstance(nonce, str) or not _NONCE.match(nonce):
        raise BadPayload("payload.authorization.nonce")
    try:
        return Authorization(
            sender=parse_address(fields.get("from")),
            to=parse_address(fields.get("to")),
            value=_number(fields.get("value")),
            valid_after=_number(fields.get("validAfter")),
            valid_before=_number(fields.get("validBefore")),
            nonce=bytes.fromhex(nonce[2:]),
        )
    except ValueError:
        raise BadPayload("payload.authorization") from None


def _number(value: object) -> int:
    if not isinstance(value, str) or not _NUMBER.match(value) or int(value) >= _UINT256:
        raise BadPayload("decimal strings")
    return int(value)


def _object(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadPayload(what)
    return value


def encoded(value: Any) -> str:
    """Base64 of JSON, for headers."""
    return base64.b64encode(msgspec.json.encode(value)).decode("ascii")
