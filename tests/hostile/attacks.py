"""schemathesis over the planes' own OpenAPI documents: no input makes a server fail.

Each operation gets requests that fit its schema and requests that do not, as a stranger and as somebody who is known.
Whether the codes were declared and the bodies fitted is judged by the contract gates, from the servers' records.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from tests.harness.server import Server, serve

EXAMPLES = 25 if os.environ.get("FLUX_LONG") else 2
STRANGERS_EXAMPLES = 1
"""Nearly all of a stranger's requests end at the same door, those that fit and the others."""
MODES = (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE)
UNLIMITED = {
    "community.rate_limits.enabled": False,
    "community.limits.login_per_email": "0",
    "community.limits.login_per_ip": "0",
}
PATIENCE = 30
EMAIL, PASSWORD = "fuzz@example.test", "correct horse battery staple"
"""Of the account that attacks the community."""


async def credentials(server: Server, plane: str) -> dict[str, str]:
    """Headers of somebody the plane knows."""
    if plane == "content":
        return {"Authorization": f"Bearer {server.operator['content']['management_token']}"}
    if plane == "community":
        body = {
            "email": EMAIL, "username": "fuzz", "password": PASSWORD,
            "date_of_birth": "1990-12-10", "consent": True,
        }  # fmt: skip
        answer = await server.http.post("/community/v1/auth/register", json=body)
        return {"Authorization": answer.json()["token"]}
    return {}


Places = Callable[[Server], Awaitable[dict[str, str]]]
"""Makes a world and tells what in it stands for the places of paths, so that requests get past the first lookup: by the place's
name, or by a part of the path and the name (`components owner`) where the same name means several things."""


Again = Callable[[Server, dict[str, str], dict[str, str]], Awaitable[tuple[dict[str, str], dict[str, str]]]]
"""Headers and places that hold, whatever the last operation did to the given ones: it may have been a log-out."""


async def no_input_makes_the_server_fail(
    tmp_path: Path,
    plane: str,
    known: bool,
    places: Places | None = None,
    twins: tuple[str, ...] = (),
    again: Again | None = None,
    closed: frozenset[str] = frozenset(),
) -> None:
    """`twins` are parts of paths that are second spellings of others, served by the same handlers; `closed` are operations
    that know nobody by these headers; every other must have known who is asking at least once."""
    async with serve(tmp_path, sandbox=False, settings=UNLIMITED if plane == "community" else None) as server:
        headers = await credentials(server, plane) if known else {}
        real = await places(server) if places is not None and known else {}
        document = (await server.http.get(f"/openapi/{plane}.json")).json()
        schema = schemathesis.openapi.from_dict(document)
        base = document["servers"][0]["url"]
        failures: list[str] = []
        session = requests.Session()
        sent = 0
        met: dict[str, set[int]] = {}
        changed = False
        for found in schema.get_all_operations():
            operation = found.ok()
            if any(part in operation.path for part in twins):
                continue
            if again is not None and known and changed:
                headers, real = await again(server, headers, real)
            changed = operation.method.upper() != "GET"
            answers = met.setdefault(f"{operation.method.upper()} {operation.path}", set())
            for mode in MODES if known else MODES[:1]:
                sent += await attack(
                    operation,
                    mode,
                    base,
                    headers,
                    session,
                    failures,
                    real,
                    answers=answers,
                    lasting=again is None,
                )
        assert failures == []
        if again is not None:
            assert [name for name, answers in met.items() if not answers] == [], "never asked for"
        if headers:
            refused = {name for name, answers in met.items() if answers == {401}} - closed
            assert not refused, f"nobody got in: {refused}"
        assert sent > len(document["paths"]) // 2
        assert (await server.http.get("/health")).status_code == 200
        assert "Traceback" not in server.log()


async def attack(
    operation: Any,
    mode: Any,
    base: str,
    headers: dict[str, str],
    session: requests.Session,
    failures: list[str],
    real: Mapping[str, str] = MappingProxyType({}),
    *,
    answers: set[int] | None = None,
    lasting: bool = True,
) -> int:
    """Some requests to one operation; how many were sent. `real` says what stands for the places of its path, and must
    outlive the operation if it is `lasting`. The statuses of the answers go to `answers`."""
    import asyncio

    sent = 0

    @settings(
        max_examples=EXAMPLES if headers else STRANGERS_EXAMPLES, deadline=None, database=None, derandomize=True, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def run(case: Any) -> None:
        nonlocal sent
        if case.method != "DELETE" or not lasting:
            # What is real must last for the other operations.
            case.path_parameters.update(_standing(real, operation.path, case.path_parameters))
        try:
            answer = case.call(
                base_url=base, headers=headers, session=session, timeout=PATIENCE, allow_redirects=False
            )
        except (requests.exceptions.InvalidHeader, UnicodeError):
            return
        sent += 1
        if answers is not None:
            answers.add(answer.status_code)
        if answer.status_code >= 500 and answer.status_code not in (501, 503):
            failures.append(
                f"{case.method} {answer.request.url} {answer.request.body!r:.300} → {answer.status_code}"
            )
        elif answer.status_code >= 400 and (undeclared := _undeclared(operation, answer)):
            failures.append(f"{case.method} {answer.request.url} {answer.request.body!r:.300} → {undeclared}")

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


def _standing(real: Mapping[str, str], path: str, names: Mapping[str, Any]) -> dict[str, str]:
    """What stands for the places of one path; what is said of a part of it goes before what is said of all."""
    found = {name: real[name] for name in names if name in real}
    for key, value in real.items():
        part, _, name = key.rpartition(" ")
        if part and name in names and f"/{part}/" in path:
            found[name] = value
    return found


def _undeclared(operation: Any, answer: requests.Response) -> str | None:
    """A refusal that the operation's document does not tell of, by status and code; None when it does."""
    told = operation.definition.raw["responses"].get(str(answer.status_code), {}).get("x-flux-codes", [])
    body = answer.json()
    # The paygate's `code` repeats the status.
    code = body.get("error_code") or next(
        (body.get(name) for name in ("code", "error") if isinstance(body.get(name), str)), None
    )
    return None if code is None or code in told else f"{answer.status_code} {code}"
