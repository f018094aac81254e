"""Where webhooks may go, who wants which event, how messages are signed, when they are tried again. Pure."""

from __future__ import annotations

import hashlib
import hmac
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from flux.content.problems import problem
from flux.content.webhooks.rows import Webhook
from flux.kernel.outside.guard import Guard, NotAllowed

PUBLISHED, UNPUBLISHED, DELETED = "resource.published", "resource.unpublished", "resource.deleted"
EVENTS = (PUBLISHED, UNPUBLISHED, DELETED)
PING = "ping"
GONE = 410
"""The receiver wants no more of this message."""


class Happening(Struct, frozen=True):
    """What happened to a resource. `revision` is the one published, or the one that was."""

    event: str
    environment: str
    folder: str
    path: str
    resource: str
    external_id: str | None
    component: str | None
    revision: str | None


def wants(hook: Webhook, event: str, folder: str) -> bool:
    folders: list[str] = msgspec.json.decode(hook.folders)
    return event in hook.events.split(",") and (not folders or folder in folders)


def message(identity: str, what: Happening, at: str) -> bytes:
    """The body: what happened and where, not the content, which is read from delivery."""
    return msgspec.json.encode(
        {
            "id": identity,
            "event": what.event,
            "occurred_at": at,
            "environment": what.environment,
            "folder": {"key": what.folder, "path": what.path},
            "resource": {
                "key": what.resource,
                "external_id": what.external_id,
                "component": what.component,
                "revision": what.revision,
            },
        }
    )


def ping(identity: str, environment: str, at: str) -> bytes:
    return msgspec.json.encode({"id": identity, "event": PING, "occurred_at": at, "environment": environment})


def signature(secret: str, seconds: int, body: bytes) -> str:
    """`t=<unix seconds>,v1=<HMAC-SHA256 of "<t>.<body>", hex>`: the time is signed, so that old messages are told."""
    mac = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256)
    return f"t={seconds},v1={mac.hexdigest()}"


def target_problems(guard: Guard, url: str) -> list[dict[str, str]]:
    """A URL that can never be called. Names are judged again when they are resolved, for each message."""
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        host = parts.hostname or ""
        if parts.scheme not in ("https", "http") or not host or parts.username is not None or parts.fragment:
            return [problem("format", "url", "Expected an https URL without credentials or fragment")]
        if parts.scheme == "http" and not guard.is_exempt(host, port):
            return [problem("format", "url", "Expected an https URL without credentials or fragment")]
        guard.check_host(host, port)
    except ValueError:
        return [problem("format", "url", "Expected an https URL without credentials or fragment")]
    except NotAllowed:
        return [problem("target", "url", "This address may not be called")]
    return []


def pause_ms(attempts: int, first_seconds: float, most_seconds: float) -> int:
    """Before the next attempt, after so many."""
    return int(min(first_seconds * 2 ** min(attempts - 1, 40), most_seconds) * 1000)
