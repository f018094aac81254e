"""EIP-4361, Sign-In with Ethereum: a strict parser, and the message we hand out to be signed.

A message that this parser accepts has exactly one reading. What a login demands of the values is decided in the
wallets room.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flux.paygate.signing.accounts import checksummed, parse_address

HEADER = " wants you to sign in with your Ethereum account:"
_FIELD = re.compile(r"([A-Z][A-Za-z ]*): (.*)\Z")
_NONCE = re.compile(r"[A-Za-z0-9]{8,128}\Z")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[!-~]+\Z")
_STATEMENT = re.compile(r"[ -~]*\Z")
_DOMAIN = re.compile(r"[!-.0-~]+(://[!-.0-~]+)?\Z")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)\Z")
_REQUIRED = ("URI", "Version", "Chain ID", "Nonce", "Issued At")
_OPTIONAL = ("Expiration Time", "Not Before", "Request ID")
MAX_BYTES = 8_192


class NotALogin(ValueError):
    """The text is not an EIP-4361 message; the argument says what was expected."""


@dataclass(frozen=True, slots=True)
class Login:
    """Times are Unix milliseconds; `address` is in lower case."""

    domain: str
    address: str
    statement: str | None
    uri: str
    chain_id: int
    nonce: str
    issued_at: int
    expires_at: int | None = None
    not_before: int | None = None
    request_id: str | None = None
    resources: list[str] = field(default_factory=list)


def parse_login(message: str) -> Login:
    """Raises `NotALogin`."""
    if len(message.encode("utf-8", "replace")) > MAX_BYTES:
        raise NotALogin(f"at most {MAX_BYTES} bytes")
    lines = message.split("\n")
    if len(lines) < 9:
        raise NotALogin("an EIP-4361 message")
    domain = lines[0].removesuffix(HEADER)
    if domain == lines[0] or not _DOMAIN.match(domain):
        raise NotALogin("a first line '<domain>" + HEADER + "'")
    address = _address(lines[1])
    if lines[2]:
        raise NotALogin("an empty third line")
    statement: str | None = None
    at = 4
    if lines[3]:
        statement, at = lines[3], 5
        if not _STATEMENT.match(statement) or lines[4]:
            raise NotALogin("a statement of one line of ASCII, then an empty line")
    values, resources = _fields(lines[at:])
    return Login(domain, address, statement, resources=resources, **_typed(values))


def _address(line: str) -> str:
    try:
        address = parse_address(line)
    except ValueError:
        raise NotALogin("an address on the second line") from None
    if checksummed(address) != line:
        raise NotALogin("an address in EIP-55 form on the second line")
    return address


def _fields(lines: list[str]) -> tuple[dict[str, str], list[str]]:
    values: dict[str, str] = {}
    wanted = list(_REQUIRED + _OPTIONAL)
    at = 0
    while at < len(lines) and lines[at] != "Resources:":
        match = _FIELD.match(lines[at])
        name = match.group(1) if match else ""
        while wanted and wanted[0] != name and wanted[0] in _OPTIONAL:
            wanted.pop(0)
        if match is None or not wanted or wanted[0] != name:
            raise NotALogin(f"the line '{wanted[0] if wanted else 'Resources'}: …'")
        values[wanted.pop(0)] = match.group(2)
        at += 1
    if any(name in wanted for name in _REQUIRED):
        raise NotALogin(f"the line '{wanted[0]}: …'")
    resources: list[str] = []
    for line in lines[at + 1 :]:
        if not line.startswith("- ") or not _URI.match(line[2:]):
            raise NotALogin("resources as lines '- <uri>'")
        resources.append(line[2:])
    return values, resources


def _typed(values: dict[str, str]) -> dict[str, Any]:
    if not _URI.match(values["URI"]):
        raise NotALogin("a URI")
    if values["Version"] != "1":
        raise NotALogin("Version: 1")
    if not re.match(r"[1-9]\d{0,17}\Z", values["Chain ID"]):
        raise NotALogin("a decimal chain id")
    if not _NONCE.match(values["Nonce"]):
        raise NotALogin("a nonce of at least 8 letters and digits")
    return {
        "uri": values["URI"],
        "chain_id": int(values["Chain ID"]),
        "nonce": values["Nonce"],
        "issued_at": _moment(values["Issued At"]),
        "expires_at": _moment(values["Expiration Time"]) if "Expiration Time" in values else None,
        "not_before": _moment(values["Not Before"]) if "Not Before" in values else None,
        "request_id": values.get("Request ID"),
    }


def _moment(text: str) -> int:
    if not _TIME.match(text):
        raise NotALogin("times in RFC 3339")
    try:
        return round(datetime.fromisoformat(text.upper()).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise NotALogin("times in RFC 3339") from None


def login_message(
    domain: str,
    uri: str,
    address: str,
    chain_id: int,
    nonce: str,
    issued_at: str,
    expires_at: str,
    statement: str,
) -> str:
    """Ready to sign: lines joined by LF, no trailing newline."""
    return "\n".join(
        (
            domain + HEADER,
            checksummed(address),
            "",
            statement,
            "",
            f"URI: {uri}",
            "Version: 1",
            f"Chain ID: {chain_id}",
            f"Nonce: {nonce}",
            f"Issued At: {issued_at}",
            f"Expiration Time: {expires_at}",
        )
    )
