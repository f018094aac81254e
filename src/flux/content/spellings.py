"""Folders and collections are one thing under two spellings of their URLs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flux.kernel.wire.routes import Handler, Routes


def both_spellings(routes: Routes, method: str, path: str, **options: Any) -> Callable[[Handler], Handler]:
    """Register under /folders/ and /collections/: `{F}` and `{X}` in the path are the plural and the singular."""

    def register(handler: Handler) -> Handler:
        for singular in ("folder", "collection"):
            at = path.replace("{F}", f"{singular}s").replace("{X}", singular)
            routes.route(method, at, **options)(handler)
        return handler

    return register
