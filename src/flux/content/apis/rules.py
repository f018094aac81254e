"""Methods of a connection, origins of an API. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from flux.content.problems import problem

METHODS = ("get_many", "get_one", "create", "update")
DEFAULT_METHODS = ("get_many", "get_one")


def joined(methods: Sequence[str]) -> str:
    """In the order of METHODS, each once."""
    return ",".join(method for method in METHODS if method in methods)


def split(methods: str) -> list[str]:
    return methods.split(",") if methods else []


def method_problems(methods: Sequence[str]) -> list[dict[str, str]]:
    return [
        problem("choice", f"allowed_methods.{index}", f"Expected one of {', '.join(METHODS)}")
        for index, method in enumerate(methods)
        if method not in METHODS
    ]


def origin_problems(origins: Sequence[str]) -> list[dict[str, str]]:
    return [
        problem("format", f"cors_origins.{index}", "Expected * or an origin with its scheme")
        for index, origin in enumerate(origins)
        if not _is_origin(origin)
    ]


def _is_origin(text: str) -> bool:
    if text == "*":
        return True
    try:
        parts = urlsplit(text)
        return bool(parts.scheme in ("http", "https") and parts.netloc and not parts.path and not parts.query)
    except ValueError:
        return False


def flat_problems(levels: Sequence[int] | None, ancestors: Sequence[str] | None) -> list[dict[str, str]]:
    """Addresses without their ancestors' keys are not served yet."""
    if (levels is None) != (ancestors is None):
        missing = "unscoped_levels" if levels is None else "unscoped_ancestors"
        details = "unscoped_levels and unscoped_ancestors are sent together"
        return [problem("missing", missing, details, "Missing value")]
    if levels or ancestors:
        return [problem("choice", "unscoped_levels", "Unscoped levels are not supported")]
    return []
