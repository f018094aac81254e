"""HTTP in the plainest way: JSON out, JSON in, no proxies."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from email.message import Message
from typing import Any

SECONDS = 60.0
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is decoded where it is JSON, else text."""

    status: int
    headers: Message
    body: Any


def ask(
    url: str, *, body: Any = None, headers: dict[str, str] | None = None, seconds: float = SECONDS
) -> Answer:
    """Of our own processes on loopback: GET, or POST when there is a body. Any status is an answer; raises OSError when there is none."""
    sent = dict(headers or {})
    data = None
    if body is not None:
        data, sent["Content-Type"] = json.dumps(body).encode(), "application/json"
    request = urllib.request.Request(url, data, sent)  # noqa: S310
    try:
        with _OPENER.open(request, timeout=seconds) as response:
            return _read(response.status, response.headers, response.read())
    except urllib.error.HTTPError as refused:
        with refused:
            return _read(refused.code, refused.headers, refused.read())


def _read(status: int, headers: Message, raw: bytes) -> Answer:
    try:
        return Answer(status, headers, json.loads(raw) if raw else None)
    except ValueError:
        return Answer(status, headers, raw.decode("utf-8", "replace"))
