"""The kernel's parts in one place, as planes receive them."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from flux.kernel.blobs.port import Blobs
from flux.kernel.bus.port import Bus
from flux.kernel.faults import Ports
from flux.kernel.faults.dns import SandboxDns
from flux.kernel.identity.operators import Operator
from flux.kernel.identity.vault import Vault
from flux.kernel.jobs.port import Jobs
from flux.kernel.outside.doors import Doors
from flux.kernel.post.port import Post
from flux.kernel.store import Clock, Database, Snowflakes
from flux.settings import Settings


@dataclass(slots=True)
class House:
    """What `build(house) -> Plane` of each plane is given.

    `public_url` is the origin clients see (`http://127.0.0.1:8080`), without a trailing slash. `maintenance` holds
    the names of planes that an operator has switched to maintenance. `worker` is this process's number.
    """

    settings: Settings
    data_dir: Path
    public_url: str
    db: Database
    bus: Bus
    blobs: Blobs
    jobs: Jobs
    post: Post
    clock: Clock
    ids: Snowflakes
    ports: Ports
    dns: SandboxDns
    operator: Operator
    vault: Vault
    sandbox: bool = False
    worker: int = 0
    maintenance: set[str] = field(default_factory=set)
    doors: Doors = field(default_factory=Doors)
    """Where this instance listens; none while it does not serve."""
