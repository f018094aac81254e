"""Phone numbers on the wire."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from flux.community.auth.schemas import SudoProof
from flux.community.inputs import Input, Secret


class PhoneSend(Input):
    phone: Annotated[str, Meta(max_length=64)]


class PhoneVerify(Input):
    phone: Annotated[str, Meta(max_length=64)]
    code: Annotated[str, Meta(max_length=64)]


class PhoneToken(Struct, frozen=True):
    phone_token: str


class PhoneAdd(SudoProof, kw_only=True):
    phone_token: Secret
