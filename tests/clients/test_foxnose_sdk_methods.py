"""Every method of the official clients that sends a request, sync and async: 0.8.1 here, 0.4.1 in its own process.

The walk (foxnose/) calls each public method; the tests fail for any that was not called.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.clients.foxnose.walk import walk
from tests.harness.server import Server

ROOT = Path(__file__).resolve().parents[2]
OLD_CLIENT = ROOT / "build" / "sdk041"
"""Installed by `make setup-dev` from requirements/sdk041.txt."""


async def test_every_method_of_the_current_client(server: Server) -> None:
    told = await walk(server.origin, server.operator["content"])
    assert told["missed"] == {kind: [] for kind in told["missed"]} and len(told["missed"]) == 4
    assert told["called"]["ManagementClient"] == told["called"]["AsyncManagementClient"] >= 146
    assert told["called"]["FluxClient"] == told["called"]["AsyncFluxClient"] == 11


def test_every_method_of_the_first_client(server: Server) -> None:
    """Which signs the query too, and knows folders only."""
    assert (OLD_CLIENT / "foxnose_sdk").is_dir(), "make setup-dev installs the older client"
    command = [sys.executable, "-m", "tests.clients.foxnose.walk", server.origin]
    done = subprocess.run(
        [*command, str(server.data_dir / "operator.json")],
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(OLD_CLIENT), str(ROOT)))},
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-4000:]
    told = json.loads(done.stdout)
    assert Path(told["at"]).parent == OLD_CLIENT
    assert told["missed"] == {kind: [] for kind in told["missed"]} and len(told["missed"]) == 4
    assert told["called"]["ManagementClient"] == told["called"]["AsyncManagementClient"] >= 118
    assert told["called"]["FluxClient"] == told["called"]["AsyncFluxClient"] == 5
