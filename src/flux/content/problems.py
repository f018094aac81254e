"""One entry of a management `validation_error` detail, for what only a service can find out."""

from __future__ import annotations


def problem(kind: str, field: str, details: str, message: str = "Invalid value") -> dict[str, str]:
    return {"type": kind, "field": field, "message": message, "details": details}
