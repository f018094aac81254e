"""What a failure is.

declaration.py  one `Fault` a code, `FaultError` on its way out
registry.py     a plane's `FaultTable`, checked against `contract/<plane>.toml` at start-up
ports.py        the seams where the world can break, and breaking them on purpose
recorder.py     notes every failure that leaves the server during tests
simulation.py   `X-Flux-Simulate`: one named failure on request, in the sandbox only

Anyone may raise; only envelopes spell. Start at declaration.py.
"""

from flux.kernel.faults.declaration import DeclarationError, Fault, FaultError, Retry
from flux.kernel.faults.ports import PORTS, Mode, PortFailure, Ports, stand_behind
from flux.kernel.faults.registry import ContractBroken, ContractRow, FaultTable, contract_dir, load_contract

__all__ = [
    "PORTS",
    "ContractBroken",
    "ContractRow",
    "DeclarationError",
    "Fault",
    "FaultError",
    "FaultTable",
    "Mode",
    "PortFailure",
    "Ports",
    "Retry",
    "contract_dir",
    "load_contract",
    "stand_behind",
]
