"""Which services outside the house its settings name, and whether they can be reached."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec

from flux.kernel.watch.findings import Finding, ok
from flux.settings import Settings

_LEAF = re.compile(r"(?:^|_)(?:url|urls|endpoint)\Z")
# Addresses that others use to reach this instance, or that only browsers open.
_INWARD = {"public_url", "explorer_tx_url"}
_PORTS = {"http": 80, "https": 443, "ws": 80, "wss": 443, "nats": 4222, "tls": 4222, "smtp": 25, "smtps": 465}
CONNECT_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Service:
    """`key` is the setting that names it. Without a vital one the server does not start."""

    key: str
    host: str
    port: int
    vital: bool = False


def services(settings: Settings) -> list[Service]:
    """What is configured and differs from its default, each address once."""
    found: list[Service] = []
    post = settings.post
    if post.mail == "smtp":
        found.append(Service("post.smtp_host", post.smtp_host, post.smtp_port))
    if post.sms == "twilio":
        found += _at("post.twilio_url", post.twilio_url)
    defaults = dict(_texts(msgspec.to_builtins(Settings()), ""))
    for key, text in _texts(msgspec.to_builtins(settings), ""):
        leaf = re.sub(r"(?<!^)(?=[A-Z])", "_", re.sub(r"\.\d+\Z", "", key).rpartition(".")[2]).lower()
        if text and defaults.get(key) != text and _LEAF.search(leaf) and leaf not in _INWARD:
            for part in text.split(","):
                found += _at(key, part.strip())
    return list(dict.fromkeys(found))


def _at(key: str, text: str) -> list[Service]:
    try:
        url = urlsplit(text)
        port = url.port or _PORTS.get(url.scheme, 0)
    except ValueError:
        return []
    return [Service(key, url.hostname, port, vital=key == "bus.url")] if url.hostname and port else []


def _texts(tree: Any, at: str) -> Iterator[tuple[str, str]]:
    """Every string in the settings with its dotted key; list items count from 0."""
    if isinstance(tree, str):
        yield at, tree
    elif isinstance(tree, dict):
        for name, value in tree.items():
            yield from _texts(value, f"{at}.{name}" if at else str(name))
    elif isinstance(tree, (list, tuple)):
        for index, value in enumerate(tree):
            yield from _texts(value, f"{at}.{index}")


async def unreachable(service: Service, seconds: float = CONNECT_SECONDS) -> str:
    """Why no connection can be made, in a few words; empty when one can."""
    try:
        async with asyncio.timeout(seconds):
            _, writer = await asyncio.open_connection(service.host, service.port)
    except TimeoutError:
        return f"no answer within {seconds:g} seconds"
    except OSError as failure:
        # asyncio puts addresses and several failures into one text; the number says it in two words.
        number = failure.errno or 0
        return os.strerror(number) if number > 0 else failure.strerror or type(failure).__name__
    writer.close()
    return ""


async def check_service(service: Service) -> Finding:
    """One outside service: `warn` where Flux runs without it, `fail` where it does not start."""
    reason = await unreachable(service)
    where = f"{service.host}:{service.port} ({service.key})"
    if not reason:
        return ok("outside", f"{where} can be reached")
    advice = "Check the setting, the service and the network between; " + (
        "Flux does not start without it." if service.vital else "what needs it fails until it is back."
    )
    return Finding("fail" if service.vital else "warn", "outside", f"{where}: {reason}", advice)
