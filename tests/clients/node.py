"""Clients in JavaScript: a script of tests/clients/js, run by Node with what npm installed."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from tests.harness.anvil import ROOT

SCRIPTS = ROOT / "tests" / "clients" / "js"
SECONDS = 120.0


async def node(script: str, task: dict[str, Any]) -> Any:
    """Run it with `task` as its first argument; the JSON that it wrote."""
    process = await asyncio.create_subprocess_exec(
        "node",
        str(SCRIPTS / script),
        json.dumps(task),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=ROOT,
    )
    try:
        out, problems = await asyncio.wait_for(process.communicate(), SECONDS)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, problems.decode()[-2000:]
    return json.loads(out)
