"""What managing second factors takes and gives."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from flux.community.auth.schemas import SudoProof
from flux.community.inputs import Secret
from flux.community.passkeys.schemas import Challenge

Code = Annotated[str, Meta(max_length=64)]
PasskeyName = Annotated[str, Meta(min_length=1, max_length=100)]


class TotpEnable(SudoProof, kw_only=True):
    secret: Secret
    code: Code


class TotpDisable(SudoProof, kw_only=True):
    code: Code


class BackupCodesAsk(SudoProof, kw_only=True):
    regenerate: bool


class PasskeyRegister(SudoProof, kw_only=True):
    response: dict[str, Any]
    challenge: Challenge
    name: PasskeyName


class PasskeyRename(SudoProof, kw_only=True):
    name: PasskeyName


class SudoMethods(Struct, frozen=True):
    totp: bool
    sms: bool
    webauthn: bool
    has_mfa: bool
