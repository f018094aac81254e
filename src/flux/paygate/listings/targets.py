"""A listing's target URL in its one spelling, so that two spellings of a URL are one target."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from yarl import URL

MAX_LENGTH = 2_048
_AUTHORITY = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[^:\[\]]+)(?::[0-9]{1,5})?\Z")
"""Parsers that read `:+80` or `:8_0` as a port exist; ours is one."""
_ILLEGAL = re.compile(r"[\x00-\x20\x7f\\\"<>^`{|}]")


class BadTarget(ValueError):
    """Not a URL a listing can have; the argument says what is expected."""


@dataclass(frozen=True, slots=True)
class Target:
    """`base` is `scheme://host[:port][/path]` without a trailing slash; `host` without brackets."""

    base: str
    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """For the `Host` header: no default port."""
        return self.base.split("/", 3)[2]

    @property
    def base_path(self) -> str:
        """`""` or `/…`."""
        parts = self.base.split("/", 3)
        return f"/{parts[3]}" if len(parts) == 4 else ""


def parse_target(text: str, *, allow_http: bool) -> Target:
    """Host in lower case and punycode, default port and trailing slash dropped. Raises `BadTarget`."""
    wanted = "an absolute https URL" if not allow_http else "an absolute http or https URL"
    if len(text) > MAX_LENGTH or _ILLEGAL.search(text):
        raise BadTarget(wanted)
    scheme, separator, rest = text.partition("://")
    if (
        not separator
        or scheme.lower() not in ("http", "https")
        or (scheme.lower() == "http" and not allow_http)
    ):
        raise BadTarget(wanted)
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in authority or not authority:
        raise BadTarget(f"{wanted} without user information")
    if not _AUTHORITY.match(authority):
        raise BadTarget(wanted)
    if "#" in rest or "?" in rest:
        raise BadTarget(f"{wanted} without query and fragment")
    try:
        url = URL(text)
        host, port = url.raw_host, url.port
        if host and ":" in host:
            ipaddress.IPv6Address(host)
    except (ValueError, TypeError):
        raise BadTarget(wanted) from None
    if not host or port is None or not 0 < port < 65_536:
        raise BadTarget(wanted)
    path = url.raw_path.rstrip("/")
    if any(segment in ("", ".", "..") for segment in path.split("/")[1:]):
        raise BadTarget(f"{wanted} without empty or dot segments")
    shown = f"[{host}]" if ":" in host else host.lower()
    default = 443 if url.scheme == "https" else 80
    base = f"{url.scheme}://{shown}{'' if port == default else f':{port}'}{path}"
    return Target(base, url.scheme, host.lower(), port)
