"""A believable small example."""

from __future__ import annotations

from flux.kernel.house import House
from flux.kernel.wire import Plane


async def demo(plane: Plane, house: House) -> list[str]:
    return []
