"""Page tokens: opaque, URL-safe, without padding. They hold the direction, the sort values and key of the document
they are anchored on, and a fingerprint of the query they belong to."""

from __future__ import annotations

import base64
import binascii
import hashlib
import math
from typing import Any

import msgspec

from flux.content.search.plan import Anchor, Join, Plan, Sort
from flux.content.shape.types import TYPES

LONGEST = 4096
_decoder = msgspec.msgpack.Decoder(tuple[bytes, int, list[Any], str])


def fingerprint(plan: Plan, ranked: object = None) -> bytes:
    """Of everything that decides the order and the choice of documents."""
    if plan.kept is None or ranked is not None:
        return _print(plan, ranked)
    known: bytes | None = plan.kept.get("print")
    if known is None:
        known = plan.kept["print"] = _print(plan, None)
    return known


def _print(plan: Plan, ranked: object) -> bytes:
    shaped = plan.texts.print if plan.texts is not None else None
    if shaped is None:
        scope = plan.scope
        parts = (
            scope.folder,
            scope.component,
            scope.parent,
            scope.locales,
            plan.where,
            [(one.alias, one.path, one.type, one.descending) for one in plan.sort],
            _joined(plan.joins),
            ranked,
        )
        shaped = hashlib.blake2b(msgspec.msgpack.encode(parts), digest_size=6).digest()
        if plan.texts is None:
            return shaped
        plan.texts.print = shaped
    if not plan.operands and plan.parent is None:
        return shaped
    filled = msgspec.msgpack.encode((shaped, plan.operands, plan.parent))
    return hashlib.blake2b(filled, digest_size=6).digest()


def _joined(joins: tuple[Join, ...]) -> list[object]:
    return [
        (one.scope.folder, one.source_field, one.target_field, one.required, one.where, _joined(one.joins))
        for one in joins
    ]


def encode(plan_print: bytes, values: tuple[Any, ...], key: str, *, backwards: bool) -> str:
    raw = msgspec.msgpack.encode((plan_print, int(backwards), list(values), key))
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def decode(token: str, plan_print: bytes, sort: tuple[Sort, ...], *, backwards: bool) -> Anchor | None:
    """None for what is not a token of this query in this direction."""
    if not token or len(token) > LONGEST or not token.isascii():
        return None
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        stamped, direction, values, key = _decoder.decode(raw)
    except (binascii.Error, ValueError, msgspec.DecodeError, UnicodeDecodeError):
        return None
    if stamped != plan_print or bool(direction) is not backwards or len(values) != len(sort) or "\x00" in key:
        return None
    if not all(_fits(one, value) for one, value in zip(sort, values, strict=True)):
        return None
    return Anchor(backwards, tuple(values), key)


def _fits(one: Sort, value: Any) -> bool:
    """A token can be forged; what does not fit the column must not reach the database."""
    if value is None:
        return True
    if one.path in ("_sys.created_at", "_sys.updated_at"):
        return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 1 << 62
    if TYPES[one.type].family == "number":
        return isinstance(value, float) and math.isfinite(value)
    return isinstance(value, str) and "\x00" not in value


def encode_position(plan_print: bytes, position: int, *, backwards: bool) -> str:
    """For rankings, which are paged by position."""
    return encode(plan_print, (position,), "", backwards=backwards)


def decode_position(token: str, plan_print: bytes, *, backwards: bool) -> int | None:
    """None for what is not a token of this ranking in this direction."""
    anchor = decode(token, plan_print, (_POSITION,), backwards=backwards)
    position = anchor.values[0] if anchor is not None else None
    return position if isinstance(position, int) and 0 <= position < 1 << 40 else None


_POSITION = Sort("_sys.created_at", "datetime", False)
