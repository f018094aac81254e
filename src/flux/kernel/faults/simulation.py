"""One named failure on request: `X-Flux-Simulate: CODE` or `CODE@STATUS`, in the sandbox only.

The answer is the plane's real envelope for the fault with its sample parameters, so client developers can test
their handling of every code without building the world that causes it.
"""

from __future__ import annotations

from flux.kernel.faults.declaration import FaultError
from flux.kernel.faults.registry import FaultTable

HEADER = b"x-flux-simulate"


class SimulationRefused(Exception):
    """Outside the sandbox, or a code that the plane does not have or has under several statuses."""


def simulated(table: FaultTable, name: str, *, sandbox: bool) -> FaultError:
    fault = table.find(name.strip()) if sandbox else None
    if fault is None:
        raise SimulationRefused(name)
    return fault.sampled()
