"""schemathesis over the planes' own OpenAPI documents: no input makes a server fail.

Each operation gets requests that fit its schema and requests that do not, as a stranger and as somebody who is known.
Whether the codes were declared and the bodies fitted is judged by the contract gates, from the servers' records.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from tests.harness.server import Server, serve

EXAMPLES = 3
MODES = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)
UNLIMITED = {"community.rate_limits.enabled": False}
PATIENCE = 30


async def credentials(server: Server, plane: str) -> dict[str, str]:
    """Headers of somebody the plane knows."""
    if plane == "content":
        return {"Authorization": f"Bearer {server.operator['content']['management_token']}"}
    if plane == "community":
        body = {
            "email": "fuzz@example.test", "username": "fuzz", "password": "correct horse battery staple",
            "date_of_birth": "1990-12-10", "consent": True,
        }  # fmt: skip
        answer = await server.http.post("/community/v1/auth/register", json=body)
        return {"Authorization": answer.json()["token"]}
    return {}


async def no_input_makes_the_server_fail(tmp_path: Path, plane: str, known: bool) -> None:
    async with serve(tmp_path, sandbox=False, settings=UNLIMITED if plane == "community" else None) as server:
        headers = await credentials(server, plane) if known else {}
        document = (await server.http.get(f"/openapi/{plane}.json")).json()
        schema = schemathesis.openapi.from_dict(document)
        base = document["servers"][0]["url"]
        failures: list[str] = []
        session = requests.Session()
        sent = 0
        for found in schema.get_all_operations():
            operation = found.ok()
            for mode in MODES:
                sent += await attack(operation, mode, base, headers, session, failures)
        assert failures == []
        assert sent > len(document["paths"])
        assert (await server.http.get("/health")).status_code == 200
        assert "Traceback" not in server.log()


async def attack(
    operation: Any,
    mode: Any,
    base: str,
    headers: dict[str, str],
    session: requests.Session,
    failures: list[str],
) -> int:
    """Some requests to one operation; how many were sent."""
    import asyncio

    sent = 0

    @settings(
        max_examples=EXAMPLES, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def run(case: Any) -> None:
        nonlocal sent
        try:
            answer = case.call(
                base_url=base, headers=headers, session=session, timeout=PATIENCE, allow_redirects=False
            )
        except (requests.exceptions.InvalidHeader, UnicodeError):
            return
        sent += 1
        if answer.status_code >= 500 and answer.status_code not in (501, 503):
            failures.append(
                f"{case.method} {answer.request.url} {answer.request.body!r:.300} → {answer.status_code}"
            )

    try:
        await asyncio.to_thread(run)
    except (schemathesis.errors.SchemathesisError, httpx.HTTPError) as problem:
        if "Unsatisfiable" not in type(problem).__name__:
            raise
    except Exception as problem:
        # An operation that takes nothing has nothing to get wrong.
        if type(problem).__name__ not in ("Unsatisfiable", "SkipTest"):
            raise
    return sent
