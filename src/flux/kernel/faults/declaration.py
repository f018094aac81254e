"""What a failure is, declared once.

A `Fault` is one row of an error reference: plane, code, status, message template, typed parameters, retry
advice and a paragraph for the reader. Calling it makes the exception to raise:

    UNKNOWN_CHANNEL = community.declare("UNKNOWN_CHANNEL", 404, "Unknown Channel", advice="…")
    raise UNKNOWN_CHANNEL()
    raise INVALID_PARAMETER(param="page", details={"expected": "an integer of at least 1"})

The exception carries no JSON and knows no HTTP; the plane's envelope spells it on the wire.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


class Retry(Enum):
    """What a client may do with the same request."""

    NEVER = "never"
    """The same request fails again; change it first."""
    LATER = "later"
    """Transient: retry with exponential backoff, honouring `Retry-After` when present."""
    AFTER_FIX = "after-fix"
    """Retry once the named condition is cured (log in, verify, pay, wait for a confirmation)."""


class DeclarationError(Exception):
    """A fault declared or raised against its own declaration: always a bug of ours."""


@dataclass(frozen=True, slots=True, eq=False)
class Fault:
    """One declared failure.

    `params` names the typed parameters the message and body take; `sample` holds one value for each, used by
    simulation and the reference page. `headers` maps header names to templates over the same parameters.
    """

    plane: str
    code: str
    status: int
    message: str
    advice: str
    retry: Retry = Retry.NEVER
    params: Mapping[str, type] = field(default_factory=dict)
    sample: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 400 <= self.status <= 599:
            raise DeclarationError(f"{self.key}: a fault cannot have status {self.status}")
        if not self.advice.strip():
            raise DeclarationError(f"{self.key}: a fault without advice helps nobody")
        for name in _PLACEHOLDER.findall(" ".join([self.message, *self.headers.values()])):
            if name not in self.params:
                raise DeclarationError(f"{self.key}: {{{name}}} is not a declared parameter")
        if missing := [name for name in self.params if name not in self.sample]:
            raise DeclarationError(f"{self.key}: no sample for {', '.join(missing)}")
        self._check(self.sample)

    @property
    def key(self) -> str:
        """`plane:CODE@status`, unique over the whole house."""
        return f"{self.plane}:{self.code}@{self.status}"

    def __call__(
        self,
        *,
        detail: Any = None,
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        **params: Any,
    ) -> FaultError:
        """The exception to raise. `detail` is the envelope's free part, `extra` adds top-level members
        where the plane's envelope has them, `headers` adds response headers."""
        if self.params or params:
            self._check(params)
        return FaultError(self, params, detail, extra or {}, headers or {})

    def sampled(self) -> FaultError:
        """The exception with its sample parameters: what simulation answers with."""
        return self(**self.sample)

    def text(self, params: Mapping[str, Any]) -> str:
        return self.message.format_map(params) if self.params else self.message

    def header_values(self, params: Mapping[str, Any]) -> dict[str, str]:
        return {name: template.format_map(params) for name, template in self.headers.items()}

    def _check(self, params: Mapping[str, Any]) -> None:
        for name, kind in self.params.items():
            if name not in params:
                raise DeclarationError(f"{self.key}: parameter {name} is missing")
            value = params[name]
            if not isinstance(value, kind) and not (kind is float and isinstance(value, int)):
                raise DeclarationError(f"{self.key}: parameter {name} must be {kind.__name__}, got {value!r}")
        for name in params:
            if name not in self.params:
                raise DeclarationError(f"{self.key}: unknown parameter {name}")


class FaultError(Exception):
    """A declared failure on its way out. Raise it anywhere; the unit of work rolls back, the plane answers."""

    __slots__ = ("detail", "extra", "extra_headers", "fault", "params")

    def __init__(
        self,
        fault: Fault,
        params: Mapping[str, Any],
        detail: Any,
        extra: Mapping[str, Any],
        headers: Mapping[str, str],
    ) -> None:
        self.fault = fault
        self.params = params
        self.detail = detail
        self.extra = extra
        self.extra_headers = headers

    def __str__(self) -> str:
        return self.fault.key

    @property
    def message(self) -> str:
        return self.fault.text(self.params)

    @property
    def headers(self) -> dict[str, str]:
        if not self.fault.headers:
            return dict(self.extra_headers)
        return {**self.fault.header_values(self.params), **self.extra_headers}
