"""The form bodies of the token endpoints: urlencoded, multipart or JSON, and client credentials in the header."""

from __future__ import annotations

import base64
from email.parser import BytesParser
from email.policy import HTTP
from urllib.parse import parse_qsl, unquote_plus

from flux.community.envelope import invalid
from flux.kernel.wire import Call, Kind, WireTrouble
from flux.kernel.wire.compiling import decode_json

FORM_BYTES = 65_536


async def read_form(call: Call) -> dict[str, str]:
    """The fields; client credentials of a `Basic` header win over those in the body."""
    body = await call.body(FORM_BYTES)
    kind = (call.header("content-type") or "").partition(";")[0].strip().lower()
    if kind == "application/json":
        fields = _from_json(call, body)
    elif kind == "multipart/form-data":
        fields = _from_multipart(call.header("content-type") or "", body)
    elif kind in ("application/x-www-form-urlencoded", ""):
        fields = _from_urlencoded(body)
    else:
        raise WireTrouble(Kind.CONTENT_TYPE, subject=kind)
    return fields | _basic(call.header("authorization"))


def _from_urlencoded(body: bytes) -> dict[str, str]:
    try:
        return dict(
            parse_qsl(body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=50)
        )
    except UnicodeDecodeError:
        raise WireTrouble(Kind.BAD_UTF8) from None
    except ValueError:
        raise invalid("", "Too many fields.", "INVALID_FORM") from None


def _from_json(call: Call, body: bytes) -> dict[str, str]:
    told: dict[str, object] = decode_json(body, dict[str, object], call.plane.limits.depth)
    return {name: str(value) for name, value in told.items() if isinstance(value, (str, int))}


def _from_multipart(content_type: str, body: bytes) -> dict[str, str]:
    head = b"Content-Type: " + content_type.encode("latin-1", "replace") + b"\r\n\r\n"
    message = BytesParser(policy=HTTP).parsebytes(head + body)
    fields: dict[str, str] = {}
    for part in message.iter_parts() if message.is_multipart() else ():
        name = part.get_param("name", header="content-disposition")
        raw = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(raw, bytes):
            fields[name] = raw.decode("utf-8", "replace")
    return fields


def _basic(header: str | None) -> dict[str, str]:
    scheme, _, text = (header or "").partition(" ")
    if scheme.lower() != "basic":
        return {}
    try:
        client, mark, secret = base64.b64decode(text.strip(), validate=True).decode("utf-8").partition(":")
    except ValueError:
        return {}
    return {"client_id": unquote_plus(client), "client_secret": unquote_plus(secret)} if mark else {}
