"""Which targets may be called: the kernel's guard, with paygate's settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from flux.kernel.outside import guard
from flux.kernel.outside.guard import (
    FIRST_FREE_PORT,
    WELL_KNOWN_PORTS,
    IPAddress,
    NotAllowed,
    is_public,
    literal,
)


class Guard(guard.Guard):
    """See the kernel's; complaints about entries name paygate's setting."""

    def __init__(
        self,
        allowed: Sequence[str] = (),
        denied_ports: Iterable[int] = (),
        own_names: Iterable[str] = (),
        leads_home: Callable[[IPAddress, int], bool] | None = None,
    ) -> None:
        super().__init__(
            allowed, denied_ports, own_names, setting="paygate.allowed_targets", leads_home=leads_home
        )


__all__ = ["FIRST_FREE_PORT", "WELL_KNOWN_PORTS", "Guard", "NotAllowed", "is_public", "literal"]
