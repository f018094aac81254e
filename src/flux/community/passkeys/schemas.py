"""Passkeys on the wire. Options and answers are the `…JSON` forms of WebAuthn level 3."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from flux.community.inputs import Input

Challenge = Annotated[str, Meta(min_length=1, max_length=512)]


class PasskeyView(Struct, frozen=True):
    id: str
    name: str
    created_at: str
    last_used_at: str | None


class PasskeyAnswer(Input):
    response: dict[str, Any]
    challenge: Challenge
