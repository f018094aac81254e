"""The plane's settings as its rooms use them, and the addresses that follow from them."""

from __future__ import annotations

from flux.content.pages import origin
from flux.kernel.house import House
from flux.kernel.quota import Rate
from flux.kernel.wire import Call


class Settled:
    def __init__(self, house: House) -> None:
        self.content = house.settings.content
        self.depth = house.settings.server.depth
        self.delivery_rate = Rate.parse(self.content.rate_limit)
        self.management_rate = Rate.parse(self.content.management_rate_limit)

    def public_base(self, call: Call) -> str:
        """Origin and mount as the caller reaches the plane, without a trailing slash."""
        if self.content.public_base:
            return self.content.public_base.rstrip("/")
        path: str = call.scope["raw_path"].decode("latin-1").rstrip("/")
        return origin(call) + path[: len(path) - len(call.path.rstrip("/"))]
