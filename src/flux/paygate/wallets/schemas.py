"""What crosses the wire about logins."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from flux.paygate.scalars import Address


class NonceRequest(Struct, rename="camel", kw_only=True):
    address: Address | None = None
    chain_id: Annotated[int, Meta(ge=1)] | None = None


class NonceAnswer(Struct, rename="camel", kw_only=True, omit_defaults=True):
    nonce: str
    issued_at: str
    expires_at: str
    message: str | None = None


class VerifyRequest(Struct, kw_only=True):
    message: str
    signature: str


class SessionAnswer(Struct, rename="camel", kw_only=True, omit_defaults=True):
    address: str
    expires_at: str
    token: str | None = None
    csrf_token: str | None = None
