"""The plane's two APIs, told apart by their paths: management, and everything else, which is delivery."""

from __future__ import annotations

from flux.kernel.wire.call import Call

MANAGEMENT_ROOTS = frozenset({"v1", "organizations", "plans", "regions", "account"})


def is_management(call: Call) -> bool:
    """By the first segment, so that it also answers for paths that no route has."""
    return call.path.lstrip("/").split("/", 1)[0] in MANAGEMENT_ROOTS
