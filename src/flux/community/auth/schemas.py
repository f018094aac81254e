"""What crosses the wire when somebody proves who they are."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from flux.community.inputs import Input, Line, Password, Secret
from flux.community.passkeys.schemas import PasskeyAnswer
from flux.community.users.schemas import USERNAME

Email = Annotated[str, Meta(min_length=3, max_length=254)]


class Register(Input, kw_only=True):
    email: Email | UnsetType | None = UNSET
    username: Annotated[str, Meta(pattern=USERNAME)] | UnsetType | None = UNSET
    global_name: Annotated[str, Meta(min_length=1, max_length=32)] | UnsetType | None = UNSET
    password: Password | UnsetType | None = UNSET
    date_of_birth: str
    consent: bool
    invite_code: str | UnsetType | None = UNSET


class Login(Input, kw_only=True):
    email: Email
    password: Secret
    invite_code: str | UnsetType | None = UNSET


class TokenBody(Input):
    token: Secret


class Ticket(Input):
    ticket: Secret


class Forgot(Input):
    email: Email


class Reset(Input):
    token: Secret
    password: Password


class Issued(Struct, frozen=True):
    """A new session."""

    token: str
    user_id: str


class MfaRequired(Struct, frozen=True):
    """The password was right; one of these methods is asked for with the ticket."""

    ticket: str
    allowed_methods: list[str]
    sms_phone_hint: str | None
    sms: bool
    totp: bool
    webauthn: bool
    mfa: bool = True


class MfaCode(Input):
    code: Annotated[str, Meta(max_length=64)]
    ticket: Secret


class MfaPasskey(PasskeyAnswer):
    ticket: Secret


class EmailRevert(Input):
    token: Secret
    password: Password


class Poll(Struct, frozen=True):
    completed: bool
    token: str | None = None
    user_id: str | None = None


class PollQuery(Struct):
    ticket: Line


class ClientInfo(Struct, frozen=True):
    platform: str | None
    os: str | None
    browser: str | None
    location: None = None


class SessionView(Struct, frozen=True):
    id_hash: str
    client_info: ClientInfo
    approx_last_used_at: str
    current: bool


class SudoProof(Input, kw_only=True):
    """The proof that sudo asks for; routes with more in their bodies take these members beside theirs."""

    password: Secret | UnsetType = UNSET
    mfa_method: str | UnsetType = UNSET
    mfa_code: str | UnsetType = UNSET
    webauthn_response: dict[str, Any] | UnsetType = UNSET
    webauthn_challenge: Annotated[str, Meta(max_length=512)] | UnsetType = UNSET


class SessionsLogout(SudoProof, kw_only=True):
    session_id_hashes: Annotated[list[str], Meta(max_length=100)]


class SudoMethods(Struct, frozen=True):
    totp: bool
    sms: bool
    webauthn: bool
    has_mfa: bool
