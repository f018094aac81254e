"""The steps of changing an address or a password, on the wire."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from flux.community.auth.schemas import Email
from flux.community.inputs import Input, Password, Secret

Code = Annotated[str, Meta(max_length=64)]


class ChangeTicket(Input):
    ticket: Secret


class ChangeCode(Input):
    ticket: Secret
    code: Code


class EmailChangeStarted(Struct, frozen=True):
    ticket: str
    require_original: bool
    original_email: str | None
    original_proof: str | None
    original_code_expires_at: str | None
    resend_available_at: str | None


class OriginalProof(Struct, frozen=True):
    original_proof: str


class NewEmail(Input):
    ticket: Secret
    new_email: Email
    original_proof: Secret


class NewEmailAsked(Struct, frozen=True):
    ticket: str
    new_email: str
    new_code_expires_at: str
    resend_available_at: str | None


class NewEmailCode(Input):
    ticket: Secret
    code: Code
    original_proof: Secret


class EmailToken(Struct, frozen=True):
    email_token: str


class PasswordChangeStarted(Struct, frozen=True):
    ticket: str
    code_expires_at: str
    resend_available_at: str | None


class PasswordProof(Struct, frozen=True):
    verification_proof: str


class PasswordComplete(Input):
    ticket: Secret
    verification_proof: Secret
    new_password: Password
