"""The three dialects: how each plane spells a refusal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flux.client.errors.base import Refusal, read_problem_tree, read_problems, waiting_time


class CommunityError(Refusal, plane="community"):
    """`{"code", "message", …}`; further members (`retry_after`, `global`, `has_mfa` …) stand at the top, in `raw`."""

    def _read(self, body: dict[str, Any]) -> None:
        entries = body.get("errors")
        self.errors = read_problem_tree(entries) or read_problems(entries)
        precise = waiting_time(body.get("retry_after"))
        if precise is not None:
            self.retry_after = precise

    @classmethod
    def code_in(cls, body: Mapping[str, Any]) -> str:
        return _both(body.get("code"), body.get("message"))


class ContentError(Refusal, plane="content"):
    """`{"message", "error_code", "detail"}`; `detail` is None, an object or an array."""

    detail: dict[str, Any] | list[Any] | None = None

    def _read(self, body: dict[str, Any]) -> None:
        detail = body.get("detail")
        self.detail = detail if isinstance(detail, dict | list) else None
        self.errors = read_problems(detail.get("errors") if isinstance(detail, dict) else detail)

    @classmethod
    def code_in(cls, body: Mapping[str, Any]) -> str:
        return _both(body.get("error_code"), body.get("message"))


class PaygateError(Refusal, plane="paygate"):
    """`{"error", "message", "code", "details"}`; the word stands in `error`, `code` repeats the status."""

    number: int = 0
    """The numeric `code` of the body, by which the reference tells what to retry."""

    def _read(self, body: dict[str, Any]) -> None:
        details = body.get("details")
        self.details: dict[str, Any] = details if isinstance(details, dict) else {}
        number = body.get("code")
        self.number = number if isinstance(number, int) and not isinstance(number, bool) else self.status
        self.errors = read_problems(self.details.get("errors"))
        if not self.code:
            self.code = self.answer.headers.get("x-gateway-error", "")
        if self.retry_after is None:
            self.retry_after = waiting_time(self.details.get("retryAfterSeconds"))

    @property
    def retryable(self) -> bool | None:
        """What `details.retryable` says, None when it says nothing."""
        said = self.details.get("retryable")
        return said if isinstance(said, bool) else None

    @classmethod
    def code_in(cls, body: Mapping[str, Any]) -> str:
        return _both(body.get("error"), body.get("message"))


def _both(code: object, message: object) -> str:
    return code if isinstance(code, str) and isinstance(message, str) else ""
