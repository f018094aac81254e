"""The two ceremonies of WebAuthn, in the words of the `webauthn` library.

The library and what it brings take thirteen megabytes; the service imports this module when the first passkey comes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, options_to_json_dict
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

ALGORITHMS = [
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]
LONGEST_ID = 1023
"""Bytes of a credential id, as WebAuthn has it."""


@dataclass(frozen=True, slots=True)
class Party:
    """For whom answers must be made: the relying party's id, its shown name, and the origins it lives at."""

    id: str
    name: str
    origins: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Registered:
    credential_id: str
    public_key: bytes
    sign_count: int


def registration_options(
    party: Party, challenge: bytes, user: tuple[bytes, str, str], known: list[str], timeout_ms: int
) -> dict[str, Any]:
    """`user` is (handle, name, shown name); `known` are credentials that must not be made again."""
    options = webauthn.generate_registration_options(
        rp_id=party.id,
        rp_name=party.name,
        user_id=user[0],
        user_name=user[1],
        user_display_name=user[2],
        challenge=challenge,
        timeout=timeout_ms,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.PREFERRED,
        ),
        exclude_credentials=_described(known),
        supported_pub_key_algs=ALGORITHMS,
    )
    return options_to_json_dict(options)


def authentication_options(
    party: Party, challenge: bytes, known: list[str], timeout_ms: int, *, verified: bool
) -> dict[str, Any]:
    """`verified` demands that the authenticator checks who holds it: there is no other factor."""
    demand = UserVerificationRequirement.REQUIRED if verified else UserVerificationRequirement.PREFERRED
    options = webauthn.generate_authentication_options(
        rp_id=party.id,
        challenge=challenge,
        timeout=timeout_ms,
        allow_credentials=_described(known),
        user_verification=demand,
    )
    return options_to_json_dict(options)


def register(party: Party, challenge: bytes, answer: dict[str, Any]) -> Registered | None:
    """None for an answer that does not verify, whatever is wrong with it."""
    try:
        made = webauthn.verify_registration_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=list(party.origins),
            supported_pub_key_algs=ALGORITHMS,
        )
    except Exception:
        # Bytes of a stranger's meet parsers of JSON, CBOR, COSE and X.509 here, each with failures of its own.
        return None
    if len(made.credential_id) > LONGEST_ID:
        return None
    return Registered(bytes_to_base64url(made.credential_id), made.credential_public_key, made.sign_count)


def authenticate(
    party: Party, challenge: bytes, answer: dict[str, Any], key: tuple[bytes, int], *, verified: bool
) -> int | None:
    """`key` is (public key, last counter). The authenticator's new counter; None for an answer that does not verify."""
    try:
        proven = webauthn.verify_authentication_response(
            credential=answer,
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=list(party.origins),
            credential_public_key=key[0],
            credential_current_sign_count=key[1],
            require_user_verification=verified,
        )
    except Exception:
        # As above: whatever is wrong with the answer, it proves nothing.
        return None
    return proven.new_sign_count


def _described(ids: list[str]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=base64url_to_bytes(each)) for each in ids]
